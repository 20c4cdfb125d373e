"""The explanation page in headless Chromium, under the policy it is served with."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from tests.browser.explanation_site import Site, serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def served() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def site(served: Site) -> Site:
    served.posted.clear()
    served.refuses, served.asked = False, 0
    return served


@dataclass
class Visit:
    """One tab, and everything in it that must not happen."""

    page: Page
    site: Site
    complaints: list[str]

    def open(self, path: str) -> Page:
        """Open a page of the site and wait until its pictures are there."""
        self.page.goto(self.site.address + path, wait_until="load")
        return self.page


def watch(page: Page, address: str) -> list[str]:
    """Return a list that fills with every violation, console error, missing file and request to another host."""
    complaints: list[str] = []

    def hear(said: ConsoleMessage) -> None:
        complaints.extend([said.text] if said.type in {"error", "warning"} else [])

    def follow(request: Request) -> None:
        complaints.extend([] if request.url.startswith((f"{address}/", "data:,")) else [request.url])

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", follow)
    return complaints


@pytest.fixture(params=[{}])
def visit(browser: Browser, site: Site, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Open a tab, and fail the test on anything that `watch` writes down."""
    context = browser.new_context(**{"viewport": {"width": 1320, "height": 900}, **request.param})
    page = context.new_page()
    complaints = watch(page, site.address)
    yield Visit(page, site, complaints)
    context.close()
    assert complaints == []


ALL = ["/answer", "/unsure", "/out-of-scope", "/no-film", "/no-note", "/hostile", "/gone"]
SCREENS = [
    {"viewport": {"width": 1320, "height": 900}},
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
    page = visit.open("/answer")
    before = opacity(page)
    page.locator("#opacity").focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    assert opacity(page) == pytest.approx(before - 0.15)
    assert page.locator("#opacity-value").inner_text() == "55 %"


def test_slider_reaches_both_ends(visit: Visit) -> None:
    """Home hides the heat map, End shows it fully."""
    page = visit.open("/answer")
    page.locator("#opacity").focus()
    page.keyboard.press("Home")
    assert opacity(page) == 0.0
    page.keyboard.press("End")
    assert opacity(page) == 1.0


def test_original_hides_the_heat_map_and_brings_it_back(visit: Visit) -> None:
    """Original shows the bare film; pressed again, the heat map is as it was."""
    page = visit.open("/answer")
    before = opacity(page)
    button = page.get_by_role("button", name="Original")
    button.press("Space")
    assert (opacity(page), button.get_attribute("aria-pressed")) == (0.0, "true")
    button.press("Space")
    assert (opacity(page), button.get_attribute("aria-pressed")) == (before, "false")


def test_moving_the_slider_ends_original(visit: Visit) -> None:
    """Whoever moves the slider wants to see the heat map again."""
    page = visit.open("/answer")
    page.get_by_role("button", name="Original").click()
    page.locator("#opacity").press("ArrowRight")
    assert opacity(page) == pytest.approx(0.75)
    assert page.locator("#original").get_attribute("aria-pressed") == "false"


def test_heat_map_lies_on_the_film(visit: Visit) -> None:
    """Film and heat map cover the very same rectangle."""
    page = visit.open("/answer")
    film, heat = (page.locator(f".stack img >> nth={place}").bounding_box() for place in (0, 1))
    assert film is not None
    assert film == pytest.approx(heat)
    assert film["width"] > 200


def test_a_sentence_lights_its_evidence(visit: Visit) -> None:
    """Focus on a sentence's evidence link outlines the rows it names, and only those."""
    page = visit.open("/answer")
    page.locator(".claims a", has_text="White blood cells").focus()
    lit = page.locator(".lit").evaluate_all("pieces => pieces.map(piece => piece.id)")
    assert lit == ["value-crp", "value-wbc", "value-neutrophils"]


def test_against_lights_marks_against(visit: Visit) -> None:
    """The sentence on what speaks against the answer lights the marks against it, not those for it."""
    page = visit.open("/answer")
    page.locator(".claims li.against").hover()
    lit = page.locator(".note mark.lit")
    assert lit.count() > 0
    assert lit.count() == page.locator(".note mark.against").count()


def test_every_control_is_reached_by_tab(visit: Visit) -> None:
    """The Tab key reaches every link, the slider, every button and the note, in the order of the page."""
    page = visit.open("/answer")
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
    wanted = ["print", "opacity", "original", "agree", "disagree"]
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
    page = visit.open("/answer")
    assert page.locator("#heat").is_visible()
    assert page.locator(".note mark").count() > 0
    assert page.locator("button:visible, input:visible").count() == 0


def test_print_keeps_the_heat_map_and_drops_the_controls(visit: Visit) -> None:
    """On paper the heat map is there even where it was hidden on screen, and what needs a hand is not."""
    page = visit.open("/answer")
    page.get_by_role("button", name="Original").click()
    page.emulate_media(media="print")
    assert opacity(page) == pytest.approx(0.7)
    assert page.locator("button:visible, input:visible").count() == 0


def test_print_is_one_page(visit: Visit) -> None:
    """A usual case prints on one sheet of A4."""
    pdf = visit.open("/answer").pdf(format="A4", prefer_css_page_size=True)
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page/") + pdf.count(b"/Type /Page ") == 1


CONTRAST = """
() => {
  const luminance = ([r, g, b]) => {
    const line = [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * line[0] + 0.7152 * line[1] + 0.0722 * line[2];
  };
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const ground = (piece) => {
    for (let up = piece; up; up = up.parentElement) {
      const colour = parse(getComputedStyle(up).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const piece of document.querySelectorAll("body *")) {
    const own = [...piece.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const shown = piece.checkVisibility() && !piece.closest(".hidden, svg, .skip, noscript, :disabled");
    if (!own || !shown) continue;
    const pair = [luminance(parse(getComputedStyle(piece).color)), luminance(ground(piece))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) poor.push(`${piece.className || piece.tagName} ${ratio.toFixed(2)}`);
  }
  return poor;
}
"""


@pytest.mark.parametrize("visit", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True)
@pytest.mark.parametrize("path", ["/answer", "/unsure", "/out-of-scope", "/gone"])
def test_text_has_enough_contrast(visit: Visit, path: str) -> None:
    """All text has a contrast of 4.5 to 1 or more (WCAG 2.2, 1.4.3), light and dark."""
    assert visit.open(path).evaluate(CONTRAST) == []
