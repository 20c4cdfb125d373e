"""The explanation page in headless Chromium, under the policy it is served with."""

import pytest
from playwright.sync_api import Page

from tests.browser.explanation_site import views
from tests.browser.visits import Visit

pytestmark = pytest.mark.browser


ALL = [*views(), "/gone", "/attributes", "/no-attributes"]
SCREENS = [
    {"viewport": {"width": 1440, "height": 900}},
    {"viewport": {"width": 900, "height": 900}, "color_scheme": "dark"},
    {"viewport": {"width": 400, "height": 800}},
    {"viewport": {"width": 320, "height": 700}},
]


@pytest.mark.parametrize("visit", SCREENS, indirect=True, ids=["wide", "dark", "phone", "zoomed"])
@pytest.mark.parametrize("path", ALL)
def test_pages_keep_to_the_policy_and_the_window(visit: Visit, path: str) -> None:
    """No page breaks the policy, logs an error, asks another host, or needs sideways scrolling at any width."""
    page = visit.open(path)
    width, window = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= window


def test_hostile_note_is_text(visit: Visit) -> None:
    """Markup in a note is shown as text and never run."""
    page = visit.open("/hostile")
    assert page.title() == "Why this card? · mllm-cds"
    assert "<script>" in page.locator(".note").inner_text()


def opacity(page: Page) -> float:
    return float(page.locator("#heat").evaluate("heat => getComputedStyle(heat).opacity"))


def test_slider_moves_by_keyboard(visit: Visit) -> None:
    """The arrow keys change how strongly the heat map covers the film, and the value is spoken."""
    page = visit.open("/tested")
    before = opacity(page)
    page.locator("#opacity").focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    assert opacity(page) == pytest.approx(before - 0.15)
    assert page.locator("#opacity-value").inner_text() == "55 %"


def test_slider_reaches_both_ends(visit: Visit) -> None:
    """Home hides the heat map, End shows it fully."""
    page = visit.open("/tested")
    page.locator("#opacity").focus()
    page.keyboard.press("Home")
    assert opacity(page) == 0.0
    page.keyboard.press("End")
    assert opacity(page) == 1.0


def test_original_hides_the_heat_map_and_brings_it_back(visit: Visit) -> None:
    """Original shows the bare film; pressed again, the heat map is as it was."""
    page = visit.open("/tested")
    before = opacity(page)
    button = page.get_by_role("button", name="Original")
    button.press("Space")
    assert (opacity(page), button.get_attribute("aria-pressed")) == (0.0, "true")
    button.press("Space")
    assert (opacity(page), button.get_attribute("aria-pressed")) == (before, "false")


def test_moving_the_slider_ends_original(visit: Visit) -> None:
    """Whoever moves the slider wants to see the heat map again."""
    page = visit.open("/tested")
    page.get_by_role("button", name="Original").click()
    page.locator("#opacity").press("ArrowRight")
    assert opacity(page) == pytest.approx(0.75)
    assert page.locator("#original").get_attribute("aria-pressed") == "false"


def test_heat_map_lies_on_the_film(visit: Visit) -> None:
    """Film and heat map cover the very same rectangle."""
    page = visit.open("/tested")
    film, heat = (page.locator(f".stack img >> nth={place}").bounding_box() for place in (0, 1))
    assert film is not None
    assert film == pytest.approx(heat, abs=0.5)
    assert film["width"] > 200


def test_every_control_is_reached_by_tab(visit: Visit) -> None:
    """The Tab key reaches every link, the slider, every button and the note, in the order of the page."""
    page = visit.open("/tested")
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
    wanted = ["print", "enlarge", "opacity", "original", "compare", "agree", "disagree"]
    assert [name for name in reached if name in wanted][: len(wanted)] == wanted


def test_agreeing_posts_accepted(visit: Visit) -> None:
    """Agree posts the outcome as JSON, says so, and cannot be pressed twice."""
    page = visit.open("/answer")
    page.get_by_role("button", name="Agree", exact=True).click()
    page.get_by_role("status").get_by_text("recorded").wait_for()
    assert visit.site.posted == [("/pages/abc/feedback", "application/json", {"outcome": "accepted"})]
    assert page.locator("#agree").is_disabled()


def test_disagreeing_posts_the_reason(visit: Visit) -> None:
    """Disagree asks for a reason and a comment, and posts both."""
    page = visit.open("/answer")
    page.get_by_role("button", name="Disagree").press("Enter")
    page.get_by_label("What the model did not have decides").check()
    page.get_by_label("Comment").fill(" tuberculosis contact ")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("status").get_by_text("recorded").wait_for()
    reason = {"reason": {"code": "information-missing"}, "userComment": "tuberculosis contact"}
    assert [body for _, _, body in visit.site.posted] == [{"outcome": "overridden", "overrideReason": reason}]


