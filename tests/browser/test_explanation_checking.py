"""The page while the second tier runs: it fills itself, and leaves alone what the reader has done."""

import pytest
from playwright.sync_api import Page

from tests.browser.visits import Visit

pytestmark = pytest.mark.browser


def wait_until(page: Page, state: str) -> None:
    page.locator(f"main[data-checking={state}]").wait_for()


def test_page_fills_itself(visit: Visit) -> None:
    """The page says that it is being checked, asks until it is, and then shows what was found out."""
    page = visit.open("/checking")
    assert page.get_by_text("Being checked. Which parts").is_visible()
    wait_until(page, "done")
    assert page.get_by_text("−31 · random −4 · beats 20 of 20").is_visible()
    assert page.get_by_text("Being checked").count() == 0
    assert page.locator("#news").inner_text() == "The evidence was tested; the page now shows the result."
    assert visit.site.refreshed == 1


def test_what_the_reader_did_stays(visit: Visit) -> None:
    """Opened feedback with its words, focus, enlarged film and scroll are as they were."""
    page = visit.open("/checking")
    page.set_viewport_size({"width": 900, "height": 500})
    page.locator("#enlarge").click()
    page.locator("#disagree").click()
    page.get_by_label("Comment").fill("half a sen")
    page.locator("#feedback").scroll_into_view_if_needed()
    wait_until(page, "done")

    assert page.locator("#enlarge").get_attribute("aria-pressed") == "true"
    assert page.locator("#heat").is_visible()
    assert page.get_by_label("Comment").input_value() == "half a sen"
    assert page.evaluate("document.activeElement.name") == "comment"
    assert page.evaluate("window.scrollY") > 0


def test_focus_within_a_new_part_stays(visit: Visit) -> None:
    """Who stands on a sentence's link by keyboard stands on the same link of the new sentences."""
    page = visit.open("/checking")
    page.locator("#sentence-2 a").focus()
    wait_until(page, "done")
    assert page.evaluate("document.activeElement.closest('li').id") == "sentence-2"
    assert page.locator("#zone-right-lower-zone.lit").count() == 1


def test_lights_work_in_new_parts(visit: Visit) -> None:
    """After the page has filled itself, sentences light their evidence as before."""
    page = visit.open("/checking")
    wait_until(page, "done")
    page.locator("#sentence-3").hover()
    assert page.locator("#value-crp.lit").count() == 1


def test_withdrawn_marks_go(visit: Visit) -> None:
    """Bars that do not beat chance leave the page when that is known, and neither map nor marks come."""
    visit.site.becomes = "/withdrawn"
    page = visit.open("/checking")
    assert page.locator(".pull").first.is_visible()
    wait_until(page, "done")
    assert page.locator("#heat, #opacity, .note mark, .pull").count() == 0
    assert page.get_by_text("Withdrawn.").count() == 3


def test_failed_check_is_said(visit: Visit) -> None:
    """When the evidence could not be tested, the page says that, and keeps its first estimate."""
    visit.site.ends = "failed"
    page = visit.open("/checking")
    wait_until(page, "failed")
    assert page.get_by_text("The evidence could not be tested for this case.").is_visible()
    assert page.locator("#news").inner_text() == "The evidence could not be tested."
    assert page.locator(".pull").first.is_visible()


def test_a_status_that_fails_is_asked_again(visit: Visit) -> None:
    """A server that stumbles once does not end the waiting."""
    visit.site.stumbles = 2
    page = visit.open("/checking")
    wait_until(page, "done")
    # The browser itself logs a refused request as an error.
    assert all("503" in said for said in visit.complaints)
    visit.complaints.clear()


@pytest.mark.parametrize("visit", [{"java_script_enabled": False}], indirect=True)
def test_without_javascript_it_says_to_reload(visit: Visit) -> None:
    """Without JavaScript a plain sentence says what to do; nothing claims that the page fills itself."""
    page = visit.open("/running")
    assert page.get_by_text("Reload the page in a few seconds to see the result.").is_visible()
    assert not page.get_by_text("This page fills itself.").is_visible()
