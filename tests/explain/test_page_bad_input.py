"""What odd and hostile charts make of the page: still correct, escaped, complete."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from explain.evidence import MeasurementEvidence, Reading
from explain.page import PageView, render_page
from fhir_adapter.record import Gap, GapReason, Note
from tests.explain.examples import NOTE, SEEN_AT, drawn_film, record, source, view
from tests.explain.findings import checked_view
from tests.explain.html_reader import Reader, note_of

HOSTILE = """<script>alert("x")</script> {{ 7 * 7 }} {% raw %} <img src=x onerror=alert(1)> ' " & fever </mark></div>"""


def with_note(text: str, title: str = "") -> PageView:
    return view(record(notes=(Note(text, title, SEEN_AT, source("DocumentReference/n")),)))


def with_row(page: PageView, key: str, **changes: Any) -> PageView:
    rows = tuple(replace(row, **changes) if row.key == key else row for row in page.explanation.measurements)
    return replace(page, explanation=replace(page.explanation, measurements=rows))


def row_of(page: PageView, key: str) -> str:
    found = re.search(rf'<tr role="row" id="value-{key}".*?</tr>', render_page(page), re.DOTALL)
    assert found
    return Reader(found[0]).text


def test_note_text_is_shown_to_the_letter() -> None:
    """Markup in a note is text: it is shown, not run, and neither the template language nor HTML touches it."""
    html = render_page(with_note(HOSTILE, HOSTILE))
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert note_of(html) == HOSTILE


@pytest.mark.parametrize(
    "text",
    [
        "\u202eesrever\u202c",
        "fever " * 20_000,
        "x" * 100_000,
        "\x00\x0b\ufffd",
        "{% endblock %}{{ view }}",
        "חום ושיעול. אין צפצופים",
        "fever\r\ncough\u2028wheeze",
    ],
    ids=["override", "huge", "one word", "control", "template", "right to left", "line ends"],
)
def test_odd_notes_are_whole(text: str) -> None:
    """A huge, right-to-left or broken note gives a whole page that holds it to the letter."""
    html = render_page(with_note(text))
    assert Reader(html).open == []
    assert note_of(html) == text


@pytest.mark.parametrize("text", ["", "   \n\t"])
def test_empty_note_is_called_empty(text: str) -> None:
    """A note without a word is not an empty box: the page says that it is empty."""
    page = Reader(render_page(with_note(text)))
    assert "The note is empty: it holds no words." in page.text
    assert not re.search("No marks|No words of the note", page.text)


def test_end_of_a_long_note_is_folded_away() -> None:
    """Of a note of a million characters the page shows a few pages, and says how much is behind the fold."""
    html = render_page(with_note("Cough and fever for days. " * 40_000))
    assert re.search(r"<summary>The rest of the note: 1,03\d,\d{3} characters, without marks</summary>", html)
    assert len(re.findall(r'<div class="block"', html)) > 200


def test_marks_of_a_long_note_are_before_the_fold() -> None:
    """What the model marked is shown at once, however long the note is."""
    long = Note(NOTE + " Stable." * 100_000, "", SEEN_AT, source("DocumentReference/n"))
    html = render_page(checked_view(record(notes=(long,))))
    assert html.index("crackles right base") < html.index('<details class="rest">')


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_value_that_is_no_number_is_called_so(value: float) -> None:
    """No number is invented for a value that is none: no scale, no level, and the word for it."""
    shown = row_of(with_row(view(), "spo2", value=value, outside=False), "spo2")
    assert "not a number" in shown
    assert not re.search(r"nan|inf", shown)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((float("nan"), 41.0, 96.0), "2 readings, from 41 mg/L"),
        ((float("inf"), 41.0, 96.0), "1 entry that is no number left out"),
        ((float("nan"), float("-inf"), 96.0), "no course"),
        ((1e308, -1e308, 96.0), "3 readings"),
        ((96.0,), "one value"),
        ((), "one value"),
        ((5.0, 5.0, 5.0), "3 readings, from 5 mg/L"),
    ],
)
def test_history_with_odd_values(values: tuple[float, ...], said: str) -> None:
    """Readings that are no numbers are left out of the plot and counted; nothing but numbers reaches the drawing."""
    history = tuple(Reading(value, datetime(2026, 11, 20 + day, tzinfo=UTC), "") for day, value in enumerate(values))
    page = with_row(view(), "crp", history=history)
    assert said in row_of(page, "crp")
    assert not re.search(r'(?:points|cx|cy|y|height|x|width)="[^"]*(?:nan|inf)', render_page(page))


def test_names_lose_their_control_characters() -> None:
    """A title, view or source cannot turn the text beside it around, nor break a line."""
    page = with_note("fever", "Letter\u202e\x00\x1b[31m\r\nof\u2066 today")
    image: Any = page.explanation.image
    image = replace(image, view="A\u202eP\x07")
    html = render_page(replace(page, explanation=replace(page.explanation, image=image)))
    assert "<bdi>Letter [31m of today</bdi>" in html
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", html)


def test_gaps_are_escaped() -> None:
    """A gap's words are text, too."""
    gap = Gap("text", "clinical note", GapReason.FAILED, "<b>bold</b>\u202e")
    html = render_page(view(record(gaps=(gap,))))
    assert "&lt;b&gt;bold&lt;/b&gt;" in html
    assert "\u202e" not in html


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_film_of_one_grey_level(level: float) -> None:
    """A film without any content is shown as it is, on a whole page."""
    film = replace(drawn_film(), pixels=np.full((40, 50), level, np.float32))
    page = Reader(render_page(view(record(films=(film,)))))
    assert page.open == []
    assert "/pages/abc/film.png" in [attributes.get("src") for _, attributes in page.elements]


def test_no_film_and_no_note_can_still_be_tested() -> None:
    """What was not given has no evidence test, and the page does not break over it."""
    page = Reader(render_page(checked_view(record(films=(), notes=()))))
    assert page.open == []
    assert "beats 18 of 20" in page.text


def test_rows_of_unknown_keys_are_shown() -> None:
    """A measurement in no clinical group, and without a scale, is still a row."""
    page = checked_view()
    strange = MeasurementEvidence("lactate", "Lactate\u202e", 2.0, "mmol/L", None, 0.1, False, SEEN_AT, "Observation/l")  # noqa: FBT003
    rows = (*page.explanation.measurements, strange)
    page = replace(page, explanation=replace(page.explanation, measurements=rows))
    assert row_of(page, "lactate").strip().startswith("Lactate")