def test_refused_feedback_can_be_sent_again(visit: Visit) -> None:
    """When the feedback could not be kept, the page says so and lets the reader try again."""
    visit.site.refuses = True
    page = visit.open("/answer")
    page.get_by_role("button", name="Agree", exact=True).click()
    page.get_by_role("status").get_by_text("could not be recorded").wait_for()
    assert page.locator("#agree").is_enabled()
    # The browser itself logs a refused request as an error.
    assert ["503" in said for said in visit.complaints] == [True]
    visit.complaints.clear()


def test_waiting_page_becomes_the_answer(visit: Visit) -> None:
    """The waiting page asks until the answer is there and then shows it, without anybody doing anything."""
    page = visit.open("/waiting")
    assert page.get_by_role("heading", name="The analysis is running").is_visible()
    page.get_by_role("heading", name="Bacterial pneumonia").wait_for()
    assert visit.site.asked == 3


@pytest.mark.parametrize("visit", [{"java_script_enabled": False}], indirect=True)
def test_page_is_complete_without_javascript(visit: Visit) -> None:
    """Without JavaScript the evidence and the heat map are there, and no control that could not work."""
    page = visit.open("/tested")
    assert page.locator("#heat").is_visible()
    assert page.locator(".note mark").count() > 0
    assert page.locator("button:visible, input:visible").count() == 0


def test_print_keeps_the_heat_map_and_drops_the_controls(visit: Visit) -> None:
    """On paper the heat map is there even where it was hidden on screen, and what needs a hand is not."""
    page = visit.open("/tested")
    page.get_by_role("button", name="Original").click()
    page.emulate_media(media="print")
    assert opacity(page) == pytest.approx(0.7)
    assert page.locator("button:visible, input:visible").count() == 0


@pytest.mark.parametrize("path", ["/answer", "/running", "/tested", "/told", "/withdrawn", "/unsure", "/out-of-scope"])
def test_print_is_one_page(visit: Visit, path: str) -> None:
    """A usual case prints on one sheet of A4, whatever its state."""
    pdf = visit.open(path).pdf(format="A4", prefer_css_page_size=True)
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page/") + pdf.count(b"/Type /Page ") == 1


SMALLEST = """
() => Math.min(...[...document.querySelectorAll("body *")]
  .filter((piece) => piece.checkVisibility() && !piece.closest(".hidden, svg"))
  .filter((piece) => [...piece.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()))
  .map((piece) => parseFloat(getComputedStyle(piece).fontSize)))
"""


@pytest.mark.parametrize("path", ["/answer", "/tested"])
def test_print_can_be_read(visit: Visit, path: str) -> None:
    """Nothing on paper is set smaller than 8 points."""
    page = visit.open(path)
    page.emulate_media(media="print")
    assert page.evaluate(SMALLEST) >= 8 * 96 / 72


@pytest.mark.parametrize("path", ["/answer", "/running", "/tested", "/told", "/withdrawn", "/unsure", "/out-of-scope"])
def test_a_usual_case_is_one_screen(visit: Visit, path: str) -> None:
    """On a desktop of 1440 x 900 a usual case is seen whole, without scrolling."""
    assert visit.open(path).evaluate("document.documentElement.scrollHeight") <= 900


def test_enlarge_shows_the_film_as_large_as_the_window_takes(visit: Visit) -> None:
    """Enlarge makes the film larger, with its heat map on it; pressed again, the page is as it was."""
    page = visit.open("/tested")
    film, heat, button = page.locator(".stack img").first, page.locator("#heat"), page.locator("#enlarge")
    before = film.bounding_box()
    button.click()
    large = film.bounding_box()
    assert before is not None
    assert large is not None
    assert large["width"] > 2 * before["width"]
    assert heat.bounding_box() == pytest.approx(large)
    button.click()
    assert film.bounding_box() == pytest.approx(before)


def test_the_earlier_film_comes_beside_this_one(visit: Visit) -> None:
    """Compare shows the earlier film, with the words that the model did not see it."""
    page = visit.open("/answer")
    assert not page.locator("#prior").is_visible()
    page.get_by_role("button", name="Compare with 3 Oct 2026").press("Enter")
    assert page.locator("#prior img").is_visible()
    assert "not seen by the model" in page.locator("#prior").inner_text()


def test_a_million_characters_are_laid_out_in_pieces(visit: Visit) -> None:
    """The rest of a huge note opens at a touch, and the browser lays out only the pieces that are in sight."""
    page = visit.open("/long")
    page.locator(".rest summary").click()
    blocks = page.locator(".rest .block")
    assert blocks.count() > 200
    assert blocks.first.evaluate("block => getComputedStyle(block).contentVisibility") == "auto"
    assert blocks.first.is_visible()


def test_right_to_left_note_reads_from_the_right(visit: Visit) -> None:
    """A Hebrew note runs from the right, and its marks stay in it."""
    page = visit.open("/right-to-left")
    assert page.locator(".note").evaluate("note => getComputedStyle(note).direction") == "rtl"
    assert page.locator("h1").evaluate("title => getComputedStyle(title).direction") == "ltr"
