"""Plain words -> the Markdown that reads as them, for elements of FHIR type `markdown`."""

from __future__ import annotations

import html
import re
from typing import Final

_MARKUP: Final = re.compile(r"([\\`*_\[\]|~$])")
_BLOCK: Final = re.compile(r"^([-+#=>]|\d+[.)])(?=\s|$)")


def escaped(text: str) -> str:
    """Return a sentence on one line in which nothing is markup, HTML included: it may quote a note."""
    line = " ".join(text.split())
    return html.escape(_BLOCK.sub(r"\\\1", _MARKUP.sub(r"\\\1", line)), quote=False)
