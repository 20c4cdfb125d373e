"""Text from data -> text that a card can carry, whatever its reader does with Markdown and HTML.

The reference client renders `detail` with its raw HTML: words of a note would run in the page of the EHR.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

_MARKUP: Final = re.compile(r"([\\`*_\[\]|~$@])")
_BLOCK: Final = re.compile(r"^(?:([-+#=:])|(\d+)([.)]))")
_LINKS: Final = re.compile(r"(?i)(https?|ftp|mailto|xmpp|data|javascript)(:)|\b(www)(\.)")
_DIRECTION: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def one_line(text: str) -> str:
    """Return text on one line, without control characters and without signs that turn the direction of what follows."""
    kept = (character for character in text if character not in _DIRECTION)
    visible = (" " if unicodedata.category(character) in ("Cc", "Zl", "Zp") else character for character in kept)
    return " ".join("".join(visible).split())


def markdown(text: str) -> str:
    """Escape text for GitHub Flavored Markdown and HTML at once; it reads as it was, on one line.

    Angle brackets and ampersands become entities; signs of Markdown get a backslash; addresses are broken up, because
    GFM makes a link of a bare one. What would open a list or a heading at the start of a line gets a backslash too.
    """
    escaped = _MARKUP.sub(r"\\\1", one_line(text))
    escaped = _BLOCK.sub(lambda found: "\\" + found[1] if found[1] else found[2] + "\\" + found[3], escaped)
    escaped = _LINKS.sub(lambda found: found.group(1) + r"\:" if found.group(1) else found.group(3) + r"\.", escaped)
    # A client that shows entities as they are would break up "patient&#x27;s"; the typographic sign needs no entity.
    return html.escape(escaped.replace("'", "’"), quote=True)


def summary(text: str) -> str:
    """Return text for the summary, which some clients render as HTML and others as it is: no angle brackets in it."""
    return one_line(text).replace("<", "‹").replace(">", "›")
