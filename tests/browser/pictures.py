"""Take the README's picture: the demo as it is, a card in the chart and the page behind it, side by side.

`python -m tests.browser.pictures docs/images/card-and-page.png`
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.browser.conftest import find_chromium
from tests.sandbox.live import live_demo

WIDTH, HEIGHT, GAP = 1360, 1000, 24


def take(target: Path) -> None:
    """Run the demo, open the first chart and its page, and write both into one picture."""
    with tempfile.TemporaryDirectory() as folder, live_demo(Path(folder), None) as live, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        tab.goto(f"{live.url}/chart")
        tab.wait_for_selector("#cards .card")
        tab.wait_for_load_state("networkidle")
        chart = tab.screenshot()
        tab.goto(str(tab.locator("#cards .card a").first.get_attribute("href")))
        tab.wait_for_load_state("networkidle")
        page = tab.screenshot()
        browser.close()
    both = Image.new("RGB", (2 * WIDTH + GAP, HEIGHT), "white")
    for place, shot in enumerate((chart, page)):
        both.paste(Image.open(io.BytesIO(shot)), (place * (WIDTH + GAP), 0))
    target.parent.mkdir(parents=True, exist_ok=True)
    # A palette of 256 colours keeps the picture small in the repository.
    both.resize((both.width * 2 // 3, both.height * 2 // 3)).quantize(256).save(target, optimize=True)


if __name__ == "__main__":
    take(Path(sys.argv[1]))
