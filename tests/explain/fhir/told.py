"""The example's child as FHIR gets it: with every verdict, without a film, without a note, before and after testing."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from explain.evidence import Explanation
from explain.fhir.subject import Told
from explain.image import heat_of, shown_size
from explain.settled import with_tested
from explain.tested import Fidelity, GroupShare, Tested, WordEffect, ZoneEffect
from fhir_adapter.record import FilmFile, Note, PatientRecord
from tests.explain import examples, marked

JOB = UUID("0b5d3a4e-7f0c-4f0e-8a55-1b0c6a2d9e77")
COMPUTED_AT = datetime(2026, 11, 24, 8, 14, tzinfo=UTC)
FILE = FilmFile("1.2.3.1", "1.2.3.2", "1.2.3.3", "1.2.840.10008.5.1.4.1.1.1.1", "chart-77", "ward")
FIDELITY = {
    "image": Fidelity("image", 0.21, 0.06, 0.05, 0.18, 20, 20),
    "text": Fidelity("text", 0.09, 0.03, 0.02, 0.07, 18, 20),
    "structured": Fidelity("structured", 0.14, 0.05, 0.03, 0.1, 20, 20),
}


def second_tier(explanation: Explanation, **changes: Any) -> Tested:
    """Return what a second tier would find out about an explanation."""
    given = [name for name in ("image", "text") if getattr(explanation, {"image": "image", "text": "note"}[name])]
    whole = Tested(
        groups=(GroupShare("crp", "C-reactive protein", ("crp",), 0.12), GroupShare("age", "age", ("age",), -0.004)),
        residual=2e-8,
        zones=(ZoneEffect("right lower zone", 0.11, 0.4),) if explanation.image else (),
        words=tuple(
            WordEffect(span.start, span.end, 0.03 * span.weight * (1 if span.direction == "for" else -1))
            for span in explanation.note.spans
        )
        if explanation.note
        else (),
        fidelity=tuple(FIDELITY[name] for name in (*given, "structured")),
        change=None,
        helps=(),
        duration_ms=1800.0,
        heat_png=heat_of(examples.relevance(), shown_size(examples.drawn_film())) if explanation.image else b"",
    )
    return replace(whole, **changes)


def withdrawn_image(explanation: Explanation) -> Tested:
    """Return a second tier whose marks on the film are worse than chance."""
    worse = Fidelity("image", 0.01, 0.06, 0.05, 0.01, 2, 20)
    return second_tier(explanation, fidelity=(worse, FIDELITY["text"], FIDELITY["structured"]))


def chart_of_the_example() -> PatientRecord:
    """Return the child's chart, its film from an archive, and its ids such as a FHIR server gives."""
    chart = examples.record(films=(replace(examples.drawn_film(), file=FILE),))
    measurements = tuple(
        replace(one, source=examples.source(f"Observation/{one.key.replace('_', '-')}-1")) for one in chart.measurements
    )
    return replace(chart, measurements=measurements)


@cache
def told(name: str = "answer") -> Told:
    """Return one of `VARIANTS`."""
    chart = replace(chart_of_the_example(), **CHARTS.get(name, {}))
    prediction, explanation = marked.explained(chart, **PREDICTIONS.get(name, {}))
    if name in SECOND_TIER:
        explanation = with_tested(prediction, explanation, SECOND_TIER[name](explanation))
    return Told(JOB, prediction, explanation, examples.CARD, COMPUTED_AT)


HOSTILE = Note(
    "Fever <script>alert(1)</script> & *crackles* [right](http://x.example) base \x07 \u202eevol. No wheeze.",
    "<b>Note</b>",
    examples.SEEN_AT,
    examples.source("DocumentReference/note-1"),
)
CHARTS: dict[str, dict[str, Any]] = {
    "no film": {"films": ()},
    "no note": {"notes": ()},
    "hostile note": {"notes": (HOSTILE,)},
}
PREDICTIONS: dict[str, dict[str, Any]] = {"unsure": examples.UNSURE, "out of scope": examples.OUT_OF_SCOPE}
SECOND_TIER = {"tested": second_tier, "withdrawn": withdrawn_image}
VARIANTS = ("answer", "unsure", "out of scope", "no film", "no note", "hostile note", "tested", "withdrawn")
