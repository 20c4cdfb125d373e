"""Take the pictures of the explanation page for the documents: the demo as it is, nothing drawn for the purpose.

`python -m tests.browser.screenshots docs/screenshots`
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from cds_hooks.sandbox.cases import Case, load_cases
from cds_hooks.sandbox.patients import build_samples
from tests.browser.conftest import find_chromium
from tests.sandbox.live import Live, live_demo

LONGEST_CHECK_MS = 300_000
LARGEST_BYTES = 300_000
A4_AT_96_DPI = {"width": 794, "height": 1123}
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 400, "height": 900}


class NoSuchPageError(RuntimeError):
    """The demo has no page of the kind that a picture shows; the message says which pages it has."""


@dataclass(frozen=True)
class Found:
    """The page of one demo patient."""

    patient: str
    address: str
    verdict: str
    film: bool
    marks: int

    def __str__(self) -> str:
        return f"{self.patient}: {self.verdict}{'' if self.film else ', no film'}, {self.marks} modalities marked"


@contextmanager
def tab(browser: Browser, **settings: Any) -> Iterator[Page]:
    """Open a tab of its own."""
    context = browser.new_context(**{"viewport": DESKTOP, "color_scheme": "light", **settings})
    yield context.new_page()
    context.close()


def settled(page: Page, address: str) -> None:
    """Open a page and wait until its evidence has been tested, and its pictures are there."""
    page.goto(address)
    page.locator("main[data-checking]:not([data-checking=running])").wait_for(timeout=LONGEST_CHECK_MS)
    page.wait_for_load_state("networkidle")


def visit(browser: Browser, url: str, patient: str) -> Found:
    """Open the chart of a patient, so that the hook fires, and follow the link of its card."""
    with tab(browser) as page:
        page.goto(f"{url}/chart#{patient}")
        card = page.locator("#cards .card a.button").first
        card.wait_for(timeout=60_000)
        address = str(card.get_attribute("href"))
        settled(page, address)
        verdict = str(page.locator("main").get_attribute("data-verdict"))
        marks = sum(page.locator(one).count() > 0 for one in ("#heat", ".note mark", ".values td.pull"))
        return Found(patient, address, verdict, page.locator(".stack img").count() > 0, marks)


def choose(pages: list[Found], verdict: str, *, film: bool) -> Found:
    """Return the first page of a kind on which at least two modalities are marked, else the one that shows most marks.

    Raises:
        NoSuchPageError: the demo has none.
    """
    fit = [one for one in pages if one.film == film and (verdict in (one.verdict, "any"))]
    if not fit:
        raise NoSuchPageError(f"no page with verdict {verdict}, film {film} among: {'; '.join(map(str, pages))}")
    return next((one for one in fit if one.marks >= 2), max(fit, key=lambda one: one.marks))


def mixed(cases: tuple[Case, ...]) -> Iterator[Case]:
    """Yield charts that do not fit together: the film of one demo patient in the chart of another."""
    ill = [case for case in cases if case.film is not None and case.key != "adult"]
    for chart in ill:
        for other in ill:
            if other is not chart:
                yield chart.model_copy(
                    update={"key": other.key, "id": f"mixed-{chart.key}-{other.key}", "film": other.film}
                )


def unsure(browser: Browser, live: Live, pages: list[Found]) -> Found:
    """Return a page on which the model is unsure: of a demo patient, else of the first mixed chart that makes it so."""
    if any(one.verdict == "unsure" and one.film for one in pages):
        return choose(pages, "unsure", film=True)
    for case in mixed(load_cases()):
        live.sandbox.add_samples(build_samples([case], datetime.now(UTC), live.sandbox.dicomweb_url))
        pages.append(visit(browser, live.url, case.id))
        if pages[-1].verdict == "unsure":
            return pages[-1]
    return choose(pages, "unsure", film=True)


def write(png: bytes, target: Path) -> None:
    """Write a picture, with as many of 256 colours as keep it small in the repository."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    for colours in (256, 128, 64, 32):
        picture.quantize(colours).save(target, optimize=True)
        if target.stat().st_size <= LARGEST_BYTES:
            return


def take(folder: Path) -> list[Found]:
    """Run the demo, open every chart, and write the six pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, live_demo(Path(data), None) as live, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"])
        pages = [visit(browser, live.url, case.id) for case in load_cases()]
        answer = choose(pages, "answer", film=True)
        for name, found in (
            ("answer", answer),
            ("unsure", unsure(browser, live, pages)),
            ("out-of-scope", choose(pages, "out of scope", film=True)),
            ("no-image", choose(pages, "any", film=False)),
        ):
            with tab(browser) as page:
                settled(page, found.address)
                write(page.screenshot(full_page=True), folder / f"{name}.png")
        with tab(browser, viewport=PHONE) as page:
            settled(page, answer.address)
            write(page.screenshot(full_page=True), folder / "narrow.png")
        with tab(browser, viewport=A4_AT_96_DPI, device_scale_factor=1.5) as page:
            settled(page, answer.address)
            page.emulate_media(media="print")
            write(page.screenshot(), folder / "print.png")
        browser.close()
    return pages


if __name__ == "__main__":
    for seen in take(Path(sys.argv[1])):
        sys.stdout.write(f"{seen}\n")
