"""Judgement -> Card. Pure: no clock, no database, no settings.

The words follow `explain.narrative`: the model weighs and leans; it finds nothing and sees nothing.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from pydantic import AnyHttpUrl

from cds_hooks.judgement import Judgement
from cds_hooks.order import draft_order, name_of_order
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
from explain.links import holds
from explain.narrative import strongest_values
from explain.outcome import help_sentence
from explain.page import DISAGREE_REASONS
from explain.regions import OUTSIDE
from explain.structured import DEMOGRAPHICS
from explain.tested import Help, Tested
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
TESTED: Final = {"image": "film", "text": "note", "structured": "measurements"}
NARROWS_FROM: Final = 0.2
"""What would take fewer diagnoses than this out of the set, on average, is not worth a request."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a card has besides its content.

    Attributes:
        card_id: its uuid.
        suggestion_id: uuid of its suggestion, used if it makes one.
        page_url: absolute address of the page behind it.
        job_id: the job it comes from.
        encounter_id: `context.encounterId`, where the hook has one.
        patient_id: `context.patientId`; without it nothing is proposed to be requested.
    """

    card_id: UUID
    suggestion_id: UUID
    page_url: str
    job_id: str
    encounter_id: str | None = None
    patient_id: str | None = None


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
    """Return the zone of the film and the abnormal values that speak for an answer, in a few words each.

    Evidence that was tested and does not beat chance is no reason.
    """
    if prediction.verdict is not Verdict.ANSWER:
        return []
    if not holds(explanation, "structured"):
        return [*_zone(explanation)]
    values = strongest_values(explanation.measurements, "for")
    abnormal = [f"{inside(row.name)} {reading(row)}" for row in values if row.outside and row.key not in DEMOGRAPHICS]
    return [*_zone(explanation), *abnormal[:2]]


def _zone(explanation: Explanation) -> Iterator[str]:
    speaks_for = any(share.modality == "image" and share.points > 0 for share in explanation.shares)
    speaks_for = speaks_for and holds(explanation, "image")
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
    blocks += [_test(explanation.tested)] if explanation.tested and explanation.tested.fidelity else []
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


def _test(tested: Tested) -> str:
    """Return in one line which evidence matters more than random evidence of the same size, in this very case."""
    given = [one.modality for one in tested.fidelity]
    good = listed([TESTED[name] for name in given if tested.holds(name)])
    bad = listed([TESTED[name] for name in given if not tested.holds(name)])
    parts = [f"what is marked in the {good} counts more than random marks of the same size"] if good else []
    parts += [f"what was marked in the {bad} does not, and is withdrawn"] if good and bad else []
    parts += [f"what was marked in the {bad} counts no more than random marks, and is withdrawn"] if not good else []
    return f"**Evidence test:** {'; '.join(parts)}."


def _bullets(title: str, texts: Iterable[str]) -> str:
    return "\n".join([f"**{title}**", "", *(f"- {markdown(text)}" for text in texts)])


def _footer(model: ModelCard) -> str:
    sentences = ("It informs and does not replace clinical judgement.", *model.not_for, model.simulated)
    return f"*{markdown(model.scope)}* {' '.join(markdown(sentence) for sentence in sentences)}"


def _suggestion(judgement: Judgement, frame: Frame) -> Suggestion | None:
    """Return the one thing that a clinician may accept: the answer as a draft, or what would make it surer."""
    verdict, tested = judgement.prediction.verdict, judgement.explanation.tested
    if verdict is Verdict.ANSWER and judgement.draft is not None:
        name = inside(judgement.prediction.top.diagnosis.name)
        action = _create(judgement.draft, f"Add {name} as a provisional diagnosis", frame)
        return Suggestion(label=f"Record as provisional: {name}", uuid=frame.suggestion_id, actions=(action,))
    if verdict is Verdict.UNSURE and tested is not None:
        return next(_requests(tested.helps, frame), None)
    return None


def _requests(helps: Iterable[Help], frame: Frame) -> Iterator[Suggestion]:
    """Yield what could be requested, most helpful first."""
    for wanted in helps:
        narrows = wanted.size_before - wanted.size_expected >= NARROWS_FROM
        order = draft_order(wanted, frame.patient_id) if frame.patient_id and narrows else None
        if order is not None:
            name = name_of_order(order)
            action = _create(order, f"Draft a request for {name}: {help_sentence(wanted)}", frame)
            yield Suggestion(label=f"Would help most: {name}", uuid=frame.suggestion_id, actions=(action,))


def _create(resource: Mapping[str, Any], description: str, frame: Frame) -> Action:
    encounter = {"encounter": {"reference": f"Encounter/{frame.encounter_id}"}} if frame.encounter_id else {}
    return Action(description=description, resource={**resource, **encounter})
