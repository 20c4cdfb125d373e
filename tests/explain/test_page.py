"""The HTML pages."""

import re
from dataclasses import replace
from typing import Any

import pytest
from jinja2 import UndefinedError

from explain.attributes import SourceAttributes
from explain.page import (
    CONTENT_SECURITY_POLICY,
    DISAGREE_REASONS,
    STATIC_DIR,
    PageView,
    _environment,
    render_attributes,
    render_gone,
    render_page,
    render_waiting,
    tied,
)
from fhir_adapter.record import Note
from tests.explain.examples import CARD, DIGEST, NOTE, OUT_OF_SCOPE, SEEN_AT, UNSURE, record, source, view
from tests.explain.findings import REFUSED, TOLD, checked_view, failing
from tests.explain.html_reader import Reader, note_of

HOSTILE = """<script>alert("x")</script> {{ 7 * 7 }} {% raw %} <img src=x onerror=alert(1)> ' " & fever </mark></div>"""


def read(page: PageView) -> Reader:
    return Reader(render_page(page))


PAGES: dict[str, PageView] = {
    "answer": view(),
    "unsure": view(**UNSURE),
    "out of scope": view(**OUT_OF_SCOPE),
    "no film": view(record(films=())),
    "no note": view(record(notes=())),
    "no measurements": view(record(measurements=())),
    "tested": checked_view(),
    "running": replace(view(), checking="running", status_url="/pages/abc/status"),
    "failed": replace(view(), checking="failed"),
    "withdrawn": checked_view(**failing("image", "text", "structured")),
    "told": checked_view(told=TOLD),
    "refused": checked_view(told=REFUSED),
    "nothing": view(record(films=(), notes=(), measurements=(), gaps=())),
    "out of scope, nothing": view(record(films=(), notes=(), measurements=()), **OUT_OF_SCOPE),
    "hostile": view(record(notes=(Note(HOSTILE, HOSTILE, SEEN_AT, source("DocumentReference/<b>")),))),
}


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_well_formed(name: str) -> None:
    """Whatever is missing or hostile, every element is closed in order and every id is used once."""
    page = read(PAGES[name])
    assert page.open == []
    assert len(page.ids()) == len(set(page.ids()))


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_inline(name: str) -> None:
    """No inline script, style or handler, so that the strict policy holds."""
    for tag, attributes in read(PAGES[name]).elements:
        assert tag != "style"
        assert tag != "script" or attributes.get("src")
        assert not any(key == "style" or key.startswith("on") for key in attributes)


@pytest.mark.parametrize("name", PAGES)
def test_nothing_comes_from_another_host(name: str) -> None:
    """Every address on the page is on the same host or within the page."""
    for _, attributes in read(PAGES[name]).elements:
        for key in ("src", "href", "action"):
            assert (attributes.get(key) or "#").startswith(("/static/", "/pages/abc/", "#", "data:,"))


@pytest.mark.parametrize("name", PAGES)
def test_labels_lead_somewhere(name: str) -> None:
    """Every label, description and link within the page points to an element that is there."""
    page = read(PAGES[name])
    for _, attributes in page.elements:
        targets = [attributes.get(key) for key in ("aria-labelledby", "aria-describedby", "aria-controls", "for")]
        targets.append((attributes.get("href") or "")[1:] if (attributes.get("href") or "").startswith("#") else None)
        assert {target for target in targets if target} <= set(page.ids())


def test_marks_carry_sign_and_word() -> None:
    """A mark says by sign and by word which way it pulls, not by colour alone."""
    html = render_page(PAGES["tested"])
    marks = re.findall(r'<mark id[^>]*class="(for|against)[^"]*">(.*?)</mark>', html)
    assert {"for", "against"} == {direction for direction, _ in marks}
    assert all(
        ("+" if direction == "for" else "−") in body and f"speaks {direction}" in body for direction, body in marks
    )


def test_marks_say_what_their_words_name() -> None:
    """A mark names the kind of its entities, whether the note denies them, and whether they are about someone else."""
    marks = re.findall(r"<mark id.*?</mark>", render_page(PAGES["tested"]))
    said = {re.sub(r'<small class="ref">.*?</small>|<.*?>|\[speaks [^:]*: |\]', "", mark).strip() for mark in marks}

    assert {"−No wheeze symptom, denied", "+crackles right base symptom"} <= said
    assert any(words.endswith("cold disease, about someone else or the past") for words in said)


