"""A sentence as it came -> lower case, with quotations, diagnoses and allowed phrases taken out and marked.

What is left must be made of few characters: look-alikes, hidden signs and foreign digits go no further.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from explain.check.licence import Licence, shown_forms
from explain.check.problems import Problem
from explain.check.tokens import MARK_CLOSE, MARK_OPEN
from inference.contract import DIAGNOSES

ALLOWED: Final = frozenset(string.ascii_letters + string.digits + " .,;:()%/'’-–×⁹¹²°µ*^\u00a0\u202f")
_QUOTES: Final = frozenset('“”„«»"‘`')
_BLANKS: Final = re.compile("[ \u00a0\u202f]+")


@dataclass(frozen=True, slots=True)
class Marked:
    """A prepared sentence; marks are `Q0` for the quotation at place 0 of the licence, `D0` for a diagnosis, `A`."""

    text: str
    problems: tuple[Problem, ...]


def mark(text: str, licence: Licence, allowed: Iterable[str]) -> Marked:
    """Take out what the claims license word by word, and check the signs of the rest."""
    pieces = [text]
    for place, fact in enumerate(licence.quotes):
        for form in shown_forms(fact):
            pieces = _cut(pieces, re.compile(re.escape(form)), f"Q{place}")
    for phrase in sorted(filter(None, allowed), key=len, reverse=True):
        pieces = _cut(pieces, re.compile(rf"(?<![\w.]){re.escape(phrase)}(?!\w)"), "A")
    problems = tuple(problem for piece in pieces[::2] for problem in _signs(_without_terms(piece)))
    for place, diagnosis in sorted(enumerate(DIAGNOSES), key=lambda item: -len(item[1].name)):
        name = re.compile(rf"“{re.escape(diagnosis.name)}”|\b{re.escape(diagnosis.name)}\b", re.IGNORECASE)
        pieces = _cut(pieces, name, f"D{place}")
    return Marked("".join(_joined(pieces)), tuple(dict.fromkeys(problems)))


def _cut(pieces: list[str], pattern: re.Pattern[str], name: str) -> list[str]:
    """Cut the free pieces, those at even places, at each match; the names of the marks stand at odd places."""
    cut: list[str] = []
    for place, piece in enumerate(pieces):
        free = pattern.split(piece) if place % 2 == 0 else [piece]
        for part in free[:-1]:
            cut += [part, name]
        cut.append(free[-1])
    return cut


def _joined(pieces: list[str]) -> Iterator[str]:
    for place, piece in enumerate(pieces):
        if place % 2:
            yield f" {MARK_OPEN}{piece}{MARK_CLOSE} "
        else:
            yield _BLANKS.sub(" ", piece.replace("’", "'")).lower()


def _without_terms(piece: str) -> str:
    """Drop the quotation marks around a label that is the absence of the others: “no pneumonia” is no quotation."""
    for diagnosis in DIAGNOSES:
        piece = re.sub(rf"“({re.escape(diagnosis.name)})”", r"\1", piece, flags=re.IGNORECASE)
    return piece


def _signs(piece: str) -> Iterator[Problem]:
    if _QUOTES & set(piece):
        yield Problem("quotation")
    if set(piece) - ALLOWED - _QUOTES:
        yield Problem("characters")
