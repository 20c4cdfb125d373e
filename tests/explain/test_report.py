import re
from dataclasses import replace
from io import BytesIO
from typing import Any

import pypdf
import pytest

from explain.evidence import Claim
from explain.report.letters import MISSING, MISSING_SENTENCE, settable
from explain.report.page import render_report
from explain.report.view import ReportView
from inference.prediction import Verdict
from tests.explain import examples
from tests.explain.fhir.told import VARIANTS, told

A4_POINTS = (595, 842)


def view(name: str = "answer", **changes: Any) -> ReportView:
    """Return the report of one of the variants; changes are those of its explanation."""
    one = told(name)
    explanation = replace(one.explanation, **changes)
    pictures = (explanation.image.film_png, explanation.image.heat_png) if explanation.image else (b"", b"")
    return ReportView(one.prediction, explanation, one.card, one.computed_at, *pictures)


def read(report: ReportView) -> pypdf.PdfReader:
    return pypdf.PdfReader(BytesIO(render_report(report)), strict=True)


def words(report: ReportView) -> str:
    """Return what can be selected on the page, on one line."""
    return " ".join(read(report).pages[0].extract_text().split())


@pytest.mark.parametrize("name", VARIANTS)
def test_report_is_one_a4_page(name: str) -> None:
    """With every verdict, with or without film and note, there is one page."""
    pages = read(view(name)).pages

    assert len(pages) == 1
    assert (round(pages[0].mediabox.width), round(pages[0].mediabox.height)) == A4_POINTS


def test_answer_and_evidence_can_be_selected() -> None:
    """The answer, the set, the sentences with their sources, the values with their ranges are text."""
    shown = words(view())
    wanted = (
        "Bacterial pneumonia: 93 %", "90 % prediction set: Bacterial pneumonia", "crackles right base",
        "Observation/crp-1/_history/2", "96 mg/L (high)", "4.8–12.3", examples.CARD.intended_use, examples.DIGEST,
        examples.CARD.simulated,
    )  # fmt: skip

    assert [part for part in wanted if part not in shown] == []


def test_out_of_scope_shows_no_figure() -> None:
    """What was not assessed says why, and gives no probability."""
    shown = words(view("out of scope"))

    assert "Not assessed" in shown
    assert "The patient is an adult" in shown
    assert "prediction set" not in shown


def test_unsure_says_so_before_the_diagnosis() -> None:
    """An answer that is not sure is never printed as one that is."""
    assert "Unsure, leaning towards bacterial pneumonia: 93 %" in words(view("unsure"))


def test_untested_evidence_says_so() -> None:
    """Before the second tier nothing is claimed of the marks; afterwards the figures stand."""
    assert "has not been measured" in words(view())
    assert "beats 20 of 20" in words(view("tested"))


def pictures(report: ReportView) -> int:
    """Return how many bytes of colour the printed film holds: grey has equal channels."""
    (film,) = read(report).pages[0].images
    assert film.image is not None
    red, _, blue = film.image.convert("RGB").split()
    return sum(abs(one - other) > 40 for one, other in zip(red.tobytes(), blue.tobytes(), strict=True))


@pytest.mark.parametrize(("name", "coloured"), [("answer", True), ("withdrawn", False), ("out of scope", False)])
def test_heat_map_is_printed_where_it_holds(name: str, coloured: bool) -> None:  # noqa: FBT001
    """The film carries its marks; where they were withdrawn, or nothing was assessed, it is printed without."""
    assert (pictures(view(name)) > 1000) is coloured


def test_withdrawn_marks_are_said() -> None:
    """A film whose marks are gone says why they are."""
    assert "was withdrawn" in words(view("withdrawn"))


@pytest.mark.parametrize(("name", "sentence"), [("no film", "no radiograph"), ("no note", "without a note")])
def test_what_is_not_there_is_said(name: str, sentence: str) -> None:
    """A missing film or note is named."""
    assert sentence in words(view(name))


def test_test_data_is_called_so() -> None:
    """The chart of no real person is marked on paper too."""
    assert "Test data." in words(view(test_data=True))


def saying(sentence: str) -> ReportView:
    return view(claims=(Claim(sentence, "for", "text", ()),), missing=())


@pytest.mark.parametrize(
    "sentence",
    [
        "Fever <b>39.4</b> & <para>cough</para> <img src='x'/> &lt; &#0; ]]>",
        "Größe 5 µg, Ωμέγα, Жар и кашель, žluťoučký kůň",
        "x" * 400,
        "",
    ],
    ids=["markup", "scripts", "one long word", "nothing"],
)
def test_words_of_a_note_are_printed_as_they_are(sentence: str) -> None:
    """Markup is text, Greek and Cyrillic are set, and a word longer than the line breaks nothing."""
    assert "".join(sentence.split()) in re.sub(r"\s", "", words(saying(sentence)))


@pytest.mark.parametrize("foreign", ["سعال وحمى", "שיעול וחום", "खाँसी और बुखार", "咳嗽和发烧", "ไอ และ ไข้"])
def test_script_that_cannot_be_set_is_said(foreign: str) -> None:
    """Right-to-left, joined and missing letters are replaced by one sign, and the page explains it."""
    shown = words(saying(f"In the note, “{foreign}” speaks for it."))

    assert f"“{MISSING}” speaks for it." in shown
    assert MISSING_SENTENCE in shown


def test_direction_signs_are_left_out() -> None:
    """A sign that would turn the sentence around is not printed."""
    assert settable("a\u202eb\u200f c\x07") == "ab c"


def test_too_much_is_set_smaller() -> None:
    """A hundred sentences stay on the page, the last one whole."""
    claims = tuple(Claim(f"Sentence {number} of the claims is here.", "neutral", None, ()) for number in range(100))

    assert "Sentence 99 of the claims is here." in words(view(claims=claims))
    assert len(read(view(claims=claims)).pages) == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_value_that_is_no_number_is_said(value: float) -> None:
    """A value that is not a number breaks nothing and is called what it is."""
    rows = tuple(replace(row, value=value) if row.key == "crp" else row for row in told().explanation.measurements)

    assert "not a number" in words(view(measurements=rows))


def test_title_names_model_and_moment_in_both_forms() -> None:
    """The document has a title, in its information and as XMP, with nothing of patient or answer in it."""
    document = read(view())
    title = "Explanation by paediatric-pneumonia 1.0, 24 Nov 2026, 08:14 UTC"

    assert document.metadata is not None
    assert document.xmp_metadata is not None
    assert document.metadata.title == title
    assert document.xmp_metadata.dc_title == {"x-default": title}


def test_same_explanation_is_the_same_file() -> None:
    """Nothing in the file depends on when it was printed: a second export is the first."""
    assert render_report(view()) == render_report(view())


def test_empty_prediction_set_is_said() -> None:
    """A set that holds nothing is called empty."""
    nothing = replace(told().prediction, prediction_set=(), verdict=Verdict.UNSURE, reasons=("None fits.",))

    assert "prediction set: empty" in words(replace(view(), prediction=nothing))