def test_negation_is_marked_whole() -> None:
    """The page marks "No wheeze", never "wheeze"."""
    assert re.search(r"<mark[^>]*>(?:<span[^>]*>[^<]*</span>)*<bdi>No wheeze", render_page(PAGES["tested"]))


@pytest.mark.parametrize(
    "text",
    [
        "Bacterial pneumonia: 93 %",
        "Viral pneumonia 5 % outside the set",
        "90 % prediction set: Bacterial pneumonia.",
        "In 90 % of cases like those it was calibrated on",
        "With nothing to go on 40 %",
        "C-reactive protein",
        "96 mg/L ▲ high",
        "92 % ▼ low",
        "normal 4.8–12.3",
        "Procalcitonin: not on file",
        "Observation/crp-1/_history/2",
        "Computed 24 Nov 2026, 08:14 UTC",
        "Not tested for this case.",
        DIGEST,
        "paediatric-pneumonia 1.0",
        CARD.simulated,
        CARD.intended_use,
        CARD.scope,
        *CARD.not_for,
    ],
)
def test_what_an_answer_shows(text: str) -> None:
    """The page shows the answer, its set, what moved it, the evidence, the gaps and what the model is for."""
    assert text in read(PAGES["answer"]).text


def test_out_of_scope_shows_no_figure_of_the_model() -> None:
    """Out of scope there is no probability, no diagnosis, no share, no mark, no heat and no normal range."""
    page = read(PAGES["out of scope"])
    assert "Not assessed" in page.text
    assert "The patient is an adult" in page.text
    assert not {"mark"} & {tag for tag, _ in page.elements}
    assert not {"heat", "opacity", "shares-title"} & set(page.ids())
    assert not re.search(r"prediction set|Bacterial pneumonia:|Normal range|▲|▼", page.text)


def test_out_of_scope_still_shows_what_was_received() -> None:
    """Out of scope the film, the note and the values are there to be read."""
    page = read(PAGES["out of scope"])
    assert "/pages/abc/film.png" in [attributes.get("src") for _, attributes in page.elements]
    assert "crackles right base" in page.text
    assert "39.2 °C" in page.text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("no film", "The model had no radiograph."),
        ("no film", "Radiograph not given"),
        ("no note", "The model had no note."),
        ("nothing", "Nothing that it takes was missing."),
        ("unsure", "Unsure, leaning towards bacterial pneumonia: 93 %"),
        ("unsure", "Bacterial and viral pneumonia cannot be told apart"),
    ],
)
def test_what_is_not_there_is_said(name: str, text: str) -> None:
    """What is missing or undecided stands on the page in words."""
    assert text in read(PAGES[name]).text


def test_cut_note_says_so() -> None:
    """A note that the model did not read to its end says so."""
    whole = PAGES["answer"]
    assert whole.explanation.note is not None
    cut = replace(whole.explanation, note=replace(whole.explanation.note, truncated=True))
    assert "Its end was not seen" in read(replace(whole, explanation=cut)).text


@pytest.mark.parametrize("held", [True, False])
def test_what_was_not_read_of_a_note_is_shown_as_such(held: bool) -> None:  # noqa: FBT001 - a table's column
    """What the model left out stands in its place, is called not read, and counted."""
    whole = PAGES["answer"].explanation
    assert whole.note is not None
    end = whole.note.text.index(" ")
    spans = tuple(span for span in whole.note.spans if span.start >= end) if held else ()
    note = replace(whole.note, truncated=True, spans=spans, unread=((0, end),))
    page = read(replace(PAGES["answer"], explanation=replace(whole, note=note)))

    assert f"not read {note.text[:end]}" in page.text
    assert f"was not read: {end} of {len(note.text)} characters" in page.text


def test_an_empty_prediction_set_is_said() -> None:
    """A set without any diagnosis is called empty."""
    assert "90 % prediction set: empty." in read(view(prediction_set=())).text


def test_feedback_can_be_left_out() -> None:
    """Without an address for feedback, none is asked for."""
    assert "feedback" not in read(replace(PAGES["answer"], feedback_url=None)).ids()


