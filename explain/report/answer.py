"""The left half of the report: the answer, how sure it is, why, and whether that was tested."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from reportlab.platypus import Flowable, HRFlowable, Paragraph, Spacer, Table, TableStyle

from explain import links, outcome, wording
from explain.links import Sentence
from explain.report.style import BODY, CELL, HEADING, LINE, SMALL, TITLE, text
from explain.report.view import ReportView
from inference.prediction import Verdict

MODALITIES: Final = {"image": "Radiograph", "text": "Note", "structured": "Measurements, age, sex"}
SIGNS: Final = {"for": "For:", "against": "Against:", "neutral": ""}
NOT_TESTED: Final = "Not yet: whether the answer would change without the marked evidence has not been measured."


def answer(view: ReportView) -> Iterator[Flowable]:
    """Yield the verdict with its figures; out of scope there are reasons and no figure."""
    prediction = view.prediction
    if not view.assessed:
        yield text("Not assessed", TITLE)
        yield text("The model gives no diagnosis for this case, and no probability.")
        yield from (text(reason) for reason in prediction.reasons)
        return
    top = prediction.top
    percent = wording.percent(top.probability)
    sure = prediction.verdict is Verdict.ANSWER
    leaning = f"Unsure, leaning towards {wording.term(top.diagnosis)}"
    yield text(f"{top.diagnosis.name if sure else leaning}: {percent}", TITLE)
    yield from (text(reason) for reason in prediction.reasons)
    yield _likelihoods(view)
    yield text(_set(view), SMALL)


def _likelihoods(view: ReportView) -> Table:
    prediction = view.prediction
    rows = [
        [
            text(one.diagnosis.name, CELL),
            text("in the set" if one.diagnosis.key in prediction.prediction_set else "outside the set", CELL),
            text(wording.percent(one.probability), CELL),
        ]
        for one in sorted(prediction.likelihoods, key=lambda one: -one.probability)
    ]
    return ruled(rows, (140, 90, 60))


def ruled(rows: list[list[Paragraph]], widths: tuple[float, ...]) -> Table:
    """Return a table with a thin line under each row."""
    style: list[tuple[Any, ...]] = [
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
    return Table(rows, widths, style=TableStyle(style), hAlign="LEFT", spaceBefore=3, spaceAfter=4)


def _set(view: ReportView) -> str:
    prediction = view.prediction
    kept = [one.diagnosis.name for one in prediction.likelihoods if one.diagnosis.key in prediction.prediction_set]
    coverage = wording.percent(prediction.coverage)
    return (
        f"{coverage} prediction set: {wording.listed(kept) or 'empty'}. In {coverage} of cases like those it was "
        "calibrated on, such a set holds the true diagnosis."
    )


def told(view: ReportView) -> Iterator[Flowable]:
    """Yield the sentences, each with the resources that it stands on."""
    yield Spacer(0, 4)
    yield text("In words", HEADING)
    for sentence in links.sentences(view.explanation):
        yield text(sentence.text, BODY, SIGNS[sentence.direction])
        if sentence.sources and sentence.citations:
            yield text(_sources(sentence), SMALL)


def _sources(sentence: Sentence) -> str:
    return f"Evidence: {', '.join(sentence.sources)}"


def tested(view: ReportView) -> Iterator[Flowable]:
    """Yield what the second tier found; that it found nothing yet is said too."""
    if not view.assessed:
        return
    yield Spacer(0, 4)
    yield text("Tested for this case", HEADING)
    found = view.explanation.tested
    if found is None:
        yield text(NOT_TESTED)
        return
    yield text("Change of the answer, in points, without the marked evidence; the same without random evidence.", SMALL)
    yield from (text(outcome.fidelity_short(one), BODY, f"{MODALITIES[one.modality]}:") for one in found.fidelity)
    if gone := links.withdrawn(view.explanation):
        yield text(f"{wording.counted(gone, 'sentence')} on withdrawn marks left out.", SMALL)
    if found.change is not None:
        yield text(outcome.change_sentence(found.change, view.explanation), BODY)


def missing(view: ReportView) -> Iterator[Flowable]:
    """Yield what the model did not have."""
    yield HRFlowable(width="100%", color=LINE, thickness=0.4, spaceBefore=3, spaceAfter=3)
    yield text("; ".join(view.explanation.missing) or "nothing that it takes", SMALL, "Not available:")
