"""Radiology report -> what the clinician wrote on the request, and nothing that the radiologist saw.

Findings and impression name the very thing a model is asked for: a note with them in it would leak the label. So would
a "wet read". Only the paragraph under INDICATION, HISTORY, REASON FOR EXAM and their like is kept, and it ends at the
first blank line or at the next heading: reports without a FINDINGS heading go on with what was seen.
"""

from __future__ import annotations

import re
from typing import Final

REQUEST: Final = re.compile(
    r"(?:CLINICAL )?(?:INDICATIONS?|HISTORY|INFORMATION)|CLINICAL (?:HISTORY|INFORMATION) AND INDICATIONS?"
    r"|INDICATIONS? (?:AND|FOR) (?:CLINICAL )?(?:HISTORY|EXAM(?:INATION)?|STUDY)"
    r"|REASONS? FOR (?:TH(?:E|IS) )?(?:EXAM(?:INATION)?|STUDY)"
)
HEADING: Final = re.compile(r"(?<![A-Za-z])([A-Z][A-Z ,/()&-]{2,60}?)\s*:")
"""Capitals before a colon, at the start of a line or within it."""
BLANK_LINE: Final = re.compile(r"\n\s*\n")
REMOVED: Final = re.compile(r"_{2,}")
"""What de-identification has taken out."""


def request_of(report: str) -> str | None:
    """Return the request's words in one line, or None where a report states none."""
    headings = list(HEADING.finditer(report))
    parts = []
    for place, heading in enumerate(headings):
        if not REQUEST.fullmatch(" ".join(heading[1].split())):
            continue
        end = headings[place + 1].start() if place + 1 < len(headings) else len(report)
        paragraph = BLANK_LINE.split(report[heading.end() : end].lstrip(" \t"), maxsplit=1)[0]
        parts.append(" ".join(REMOVED.sub(" ", paragraph).split()))
    return " ".join(dict.fromkeys(part for part in parts if re.search(r"[A-Za-z]", part))) or None
