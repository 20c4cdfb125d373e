"""Text of a note -> the pieces that keep their meaning when they are marked or quoted.

A piece is one word with the little words before it ("on the right"), or a whole negation ("no wheeze", "crackles not
heard"): a finding must never be marked or quoted without the word that denies it. Knows nothing of the model, and
English only: in another language each word is its own piece.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

# A word holds no space and no punctuation, but what joins its letters or digits belongs to it: 39.4, mg/L, X-ray.
_WORD: Final = re.compile(
    r"""(?: [^\s.,;:!?()\[\]{}<>'’"“”„«»…/|\-–—·•*+=_\\]
          | (?<=\d)[.,](?=\d) | (?<=\w)['’/\-](?=\w) | [<>]\s?(?=\d) )+""",
    re.VERBOSE,
)
_BREAK: Final = re.compile(r"[.;:!?()\[\]|•·]|\n\s*\n|\n\s*[-*]")
_BUT: Final = frozenset({"but", "however", "although", "though", "except", "apart", "yet", "whereas", "while"})
_DENIES_NEXT: Final = frozenset(
    {"no", "without", "denies", "denied", "deny", "denying", "never", "non", "nil", "lacks"}
)
_DENIES_AROUND: Final = frozenset({"not", "absent", "none", "negative", "neither", "nor", "cannot", "excluded"})
_LITTLE: Final = re.compile(
    "a|an|the|of|to|in|on|at|by|for|from|with|and|or|as|is|are|was|were|be|been|has|have|had|her|his|their|its|this|"
    "that|since|over|into|per|also|than|then|he|she|they|it"
)
WORDS_BEFORE: Final = 5
"""How far before a word like "not" the negation may begin: "breath sounds at the base not heard"."""
WORDS_AFTER: Final = 12
"""How far behind the denying word the negation may run; a longer list of denied findings is cut there."""

SHORT_PART: Final = 2
"""Words between two commas that still count as one more finding denied by a "no" before them."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters `start` to `end` of the text.

    Attributes:
        part: which stretch between two punctuation marks it begins in; only pieces of one stretch can be joined.
        denies: True for a negation.
    """

    start: int
    end: int
    part: tuple[int, int]
    denies: bool


@dataclass(frozen=True, slots=True)
class _Word:
    start: int
    end: int
    text: str
    comma_before: bool


_Clause = Sequence[_Word]


def pieces(text: str) -> tuple[Piece, ...]:
    """Return the pieces of a text in reading order; they do not overlap."""
    return tuple(piece for number, clause in enumerate(_clauses(text)) for piece in _pieces_of(clause, number))


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the range without the little words that lead it; a range of nothing else stays as it is."""
    for match in _WORD.finditer(text, start, end):
        if not _LITTLE.fullmatch(match.group().lower()):
            return match.start(), end
    return start, end


def end_of_word(text: str, place: int) -> int:
    """Return the end of the word that holds the character before `place`, or `place` where there is none."""
    if place == 0 or not _WORD.match(text, place - 1):
        return place
    rest = _WORD.match(text, place)
    return rest.end() if rest else place


def _clauses(text: str) -> Iterator[_Clause]:
    """Split where a thought ends, and before words such as "but" that turn it round."""
    clause: list[_Word] = []
    behind = 0
    for match in _WORD.finditer(text):
        between = text[behind : match.start()]
        word = _Word(match.start(), match.end(), match.group().lower().replace("’", "'"), "," in between)
        if clause and (word.text in _BUT or _parts(clause[-1], between, match.group())):
            yield clause
            clause = []
        clause.append(word)
        behind = match.end()
    if clause:
        yield clause


def _parts(before: _Word, between: str, word: str) -> bool:
    """Return whether a clause ends between two words: at its punctuation, or where a new line opens with a capital."""
    new_line = "\n" in between and not word[0].islower() and before.text not in _DENIES_NEXT
    return new_line or _BREAK.search(between) is not None


def _pieces_of(clause: _Clause, number: int) -> Iterator[Piece]:
    parts = list(accumulate(word.comma_before for word in clause))
    place = 0
    while place < len(clause):
        head = _behind_little_words(clause, place)
        stop = _behind_negation(clause, head)
        behind = max(stop, head + 1)
        yield Piece(clause[place].start, clause[behind - 1].end, (number, parts[place]), stop > head)
        place = behind


def _behind_little_words(clause: _Clause, place: int) -> int:
    """Return the place of the next word of weight or negation; the clause's last word where there is none."""
    while (
        place < len(clause) - 1 and _LITTLE.fullmatch(clause[place].text) and _behind_negation(clause, place) == place
    ):
        place += 1
    return place


def _behind_negation(clause: _Clause, place: int) -> int:
    """Return the place behind the negation that begins here, or `place` when none does."""
    if clause[place].text in _DENIES_NEXT:
        return min(_end_of_list(clause, place, short=SHORT_PART), place + WORDS_AFTER)
    part_end = _end_of_part(clause, place)
    for cue in range(place, min(part_end, place + WORDS_BEFORE + 1)):
        if clause[cue].text in _DENIES_AROUND or clause[cue].text.endswith("n't"):
            return min(_end_of_list(clause, cue, short=0), cue + WORDS_AFTER)
    return place


def _end_of_part(clause: _Clause, place: int) -> int:
    """Return the place of the next word behind a comma, looking no further than a negation can run."""
    last = min(len(clause), place + WORDS_AFTER)
    return next((later for later in range(place + 1, last) if clause[later].comma_before), last)


def _end_of_list(clause: _Clause, place: int, *, short: int) -> int:
    """Return the end of a list of denied findings: "no cough, wheeze or rash", "no cough, wheeze, rash".

    It runs through commas as far as an "or", and over parts of at most `short` words. To take in too much is only a
    longer quotation; to take in too little would mark a denied finding as a finding.
    """
    last = min(len(clause), place + WORDS_AFTER)
    end = part_end = _end_of_part(clause, place)
    while part_end < last:
        start, part_end = part_end, min(_end_of_part(clause, part_end), last)
        one_more = start == end and part_end - start <= short
        if one_more or any(word.text in {"or", "nor"} for word in clause[start:part_end]):
            end = part_end
    return end
