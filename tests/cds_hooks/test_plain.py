from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from cds_hooks.plain import markdown, one_line, summary

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "&lt;script&gt;",
    "[click](javascript:alert(1))",
    "![x](http://evil.example/pixel.png)",
    "http://evil.example/track www.evil.example ftp://evil.example",
    "mail doctor@evil.example",
    "**bold** _under_ `code` ~~gone~~",
    "# heading",
    "- item",
    "+ item",
    "1. item",
    "2) item",
    "| a | b |",
    "> quote",
    "line one\n\n# heading\n- item",
    "\\[escaped\\](http://x)",
    "=====",
    "    indented code",
    "$x^2$",
    "::: note",
]


@pytest.mark.parametrize("text", ATTACKS)
def test_text_from_data_stays_text(text: str) -> None:
    """Whatever a note says, a renderer of GFM with raw HTML and links on shows it as words of one paragraph."""
    renderer = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable(["table", "strikethrough"])
    kinds = {token.type for token in renderer.parse(markdown(text))}
    inner = {child.type for token in renderer.parse(markdown(text)) for child in token.children or ()}

    assert kinds == {"paragraph_open", "inline", "paragraph_close"}
    assert inner <= {"text", "text_special"}


@pytest.mark.parametrize("text", ATTACKS)
def test_text_from_data_reads_as_it_was(text: str) -> None:
    """Escaping changes nothing of what is read."""
    (token,) = [token for token in MarkdownIt().parse(markdown(text)) if token.type == "inline"]

    assert "".join(child.content for child in token.children or ()) == one_line(text)


@pytest.mark.parametrize("address", ["http://evil.example", "WWW.evil.example", "mailto:x", "HTTPS://evil.example"])
def test_bare_address_becomes_no_link(address: str) -> None:
    """GFM makes links of bare addresses: they are broken up before."""
    assert address not in markdown(f"see {address} now")


def test_no_angle_bracket_and_no_quote_is_left() -> None:
    """A client that treats the text as HTML finds no tag in it."""
    assert not set("<>\"'") & set(markdown("""<a href="x" title='y'>"""))


@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\u200f", "\x00", "\x1b", "\u2028"])
def test_signs_that_deceive_the_eye_are_dropped(sign: str) -> None:
    """Control characters and signs that turn the direction of text do not reach a card."""
    assert sign not in one_line(f"a{sign}b")


def test_right_to_left_text_is_kept() -> None:
    """A note in Hebrew or Arabic stays what it is."""
    assert markdown("חום ושיעול") == "חום ושיעול"


def test_summary_has_no_tags() -> None:
    """Some clients render the summary as HTML, others as it is: it holds no angle brackets."""
    assert summary("<b>CRP</b>\n96") == "‹b›CRP‹/b› 96"
