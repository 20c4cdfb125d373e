"""Judgement -> Card. Pure: no clock, no database, no settings.

The words follow `explain.narrative`: the model weighs and leans; it finds nothing and sees nothing.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from pydantic import AnyHttpUrl

from cds_hooks.judgement import Judgement
from cds_hooks.plain import markdown, summary
from cds_hooks.protocol import (
    SUMMARY_LIMIT,
    Action,
    Card,
    Coding,
    Link,
    OverrideReason,
    Source,
    Suggestion,
)
from explain.evidence import Claim, Explanation
from explain.narrative import strongest_values
from explain.page import DISAGREE_REASONS
from explain.regions import OUTSIDE
from explain.structured import DEMOGRAPHICS
from explain.wording import inside, listed, percent, reading
from inference.checkpoint import Card as ModelCard
from inference.contract import MODALITIES
from inference.prediction import Likelihood, Prediction, Verdict

REASON_SYSTEM: Final = "urn:x-mllm-cds:override-reason"
"""The page behind the card offers the same reasons, so that both are counted together. HL7's example codes
(3.0.0-ballot, non-adherence-reason) speak of a recommended action; this card recommends none."""
EXTENSION: Final = "org.mllm-cds.result"
TOPIC: Final = Coding(code="pneumonia", system="urn:x-mllm-cds:topic", display="Pneumonia in children")
OVERRIDE_REASONS: Final = tuple(
    OverrideReason(code=code, system=REASON_SYSTEM, display=display) for code, display in DISAGREE_REASONS
)
WITHOUT: Final = {"image": "radiograph", "text": "note", "structured": "measurements"}
ZONE_FROM: Final = 0.25
"""Share of the image evidence from which the summary names a zone."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a card has besides its content.

    Attributes:
        card_id: its uuid.
        suggestion_id: uuid of its suggestion, used if it makes one.
        page_url: absolute address of the page behind it.
        job_id: the job it comes from.
        encounter_id: `context.encounterId`, where the hook has one.
    """

    card_id: UUID
    suggestion_id: UUID
    page_url: str
    job_id: str
    encounter_id: str | None = None


def build_card(judgement: Judgement, model: ModelCard, frame: Frame) -> Card:
    """Turn a judgement into the one card that says it."""
    prediction = judgement.prediction
    suggestion = _suggestion(judgement, frame)
    return Card(
        uuid=frame.card_id,
        summary=_summary(prediction, judgement.explanation),
        detail=_detail(prediction, judgement.explanation, model),
        indicator="warning" if _is_finding(prediction) else "info",
        source=_source(model),
        suggestions=None if suggestion is None else (suggestion,),
        selection_behavior=None if suggestion is None else "at-most-one",
        override_reasons=OVERRIDE_REASONS,
        links=(_link("Why this card?", frame),),
        extension={EXTENSION: _about(judgement, frame)},
    )


def build_running_card(model: ModelCard, frame: Frame) -> Card:
    """Return the card for an analysis that did not end in time."""
    detail = (
        "The analysis takes longer than a chart should wait. Its result appears on the linked page "
        "and on the card when the chart is opened again.\n\n" + _footer(model)
    )
    return Card(
        uuid=frame.card_id,
        summary="Analysis running: open the link to see the result as soon as it is there",
        detail=detail,
        indicator="info",
        source=_source(model),
        links=(_link("Follow the analysis", frame),),
        extension={EXTENSION: {"job": frame.job_id, "state": "running"}},
    )


def _link(label: str, frame: Frame) -> Link:
    return Link(label=label, url=AnyHttpUrl(frame.page_url))


def _source(model: ModelCard) -> Source:
    return Source(label=f"mllm-cds · {summary(model.name)} {summary(model.version)}", topic=TOPIC)


def _is_finding(prediction: Prediction) -> bool:
    return prediction.verdict is Verdict.ANSWER and bool(prediction.top.diagnosis.snomed)


def _about(judgement: Judgement, frame: Frame) -> dict[str, Any]:
    prediction = judgement.prediction
    chances = {item.diagnosis.key: round(item.probability, 4) for item in prediction.likelihoods}
    # Out of scope there is neither, and the specification wants no empty members.
    figures = {"probabilities": chances, "predictionSet": list(prediction.prediction_set)} if chances else {}
    return {
        "job": frame.job_id,
        "state": "done",
        "checkpoint": prediction.checkpoint,
        "modelDigest": prediction.model_digest,
        "verdict": prediction.verdict.value,
        "modalities": list(prediction.modalities),
        "modelMs": round(judgement.model_ms, 1),
        "jobMs": round(judgement.job_ms, 1),
        **figures,
    }


def _summary(prediction: Prediction, explanation: Explanation) -> str:
    """Return one sentence that fits: reasons are left out from the end until it does."""
    head, reasons, tail = _headline(prediction), _reasons(prediction, explanation), _without(prediction)
    for kept in range(len(reasons), -1, -1):
        text = summary(head + (f": {', '.join(reasons[:kept])}" if kept else "") + tail)
        if len(text) < SUMMARY_LIMIT:
            return text
    return textwrap.shorten(summary(head), SUMMARY_LIMIT - 1, placeholder=" …")


def _headline(prediction: Prediction) -> str:
    if prediction.verdict is Verdict.OUT_OF_SCOPE:
        return "Not assessed: " + (prediction.reasons[0] if prediction.reasons else "outside what the model is for.")
    if prediction.verdict is Verdict.UNSURE:
        possible = [f"{inside(item.diagnosis.name)} ({percent(item.probability)})" for item in _in_set(prediction)]
        return f"Unsure: {' or '.join(possible)}"
    top = prediction.top
    name, chance = top.diagnosis.name, percent(top.probability)
    return f"{name} likely ({chance})" if top.diagnosis.snomed else f"Likely {inside(name)} ({chance})"


def _in_set(prediction: Prediction) -> list[Likelihood]:
    found = [item for item in prediction.likelihoods if item.diagnosis.key in prediction.prediction_set]
    return sorted(found or prediction.likelihoods, key=lambda item: -item.probability)


def _reasons(prediction: Prediction, explanation: Explanation) -> list[str]:
    """Return the zone of the film and the abnormal values that speak for an answer, in a few words each."""
    if prediction.verdict is not Verdict.ANSWER:
        return []
    values = strongest_values(explanation.measurements, "for")
    abnormal = [f"{inside(row.name)} {reading(row)}" for row in values if row.outside and row.key not in DEMOGRAPHICS]
    return [*_zone(explanation), *abnormal[:2]]


def _zone(explanation: Explanation) -> Iterator[str]:
    speaks_for = any(share.modality == "image" and share.points > 0 for share in explanation.shares)
    regions = explanation.image.regions if explanation.image else ()
    if speaks_for and regions and regions[0].name != OUTSIDE and regions[0].share >= ZONE_FROM:
        yield f"{regions[0].name} of the film"


def _without(prediction: Prediction) -> str:
    if prediction.verdict is Verdict.OUT_OF_SCOPE:
        return ""
    absent = [WITHOUT[name] for name in MODALITIES if name not in prediction.modalities]
    return f" (without {' and '.join(absent)})" if absent else ""


def _detail(prediction: Prediction, explanation: Explanation, model: ModelCard) -> str:
    blocks = [*_answer(prediction), *_evidence(explanation.claims)]
    blocks += [_bullets("Missing", explanation.missing)] if explanation.missing else []
    return "\n\n".join([*blocks, _footer(model)])


def _answer(prediction: Prediction) -> Iterator[str]:
    if prediction.verdict is Verdict.OUT_OF_SCOPE:
        return
    names = listed([inside(item.diagnosis.name) for item in _in_set(prediction)])
    yield f"Set of diagnoses at {percent(prediction.coverage)} coverage: **{markdown(names)}**."
    if prediction.verdict is Verdict.UNSURE and prediction.reasons:
        yield markdown(" ".join(prediction.reasons))
    ranked = sorted(prediction.likelihoods, key=lambda item: -item.probability)
    yield markdown("; ".join(f"{item.diagnosis.name} {percent(item.probability)}" for item in ranked)) + "."


def _evidence(claims: Iterable[Claim]) -> Iterator[str]:
    told = list(claims)
    if neutral := [markdown(claim.text) for claim in told if claim.direction == "neutral"]:
        yield " ".join(neutral)
    for title, direction in (("For", "for"), ("Against", "against")):
        if texts := [claim.text for claim in told if claim.direction == direction]:
            yield _bullets(title, texts)


def _bullets(title: str, texts: Iterable[str]) -> str:
    return "\n".join([f"**{title}**", "", *(f"- {markdown(text)}" for text in texts)])


def _footer(model: ModelCard) -> str:
    sentences = ("It informs and does not replace clinical judgement.", *model.not_for, model.simulated)
    return f"*{markdown(model.scope)}* {' '.join(markdown(sentence) for sentence in sentences)}"


def _suggestion(judgement: Judgement, frame: Frame) -> Suggestion | None:
    if judgement.draft is None or judgement.prediction.verdict is not Verdict.ANSWER:
        return None
    name = inside(judgement.prediction.top.diagnosis.name)
    resource = dict(judgement.draft)
    if frame.encounter_id is not None:
        resource["encounter"] = {"reference": f"Encounter/{frame.encounter_id}"}
    action = Action(description=f"Add {name} as a provisional diagnosis", resource=resource)
    return Suggestion(label=f"Record as provisional: {name}", uuid=frame.suggestion_id, actions=(action,))