def test_feedback_offers_every_reason() -> None:
    """Each reason to disagree can be chosen by its code."""
    values = [attributes.get("value") for tag, attributes in read(PAGES["answer"]).elements if tag == "input"]
    assert {code for code, _ in DISAGREE_REASONS} <= set(values)


def test_a_name_that_does_not_exist_is_an_error() -> None:
    """A misspelt name in a template is an error, never an empty space on the page."""
    with pytest.raises(UndefinedError):
        _environment().from_string("{{ card.scpoe }}").render(card=CARD)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at 93 %;", "at 93\u00a0%;"),
        ("14.0 × 10⁹/L (high; normal 4.8)", "14.0\u00a0×\u00a010⁹/L (high; normal 4.8)"),
        ("96 mg/L and 39.2 °C", "96\u00a0mg/L and 39.2\u00a0°C"),
        ("9 measurements", "9 measurements"),
        ("24 Nov 2026", "24 Nov 2026"),
    ],
)
def test_figure_and_unit_stay_on_one_line(text: str, shown: str) -> None:
    """No line break parts a figure from its unit."""
    assert tied(text) == shown


def test_waiting_page() -> None:
    """The waiting page knows where to ask, and loads itself again without JavaScript."""
    page = Reader(render_waiting('/pages/abc/status?"><script>'))
    assert page.open == []
    assert ("main", {"class": "alone", "data-status-url": '/pages/abc/status?"><script>'}) in page.elements
    assert ("meta", {"http-equiv": "refresh", "content": "3"}) in page.elements


def test_gone_page() -> None:
    """A dead link tells what to do."""
    page = Reader(render_gone())
    assert page.open == []
    assert "Open the patient’s chart again" in page.text


def test_every_asset_is_there() -> None:
    """Every file that a page asks for is in the folder that is served."""
    pages = [render_page(PAGES["running"]), render_waiting("/s"), render_gone()]
    asked = {name for html in pages for name in re.findall(r'"/static/([^"]+)"', html)}
    assert asked == {path.name for path in STATIC_DIR.iterdir()}


def test_policy_allows_nothing_inline() -> None:
    """The policy denies by default and allows no inline code."""
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'")
    assert "unsafe" not in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize("name", ["answer", "tested", "withdrawn", "out of scope"])
def test_the_whole_note_is_there(name: str) -> None:
    """The page holds every word of the note, marked or not."""
    assert note_of(render_page(PAGES[name])) == NOTE


def test_view_takes_what_the_store_gives() -> None:
    """Pictures live in their own files: a page is rendered from an explanation whose pictures are empty."""
    image: Any = PAGES["answer"].explanation.image
    light = replace(PAGES["answer"].explanation, image=replace(image, film_png=b"", heat_png=b""))
    assert render_page(replace(PAGES["answer"], explanation=light)) == render_page(PAGES["answer"])


def test_made_up_patients_are_called_so() -> None:
    """The page of a chart that is marked as test data says so at the top; other pages do not."""
    chart = record()
    made_up = replace(chart, demographics=replace(chart.demographics, test_data=True))

    assert "Test data." in render_page(view(made_up))
    assert "Test data." not in render_page(view())


def test_links_and_buttons_are_there_where_they_lead_somewhere() -> None:
    """Each other form of the page has a link; without its address there is none."""
    whole = PAGES["answer"]
    bare = replace(whole, attributes_url="", fhir_url="", report_url="", dicom_url="")
    names = {"Intended use and source attributes", "Data as FHIR", "Report as PDF", "Heat map as DICOM"}
    assert all(name in read(whole).text for name in names)
    assert not any(name in read(bare).text for name in names)


def test_prior_film_is_called_unseen() -> None:
    """The earlier film has its date, and says that the model did not see it; without one there is no such button."""
    page = read(PAGES["answer"])
    assert "Compare with 3 Oct 2026" in page.text
    assert "3 Oct 2026, 08:05: not seen by the model" in page.text
    assert "compare" not in read(replace(PAGES["answer"], prior_url="")).ids()


def test_attributes_page() -> None:
    """Scope, limits and the simulation stand above the source attributes; where there are none, it says why."""
    page = Reader(render_attributes(CARD, SourceAttributes((), "This checkpoint carries none.")))
    assert page.open == []
    assert all(text in page.text for text in (CARD.scope, CARD.intended_use, *CARD.not_for, CARD.simulated, DIGEST))
    assert "This checkpoint carries none." in page.text
