"""The few styles of the report, and text as flowables."""

from __future__ import annotations

from typing import Final

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Paragraph

from explain.report.letters import BOLD, REGULAR, marked_up

INK: Final = HexColor(0x1B1F24)
SOFT: Final = HexColor(0x57606A)
LINE: Final = HexColor(0xD0D7DE)
FOR: Final = HexColor(0x0B5CAD)
AGAINST: Final = HexColor(0xA04000)
WARNED: Final = HexColor(0xFFF3D6)


def _style(name: str, size: float, font: str = REGULAR, colour: Color = INK, after: float = 2) -> ParagraphStyle:
    return ParagraphStyle(
        name, fontName=font, fontSize=size, leading=1.3 * size, textColor=colour, spaceAfter=after, splitLongWords=1
    )


TITLE: Final = _style("title", 15, BOLD)
HEADING: Final = _style("heading", 9.5, BOLD, after=3)
BODY: Final = _style("body", 8.5)
CELL: Final = _style("cell", 7.5, after=0)
SMALL: Final = _style("small", 6.8, colour=SOFT)
BANNER: Final = ParagraphStyle(
    "banner", parent=SMALL, textColor=INK, backColor=WARNED, borderPadding=3, spaceBefore=3, spaceAfter=5
)


def text(words: str, style: ParagraphStyle = BODY, lead: str = "") -> Paragraph:
    """Return words as a paragraph, after a lead in bold."""
    bold = f'<font name="{BOLD}">{marked_up(lead)}</font> ' if lead else ""
    return Paragraph(bold + marked_up(words), style)
