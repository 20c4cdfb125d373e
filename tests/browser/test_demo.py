from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from cds_hooks.store.opening import open_store
from cds_hooks.store.tables import feedback
from tests.browser.watched import Watched, watched
from tests.sandbox.live import Live, live_demo

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_demo(tmp_path_factory.mktemp("demo"), None) as live:
        yield live


@pytest.fixture
def session(browser: Browser) -> Iterator[Watched]:
    with watched(browser) as session:
        yield session


def open_chart(session: Watched, live: Live, patient: str = "demo-t4k1") -> Page:
    page = session.open(f"{live.url}/chart#{patient}")
    page.wait_for_selector("#cards .card")
    return page


def kept_feedback(live: Live, page: Page) -> list[tuple[str, str | None]]:
    """Return outcome and reason of what was stored."""
    store = open_store(live.settings)
    with store.database.read() as connection:
        rows = connection.execute(sa.select(feedback.c.outcome, feedback.c.reason_code)).all()
    store.close()
    return [(row.outcome, row.reason_code) for row in rows]


def test_opening_a_chart_brings_a_card(session: Watched, live: Live) -> None:
    """The hook fires when a chart is opened, and its card is shown beside the record."""
    page = open_chart(session, live)

    expect(page.locator("#chart h1")).to_have_text("Ahlquist, Tilde Marie")
    expect(page.locator("#cards .card h3")).not_to_be_empty()
    expect(page.locator("#wire")).to_contain_text("POST /cds-services/mllm-diagnosis 200")


def test_another_chart_clears_the_cards_at_once(session: Watched, live: Live) -> None:
    """No advice about one patient stays on the screen while another one's chart is open."""
    page = open_chart(session, live)
    page.route("**/cds-services/mllm-diagnosis", lambda route: None)
    page.click("nav >> text=Child with wheeze")

    expect(page.locator("#cards .card")).to_have_count(0)
    expect(page.locator("#cards .waiting")).to_be_visible()


@pytest.mark.parametrize(("sent", "said"), [(True, "imaging ✓"), (False, "imaging –")])
def test_prefetch_can_be_left_to_the_service(session: Watched, live: Live, sent: bool, said: str) -> None:  # noqa: FBT001
    """With prefetch or without, the card comes."""
    page = open_chart(session, live)
    page.set_checked("#prefetch", sent)
    page.wait_for_selector("#cards .card")

    expect(page.locator("#wire")).to_contain_text(said)


def test_evidence_page_opens_and_its_slider_moves(session: Watched, live: Live) -> None:
    """The card's link opens the page behind it, and the slider changes how strongly the heat map shows."""
    page = open_chart(session, live)
    with session.context.expect_page() as opened:
        page.click("text=Why this card?")
    evidence = opened.value
    evidence.wait_for_selector("#heat")
    before = evidence.locator("#heat").evaluate("element => getComputedStyle(element).opacity")
    evidence.locator("#opacity").fill("20")

    assert before != evidence.locator("#heat").evaluate("element => getComputedStyle(element).opacity")
    expect(evidence.locator("#opacity-value")).to_have_text("20 %")


def test_dismissal_is_sent_with_its_reason(session: Watched, live: Live) -> None:
    """The reason that was chosen is stored by the service, and the card is put away."""
    page = open_chart(session, live)
    page.click(".card .dismiss summary")
    page.locator(".card input[type=radio]").first.check()
    page.click("text=Dismiss this card")
    expect(page.locator(".card.dismissed .status")).to_contain_text("feedback sent")

    assert [outcome for outcome, reason in kept_feedback(live, page) if reason] == ["overridden"]


def test_page_can_be_used_with_the_keyboard(session: Watched, live: Live) -> None:
    """A chart can be chosen, and its card reached, without a mouse."""
    page = open_chart(session, live)
    page.locator("nav a").nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#chart h1")).to_have_text("Okonjo-Lind, Bastian")
    page.wait_for_selector("#cards .card")
    page.locator(".card a.button").focus()

    expect(page.locator(".card a.button")).to_be_focused()


@pytest.mark.parametrize("width", [400, 900, 1400])
def test_page_fits_the_screen(browser: Browser, live: Live, width: int) -> None:
    """Nothing sticks out sideways, down to the width of a telephone."""
    with watched(browser, width) as session:
        page = open_chart(session, live)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_nothing_is_loaded_from_outside_and_nothing_complains(session: Watched, live: Live) -> None:
    """Every chart opens without an error in the console and without a request to another host."""
    page = open_chart(session, live)
    for link in page.locator("nav a").all():
        link.click()
        page.wait_for_selector("#cards .card")
        page.wait_for_load_state("networkidle")

    assert (session.complaints, session.outside(live.url)) == ([], [])
