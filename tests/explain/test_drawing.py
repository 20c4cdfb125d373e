"""Coordinates of the page's small figures."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from explain.drawing import described, pull, rounded, scale, segments, steps, usual_time
from explain.evidence import Explanation, NoteEvidence, Share, Span
from explain.image import image_evidence
from explain.structured import measurement_evidence
from fhir_adapter.measurements.quantities import Quantity
from inference.contract import MODALITIES
from tests.explain.examples import MEASURED, SEEN_AT, drawn_film, explained, inputs, measurement, normal_of, record
from tests.explain.marked import marked_film


def with_points(baseline: float, *points: float) -> Explanation:
    shares = tuple(Share(name, one, 0.0) for name, one in zip(MODALITIES, points, strict=True))  # type: ignore[arg-type]
    return replace(explained()[1], shares=shares, baseline=baseline)


@pytest.mark.parametrize("seed", range(50))
def test_whole_points_add_up(seed: int) -> None:
    """The rounded points of the modalities add up to the rounded way from baseline to answer, each within one."""
    chance = np.random.default_rng(seed)
    start, *inner = chance.dirichlet(np.ones(5))[:4]
    explanation = with_points(start, inner[0], -inner[1] * start, inner[2])
    end = start + sum(share.points for share in explanation.shares)
    found = steps(explanation)
    assert sum(step.points for step in found) == round(100 * end) - round(100 * start)
    assert all(
        abs(step.points - 100 * share.points) <= 1.0 for step, share in zip(found, explanation.shares, strict=True)
    )


def test_steps_lead_from_baseline_to_answer() -> None:
    """Each step begins where the one before it ended; one that lowers the answer is drawn to the left."""
    first, second, third = steps(with_points(0.4, 0.3, -0.2, 0.1))
    assert (first.left, first.width) == pytest.approx((40, 30))
    assert (second.left, second.width) == pytest.approx((50, 20))
    assert (third.left, third.width) == pytest.approx((50, 10))
    assert [step.direction for step in (first, second, third)] == ["for", "against", "for"]


@pytest.mark.parametrize("quantity", MEASURED, ids=lambda quantity: str(quantity.key))
def test_scale_orders_as_values_do(quantity: Quantity) -> None:
    """On every scale a low value lies left of the normal range, a high one right of it, a normal one within."""
    low, high = normal_of(quantity.key)
    for value, side in ((low and low * 0.98, -1), (high and high * 1.02, 1), ((low or (high or 0.0) / 2) * 1.01, 0)):
        if value is None:
            continue
        chart = record(measurements=(measurement(quantity.key, value),))
        row = next(one for one in measurement_evidence(chart, inputs(chart), np.zeros(14)) if one.key == quantity.key)
        drawn = scale(row)
        assert drawn is not None
        assert (drawn.at > drawn.high) - (drawn.at < drawn.low) == side or drawn.clamped


def test_scale_ends_hold_far_values() -> None:
    """A value beyond the scale stays at its end."""
    chart = record(measurements=(measurement("heart_rate", 280.0),))
    row = next(one for one in measurement_evidence(chart, inputs(chart), np.zeros(14)) if one.key == "heart_rate")
    drawn = scale(row)
    assert drawn is not None
    assert (drawn.at, drawn.clamped) == (100.0, True)


def test_strongest_pull_fills_its_half() -> None:
    """Bars are relative to the strongest effect; where there is none they are empty."""
    rows = explained()[1].measurements
    assert [round(pull(row, rows)) for row in rows][:2] == [50, 29]
    assert pull(replace(rows[0], effect=0.0), (replace(rows[0], effect=0.0),)) == 0.0


@pytest.mark.parametrize("spans", [(), ((0, 3),), ((0, 3), (3, 5)), ((2, 4), (8, 10))])
def test_segments_are_the_whole_note(spans: tuple[tuple[int, int], ...]) -> None:
    """Cut at its spans, the note is still the note, to the letter."""
    text = "<b>a & b</b"[:10]
    note = NoteEvidence(text, "", tuple(Span(*span, 1.0, "for") for span in spans), SEEN_AT, "", truncated=False)
    found = list(segments(note))
    assert "".join(segment.text for segment in found) == text
    assert [segment.text for segment in found if segment.span] == [text[start:end] for start, end in spans]


def test_segments_end_where_they_are_told_to() -> None:
    """A long note is cut behind its marks; what is cut off is in no segment."""
    note = NoteEvidence("fever and cough", "", (Span(0, 5, 1.0, "for"),), SEEN_AT, "", truncated=False)
    assert [segment.text for segment in segments(note, 9)] == ["fever", " and"]


@pytest.mark.parametrize(("begin", "end"), [(0, 15), (0, 7), (2, 15), (6, 9), (11, 15), (3, 3)])
def test_segments_tell_what_was_not_read(begin: int, end: int) -> None:
    """From any place to any other, the segments are the note, and what the model did not see is called so."""
    text, unread = "fever and cough", ((5, 9), (12, 14))
    note = NoteEvidence(text, "", (Span(0, 5, 1.0, "for"),), SEEN_AT, "", truncated=True, unread=unread)
    found = list(segments(note, end, begin))
    hidden = "".join(text[max(start, begin) : min(stop, end)] for start, stop in unread)

    assert "".join(segment.text for segment in found) == text[begin:end]
    assert "".join(segment.text for segment in found if segment.unread) == hidden


def test_a_mark_at_the_limit_is_shown_once() -> None:
    """Where the model read the beginning of a marked word, the rest of the word is not shown again."""
    note = NoteEvidence("a fever now", "", (Span(2, 7, 1.0, "for"),), SEEN_AT, "", truncated=True, unread=((4, 11),))

    assert [(segment.text, segment.unread) for segment in segments(note)] == [
        ("a ", False),
        ("fever", False),
        (" now", True),
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0, -1.0])
def test_a_value_without_a_place_has_no_scale(value: float) -> None:
    """What is no number, or cannot be on a logarithmic scale, is not drawn somewhere all the same."""
    row = next(row for row in explained()[1].measurements if row.key == "crp")
    assert scale(replace(row, value=value)) is None


@pytest.mark.parametrize("seed", range(20))
def test_rounded_figures_add_up(seed: int) -> None:
    """Rounded to tenths, numbers still add up to their rounded sum, each within a tenth."""
    exact = list(np.random.default_rng(seed).normal(0, 5, 12))
    found = rounded(exact, 1)
    assert sum(found) == pytest.approx(round(sum(exact), 1))
    assert np.abs(np.subtract(found, exact)).max() <= 0.1 + 1e-9


def test_regions_are_described_largest_first() -> None:
    """Who does not see the picture is told the three largest shares."""
    image = marked_film(image_evidence(drawn_film()))
    assert described(image).startswith("right lower zone")
    assert described(image).count("%") == 3


def test_usual_time_is_that_of_most_measurements() -> None:
    """The heading names the time of most values, the newest of equals; age and sex do not count."""
    rows = explained()[1].measurements
    usual = SEEN_AT + timedelta(minutes=17)
    assert usual_time((replace(rows[0], taken_at=SEEN_AT), *rows[1:])) == usual
    assert usual_time((rows[0], replace(rows[1], taken_at=SEEN_AT))) == usual
    assert usual_time(()) is None
