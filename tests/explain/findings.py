"""What the second tier might have found out about the example, and the pages that show it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from explain.evidence import Explanation
from explain.image import heat_of, shown_size
from explain.page import PageView
from explain.regions import region_shares
from explain.settled import with_tested
from explain.tested import Change, Fidelity, GroupShare, Help, Step, Tested, Told, ToldSentence, WordEffect, ZoneEffect
from fhir_adapter.record import Modality, PatientRecord
from inference.entities import Entity
from tests.explain.examples import ENTITIES, drawn_film, relevance, view

GROUPS: dict[tuple[str, ...], float] = {
    ("crp",): 0.45, ("wbc", "neutrophils"): 0.3, ("spo2",): 0.14, ("temperature",): 0.08, ("lymphocytes",): -0.02,
    ("age", "female"): 0.03, ("heart_rate",): 0.01, ("platelets",): 0.007, ("haemoglobin",): 0.003,
}  # fmt: skip
"""Groups with their part of the points of the structured record."""
NAMES: dict[tuple[str, ...], str] = {
    ("wbc", "neutrophils"): "White cells and neutrophils",
    ("age", "female"): "Age and sex",
}


PHRASES = {
    "Fever to 39.4 for four days": 0.042, "cough and difficulty breathing": 0.04, "Runny nose": -0.03, "cold": -0.014,
    "No wheeze": -0.02, "crackles right base": 0.05, "sounds reduced": 0.02, "recession": 0.011,
}  # fmt: skip
"""Words of the note, and how far the answer falls without them."""


def fidelity(modality: Modality, fall: float, by_chance: float, beaten: int = 20) -> Fidelity:
    """Return an evidence test of twenty random controls."""
    return Fidelity(modality, fall, by_chance, 0.05, 0.21, beaten, 20)


def measured_words(text: str) -> Iterator[WordEffect]:
    """Yield the phrases of `PHRASES` that a note holds, in reading order, with the entities in them."""
    for phrase, points in sorted(PHRASES.items(), key=lambda one: text.find(one[0])):
        start = text.find(phrase)
        entities = tuple(
            Entity(kind, text.find(term), text.find(term) + len(term), "-" in flags, "~" in flags)
            for term, kind, flags in ENTITIES
            if term in phrase
        )
        if start >= 0:
            yield WordEffect(start, start + len(phrase), points, entities)


def findings(explanation: Explanation, **changes: Any) -> Tested:
    """Return what the second tier might have found out about the example."""
    note, image = explanation.note, explanation.image
    given = {row.key for row in explanation.measurements}
    structured = next((share.points for share in explanation.shares if share.modality == "structured"), 0.0)
    members = {group: tuple(key for key in group if key in given) for group in GROUPS}
    whole = Tested(
        groups=tuple(
            GroupShare(group[0], NAMES.get(group, group[0]), members[group], part * structured)
            for group, part in GROUPS.items()
            if members[group]
        ),
        residual=1.1e-16,
        zones=tuple(ZoneEffect(one.name, 0.26 * one.share, one.share) for one in region_shares(relevance()))
        if image
        else (),
        words=tuple(measured_words(note.text)) if note else (),
        fidelity=(
            *((fidelity("image", 0.312, 0.041),) if image else ()),
            *((fidelity("text", 0.094, 0.012, 19),) if note else ()),
            fidelity("structured", 0.071, 0.02, 18),
        ),
        change=Change((Step("crp", "C-reactive protein", 96.0, 18.0, "mg/L"),), "set", "bacterial", 0.71,
                      ("bacterial", "viral")),
        helps=(
            Help("procalcitonin", "Procalcitonin", 1, 1.0, 0.11),
            Help("respiratory_rate", "Respiratory rate", 1, 1.0, 0.04),
        ),
        duration_ms=2130.0,
        heat_png=heat_of(relevance(), shown_size(drawn_film())) if image else b"",
    )  # fmt: skip
    return replace(whole, **changes)


TOLD = Told(
    "medgemma-4b",
    (
        ToldSentence("The model puts bacterial pneumonia at 93 %, and would say 40 % with nothing to go on.", (0,)),
        ToldSentence("The film and the blood count agree on it.", (1, 2)),
        ToldSentence("So does the note.", (3,)),
        ToldSentence("A runny nose and lymphocytes within the normal range speak against it.", (4,)),
    ),
)
REFUSED = Told("medgemma-4b", (), "a number in its second sentence is not among the claims")


def checked_view(chart: PatientRecord | None = None, told: Told | None = None, **changes: Any) -> PageView:
    """Return the page of a chart whose evidence was tested; changes are those of what was found out."""
    whole = view(chart)
    found = replace(findings(whole.explanation, **changes), told=told)
    heat_url = whole.heat_url and f"{whole.heat_url}?checked"
    explanation = with_tested(whole.prediction, whole.explanation, found)
    return replace(whole, explanation=explanation, heat_url=heat_url, checking="done")


def failing(*modalities: Modality) -> dict[str, Any]:
    """Return the change of `checked_view` after which the evidence of some modalities is no better than chance."""
    tests = {"image": (0.312, 0.041), "text": (0.094, 0.012), "structured": (0.071, 0.02)}
    found = tuple(
        fidelity(name, 0.011, 0.034, 6) if name in modalities else fidelity(name, *figures)  # type: ignore[arg-type]
        for name, figures in tests.items()
    )
    return {"fidelity": found}
