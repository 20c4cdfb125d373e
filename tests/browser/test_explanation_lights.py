"""Sentences and their evidence light each other, by mouse and by keyboard."""

import pytest
from playwright.sync_api import Page

from tests.browser.visits import Visit

pytestmark = pytest.mark.browser


def lit(page: Page) -> set[str]:
    """Return the ids and places of what is lit."""
    names = "pieces => pieces.map(piece => piece.id || `${piece.closest('svg').getAttribute('class')} of the film`)"
    return set(page.locator(".lit").evaluate_all(names))


def test_a_sentence_on_values_lights_its_rows(visit: Visit) -> None:
    """A sentence lights the rows that it names, itself, and nothing else."""
    page = visit.open("/answer")
    page.locator("#sentence-3").hover()
    assert lit(page) == {"sentence-3", "value-crp", "value-wbc", "value-neutrophils"}


def test_a_sentence_on_the_film_lights_its_zones(visit: Visit) -> None:
    """A sentence on the film lights the regions that it names, in the list and on the film itself."""
    page = visit.open("/tested")
    page.locator("#sentence-2 a").focus()
    assert {"zone-right-lower-zone", "zone-right-middle-zone", "zones of the film"} < lit(page)


def test_a_sentence_lights_all_three_panels(visit: Visit) -> None:
    """A narrator's sentence on film and blood lights both; the one on what speaks against, words and rows."""
    page = visit.open("/told")
    page.locator("#sentence-2").hover()
    assert {"zone-right-lower-zone", "value-crp", "value-wbc"} < lit(page)


def test_a_sentence_lights_exactly_the_words_it_quotes(visit: Visit) -> None:
    """Only the marks whose words a sentence quotes are lit."""
    page = visit.open("/tested")
    page.locator("#sentence-5").hover()
    words = page.locator(".note mark.lit").all_inner_texts()
    assert [text for text in words if "heeze" in text or "nose" in text or "cold" in text] == words
    assert len(words) == 3


def test_evidence_lights_its_sentence(visit: Visit) -> None:
    """Pointed at, a row lights the sentence that names it; a row that none names lights itself alone."""
    page = visit.open("/answer")
    page.locator("#value-wbc").hover()
    assert lit(page) == {"value-wbc", "sentence-3"}
    page.locator("#value-platelets").hover()
    assert lit(page) == {"value-platelets"}


def test_a_focused_mark_lights_its_sentence_and_says_what_it_weighs(visit: Visit) -> None:
    """By keyboard, too, a mark lights its sentence; under the note stands what taking it away does."""
    page = visit.open("/tested")
    mark = page.locator(".note mark", has_text="crackles")
    mark.focus()
    assert "sentence-4" in lit(page)
    assert page.locator("#pointed").inner_text() == "“crackles right base”: symptom · taken away: −5 points"


def test_light_goes_back_to_the_keyboard(visit: Visit) -> None:
    """When the mouse has passed, what the keyboard is on is lit again; nothing else stays lit."""
    page = visit.open("/answer")
    page.locator("#sentence-3 a").focus()
    page.locator("#value-platelets").hover()
    page.locator("h1").hover()
    assert "sentence-3" in lit(page)
    page.locator("#print").focus()
    assert lit(page) == set()


def test_lit_words_are_brought_into_sight(visit: Visit) -> None:
    """A quoted mark that lies outside the note's window is scrolled into it, and the page stays where it is."""
    page = visit.open("/tested")
    page.locator(".note").evaluate("note => note.style.setProperty('max-height', '60px')")
    page.locator("#sentence-4 a").focus()
    note = page.locator(".note").bounding_box()
    marks = [mark.bounding_box() for mark in page.locator(".note mark.lit").all()]
    assert note is not None
    assert any(mark and note["y"] <= mark["y"] <= note["y"] + note["height"] for mark in marks)
    assert page.evaluate("window.scrollY") == 0
