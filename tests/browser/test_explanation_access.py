"""The pages for everybody: WCAG 2.2 AA, by axe-core in headless Chromium and by our own measure of contrast."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.explanation_site import views
from tests.browser.visits import Visit

pytestmark = pytest.mark.browser

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
PAGES = [*views(), "/gone", "/waiting", "/attributes", "/no-attributes"]
SCREENS = [
    {"color_scheme": "light"},
    {"color_scheme": "dark", "viewport": {"width": 900, "height": 900}},
    {"color_scheme": "light", "viewport": {"width": 400, "height": 800}},
]
NAMES = ["light", "dark", "phone"]


def violations(visit: Visit) -> list[str]:
    """Return what axe-core finds, one line for each element."""
    found = Axe().run(visit.page, options=RULES).response["violations"]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("visit", SCREENS, indirect=True, ids=NAMES)
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(visit: Visit, path: str) -> None:
    """No page in any state breaks a rule of WCAG 2.2 A or AA that a machine can check, on any screen."""
    visit.open(path)
    assert violations(visit) == []


def test_axe_can_find_something(visit: Visit) -> None:
    """The tool that finds nothing below would have found a picture without words and grey on grey."""
    page = visit.open("/gone")
    page.evaluate("document.querySelector('main').innerHTML += '<img src=\"data:,\"><p class=bad>grey on grey</p>'")
    page.evaluate("document.querySelector('.bad').style.color = '#bbb'")
    assert {found.split(":")[0] for found in violations(visit)} >= {"image-alt", "color-contrast"}


@pytest.mark.parametrize("visit", SCREENS, indirect=True, ids=NAMES)
def test_axe_finds_nothing_in_opened_parts(visit: Visit) -> None:
    """With everything opened, pressed and pointed at, axe-core still finds nothing."""
    page = visit.open("/tested")
    for name in ("enlarge", "compare", "disagree"):
        page.locator(f"#{name}").click()
    for summary in page.locator("summary").all():
        summary.click()
    page.locator(".claims li").nth(1).hover()
    assert violations(visit) == []


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


@pytest.mark.parametrize("visit", SCREENS[:2], indirect=True, ids=NAMES[:2])
@pytest.mark.parametrize("path", PAGES)
def test_text_has_enough_contrast(visit: Visit, path: str) -> None:
    """All text has a contrast of 4.5 to 1 or more (WCAG 2.2, 1.4.3), light and dark."""
    assert visit.open(path).evaluate(CONTRAST) == []


SMALL_TARGETS = """
() => [...document.querySelectorAll("button, input, summary, nav a, select, textarea")]
  .filter((target) => target.checkVisibility() && target.type !== "radio")
  .filter((target) => Math.min(target.getBoundingClientRect().width, target.getBoundingClientRect().height) < 24)
  .map((target) => target.outerHTML.slice(0, 100))
"""


@pytest.mark.parametrize("visit", SCREENS[1:3], indirect=True, ids=NAMES[1:3])
def test_targets_are_large_enough(visit: Visit) -> None:
    """Every control measures 24 x 24 pixels or more (WCAG 2.2, 2.5.8)."""
    assert visit.open("/tested").evaluate(SMALL_TARGETS) == []


@pytest.mark.parametrize("visit", [{"reduced_motion": "reduce"}], indirect=True)
@pytest.mark.parametrize("path", ["/running", "/waiting"])
def test_nothing_moves_where_motion_is_unwanted(visit: Visit, path: str) -> None:
    """Who asks for less motion gets none."""
    page = visit.open(path)
    assert page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("path", ["/tested", "/withdrawn"])
def test_signs_and_words_say_what_colours_say(visit: Visit, path: str) -> None:
    """Without colours every direction and every verdict can still be read."""
    page = visit.open(path)
    for figure in page.locator(".pull .figure, .shares span.for, .shares span.against").all_inner_texts():
        assert figure[0] in "+−0"
    verdicts = page.locator(".shares .verdict-of b").all_inner_texts()
    assert set(verdicts) <= {"✓", "✗"}
    assert len(verdicts) == 3
