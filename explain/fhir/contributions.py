"""Shares and tested contributions -> one Observation whose components a receiver can read one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fhir.resources.R4B.observation import Observation

from explain import links, wording
from explain.evidence import Explanation, MeasurementEvidence
from explain.fhir.citing import cite, observed
from explain.fhir.codes import EVIDENCE, UCUM, URI, Json, local, points
from explain.fhir.subject import Told
from explain.fhir.valid import checked
from explain.tested import GroupShare, Tested, WordEffect

MODALITIES: Final = {"image": "the radiograph", "text": "the note", "structured": "measurements, age and sex"}


def contributions(told: Told) -> Json:
    """Return what each input did to the probability of the answer; only for a case that was assessed."""
    about = wording.term(told.prediction.top.diagnosis)
    resource = {
        **told.asserted("Observation", "contributions", [f"What moved the probability of {about}, in points."]),
        "identifier": [{"system": URI, "value": f"{told.job.urn}#contributions"}],
        "status": told.status,
        "code": local("contributions", f"Contributions of the inputs to the probability of {about}"),
        "focus": [told.reference("RiskAssessment")],
        "effectiveDateTime": told.at,
        "issued": told.at,
        "device": told.device,
        "method": {"text": "exact Shapley values, in points of probability"},
        "derivedFrom": observed(told.explanation),
        "component": list(components(told.explanation)),
    }
    return checked(Observation, resource)


def components(explanation: Explanation) -> Iterator[Json]:
    """Yield the components in the order of `explain.fhir.codes`."""
    yield part("baseline", "with no input at all", points(explanation.baseline))
    for share in explanation.shares:
        yield part(f"share-{share.modality}", MODALITIES[share.modality], points(share.points))
    tested = explanation.tested
    if tested is None:
        yield from (_effect(row) for row in explanation.measurements)
    else:
        yield from _tested(explanation, tested)


def _effect(row: MeasurementEvidence) -> Json:
    quantity = {"value": round(row.effect, 6), "unit": "log-odds", "system": UCUM, "code": "1"}
    return part(f"effect-{row.key}", f"{row.name} (first order, log-odds)", quantity, [row.source])


def _tested(explanation: Explanation, tested: Tested) -> Iterator[Json]:
    yield from (_group(explanation, group) for group in tested.groups)
    if explanation.image is not None:
        for zone in tested.zones:
            code = links.zone_piece(zone.name)
            yield part(code, f"{zone.name} covered", points(zone.points), [explanation.image.source])
    if explanation.note is not None:
        for effect in tested.words:
            yield part("words", _place(effect), points(effect.points), [explanation.note.source])


def _group(explanation: Explanation, group: GroupShare) -> Json:
    sources = [row.source for row in explanation.measurements if row.key in group.members]
    return part(f"group-{group.key}", group.name, points(group.points), sources)


def _place(effect: WordEffect) -> str:
    """Say where the words stand: the words themselves stay in the note, which the receiver has."""
    return f"characters {effect.start + 1} to {effect.end} of the note taken away"


def part(code: str, text: str, quantity: Json, sources: list[str] | None = None) -> Json:
    """Return a component of an Observation with what it was read from."""
    cited = [{"url": EVIDENCE, "valueReference": cite(source)} for source in dict.fromkeys(sources or [])]
    return {
        **({"extension": cited} if cited else {}),
        "code": local(code, text),
        "valueQuantity": quantity,
    }
