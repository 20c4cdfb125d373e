"""What a rule of de-identification is: a pattern, what it stands for, and the placeholder that takes its place.

Each rule names the item of the HIPAA Safe Harbor list, 45 CFR 164.514(b)(2)(i), that it serves: A names, B places,
C dates and ages over 89, D telephone, E fax, F e-mail, G social security, H medical record, I health plan, J account,
K certificate and licence, L vehicle, M device, N web address, O IP address, R any other number that identifies. P and
Q, finger prints and photographs, are not text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

NAME: Final = "[name]"
DATE: Final = "[date]"
AGE: Final = "[age]"
PHONE: Final = "[phone]"
EMAIL: Final = "[email]"
URL: Final = "[url]"
IP: Final = "[ip]"
ID: Final = "[id]"
ADDRESS: Final = "[address]"
PLACEHOLDERS: Final = (NAME, DATE, AGE, PHONE, EMAIL, URL, IP, ID, ADDRESS)

CAPITAL: Final = "[A-ZÀ-ÖØ-Þ\u0100-\u017f]"


@dataclass(frozen=True, slots=True)
class Rule:
    """One form of identifier.

    Attributes:
        item: letter of the Safe Harbor list.
        what: the form, as a privacy officer would say it.
        placeholder: what stands in its place; one of `PLACEHOLDERS`.
        pattern: what is found; the group `x` is what is replaced, the whole where there is none. Repeats are bounded,
            so that the time grows evenly with the text.
    """

    item: str
    what: str
    placeholder: str
    pattern: re.Pattern[str]


def rule(item: str, what: str, placeholder: str, *parts: str) -> Rule:
    """Make a rule of a pattern in parts."""
    return Rule(item, what, placeholder, re.compile("".join(parts)))


def any_word(words: str) -> str:
    """Return a pattern of any of these words, in any case; `_` stands for a blank inside one."""
    return rf"(?i:{'|'.join(word.replace('_', '[ ]') for word in words.split())})"
