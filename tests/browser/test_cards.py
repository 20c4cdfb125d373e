from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from starlette.applications import Starlette

from cds_hooks.sandbox.chart import chart_routes
from cds_hooks.sandbox.hospital import Sandbox
from tests.browser.watched import watched
from tests.sandbox.live import served

pytestmark = pytest.mark.browser

RENDER = """async (text) => {
  const { renderMarkdown } = await import("/chart/static/markdown.js");
  const box = document.createElement("div");
  box.append(renderMarkdown(text));
  return box.innerHTML;
}"""
CARD = """async (card) => {
  const { cardElement } = await import("/chart/static/cards.js");
  const element = cardElement(card, { onFeedback: async () => "", onAccept: () => {} });
  return element.outerHTML;
}"""


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    sandbox = Sandbox("http://127.0.0.1")
    with served(Starlette(routes=chart_routes(sandbox))) as url, watched(browser) as session:
        yield session.open(f"{url}/chart")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain", "<p>plain</p>"),
        ("two\nlines", "<p>two lines</p>"),
        ("one\n\ntwo", "<p>one</p><p>two</p>"),
        ("**For**\n\n- a\n- *b*", "<p><strong>For</strong></p><ul><li>a</li><li><em>b</em></li></ul>"),
        ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"),
        ("- a\n  goes on", "<ul><li>a goes on</li></ul>"),
        ("# Title\ntext", "<h4>Title</h4><p>text</p>"),
        ("a `*code*` b", "<p>a <code>*code*</code> b</p>"),
        (r"\*not em\* \[x\]", "<p>*not em* [x]</p>"),
        (r"*1\-5 years*", "<p><em>1-5 years</em></p>"),
        ("**a *b* c**", "<p><strong>a <em>b</em> c</strong></p>"),
        ("2 * 3 * 4, snake_case_word", "<p>2 * 3 * 4, snake_case_word</p>"),
        ("&lt;b&gt; &amp;amp; &#x27;q&#39;", "<p>&lt;b&gt; &amp;amp; 'q'</p>"),
        ("&nosuch; &#0; &", "<p>&amp;nosuch; &amp;#0; &amp;</p>"),
        (
            "[x](https://a.example/?q=1)",
            '<p><a href="https://a.example/?q=1" target="_blank" rel="noopener noreferrer">x</a></p>',
        ),
    ],
)
def test_markdown_becomes_elements(page: Page, text: str, html: str) -> None:
    """The part of Markdown that cards use is shown as it is meant."""
    assert html == page.evaluate(RENDER, text)


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "<script>alert(1)</script>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](  java\tscript:alert(1))",
        "![x](https://evil.example/pixel.png)",
        "**<b onmouseover=alert(1)>**",
        "- <iframe src=//evil.example>",
        "`<svg onload=alert(1)>`",
        '[x](https://a.example/"onclick="alert(1))',
    ],
)
def test_markdown_never_becomes_code(page: Page, text: str) -> None:
    """Whatever stands in a card, nothing of it is run, loaded or linked to but http and https."""
    made = page.evaluate(
        """async (text) => {
          const { renderMarkdown } = await import("/chart/static/markdown.js");
          const box = document.createElement("div");
          box.append(renderMarkdown(text));
          const bad = box.querySelectorAll("script,img,iframe,svg,object,link,style");
          const attributes = [...box.querySelectorAll("*")].flatMap((e) => [...e.attributes]);
          const handlers = attributes.filter((a) => a.name.startsWith("on"));
          const links = [...box.querySelectorAll("a")].filter((a) => !/^https?:/.test(a.protocol));
          return bad.length + handlers.length + links.length;
        }""",
        text,
    )
    assert made == 0


def make_card(**changes: Any) -> dict[str, Any]:
    card = {"uuid": "3f0a", "summary": "Summary", "indicator": "info", "source": {"label": "Source"}}
    return card | changes


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"summary": "<i>x</i>"}, "&lt;i&gt;x&lt;/i&gt;"),
        ({"indicator": "critical"}, "Critical"),
        (
            {"links": [{"label": "Go", "url": "javascript:alert(1)", "type": "absolute"}]},
            '<button type="button" disabled=""',
        ),
        (
            {"links": [{"label": "App", "url": "https://app.example", "type": "smart"}]},
            '<button type="button" disabled=""',
        ),
        ({"links": [{"label": "Go", "url": "https://a.example/", "type": "absolute"}]}, 'rel="noopener"'),
        ({"source": {"label": "<u>", "url": "javascript:alert(1)"}}, "&lt;u&gt;"),
        ({"overrideReasons": [{"code": "c", "system": "s", "display": "<b>Why</b>"}]}, "&lt;b&gt;Why&lt;/b&gt;"),
    ],
)
def test_card_shows_what_it_was_given_as_text(page: Page, changes: dict[str, Any], expected: str) -> None:
    """Each part of a card is shown, and none of it is read as HTML."""
    html = page.evaluate(CARD, make_card(**changes))
    assert expected in html
    assert "javascript:" not in html


def test_card_without_uuid_cannot_be_dismissed(page: Page) -> None:
    """Without its uuid there is nothing to send feedback about."""
    assert "Dismiss" not in page.evaluate(CARD, make_card(uuid=None))


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("Patient/{{context.patientId}}", "Patient/p-1"),
        ("Observation?date=ge{{today() - 3 days}}", "Observation?date=ge2026-02-26"),
        ("Observation?date=ge{{ today() }}", "Observation?date=ge2026-03-01"),
        ("Observation?date=ge{{today() - 1 years}}", "Observation?date=ge2025-03-01"),
        ("Practitioner/{{userPractitionerId}}", "Practitioner/demo-doctor"),
        ("Encounter/{{context.encounterId}}", None),
        ("Condition?x={{%conditions.entry}}", None),
    ],
)
def test_template_is_filled_in_or_left_out(page: Page, template: str, path: str | None) -> None:
    """Tokens that an EHR knows are filled in; a template with another token is not sent at all."""
    resolve = """async (template) => {
      const { resolveTemplate } = await import("/chart/static/hooks.js");
      const context = { patientId: "p-1", userId: "Practitioner/demo-doctor" };
      return resolveTemplate(template, context, new Date(2026, 2, 1, 9, 14));
    }"""
    assert path == page.evaluate(resolve, template)
