"""HTML -> the text a reader would see, in time linear in its length.

The parser of the standard library takes minutes for some 100 kB that a hostile author would write and raises
AssertionError for others. Here nothing is ever scanned twice: what has no end is refused at once.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Final

_BLOCKS: Final = frozenset(
    {"address", "article", "aside", "blockquote", "br", "caption", "dd", "div", "dl", "dt", "footer", "form"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section"}
    | {"table", "tbody", "tfoot", "thead", "tr", "ul"}
)
_CELLS: Final = frozenset({"td", "th"})
_SILENT: Final = frozenset({"script", "style", "title", "template", "svg"})
_TAG: Final = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]*)")
_TAG_STEP: Final = re.compile(r"[>\"']")
_LONG_NUMBER: Final = re.compile(r"&#\d{8,};?")
_BROKEN: Final = "its markup is broken"


def strip_markup(markup: str) -> str:
    """Return the text, with a line break for each block and a blank for each cell; kept blanks are no-break spaces.

    Comments, scripts, styles and pictures are left out. A `<` that opens no tag is text: notes say "CRP <5".

    Raises:
        ValueError: a tag, comment or script does not end. What follows it would be lost, and half a note must not
            pass for a whole one.
    """
    return re.sub(r"\n[ ]+", "\n", "".join(_pieces(markup)))


def _pieces(markup: str) -> Iterator[str]:
    position, preformatted = 0, False
    while (start := markup.find("<", position)) >= 0:
        yield _text(markup[position:start], preformatted=preformatted)
        tag = _TAG.match(markup, start)
        if tag is None:
            position = _declaration_end(markup, start)
            if position == start + 1:
                yield "<"
            continue
        closing, name = bool(tag[1]), tag[2].lower()
        position = _tag_end(markup, tag.end())
        # `<script/>` has no end tag, in XHTML at least.
        if name in _SILENT and not closing and not markup.endswith("/>", start, position):
            position = _element_end(markup, position, name)
        elif name == "pre":
            preformatted = not closing
        yield "\n" if name in _BLOCKS else " " if name in _CELLS else ""
    yield _text(markup[position:], preformatted=preformatted)


def _text(source: str, *, preformatted: bool) -> str:
    text = html.unescape(_LONG_NUMBER.sub("\N{REPLACEMENT CHARACTER}", source))
    # A line break in the source is a blank on the page; the blanks of a table drawn with them must stay.
    return text.replace(" ", "\xa0") if preformatted else re.sub(r"[ \t\r\n]+", " ", text)


def _declaration_end(markup: str, start: int) -> int:
    """Return where a comment or declaration ends; the next character for a `<` that is text."""
    if markup.startswith("<!--", start):
        return _after("-->", markup, start + 4)
    if markup.startswith(("<!", "<?", "</"), start):
        return _after(">", markup, start + 2)
    return start + 1


def _tag_end(markup: str, position: int) -> int:
    """Return where a tag ends; a `>` inside a quoted attribute does not end it."""
    while (step := _TAG_STEP.search(markup, position)) is not None:
        if step[0] == ">":
            return step.end()
        position = _after(step[0], markup, step.end())
    raise ValueError(_BROKEN)


def _element_end(markup: str, position: int, name: str) -> int:
    end = re.compile(rf"</{name}", re.IGNORECASE).search(markup, position)
    if end is None:
        raise ValueError(_BROKEN)
    return _tag_end(markup, end.end())


def _after(mark: str, markup: str, position: int) -> int:
    found = markup.find(mark, position)
    if found < 0:
        raise ValueError(_BROKEN)
    return found + len(mark)
