"""Text of a note -> its sections, by the headings of the English-speaking ward."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from fhir_adapter.notes.headings import LONGEST, kind_of_heading
from fhir_adapter.record import Section, SectionKind

_WORDS: Final = rf"[A-Za-z](?:[A-Za-z/&'\-]|[ ](?=[A-Za-z/&])){{0,{LONGEST}}}"
_AT_LINE: Final = re.compile(
    rf"^[ ]{{0,12}}(?:[#>*_=\-]{{1,6}}[ ]{{0,2}}|\d{{1,2}}[.)][ ]{{1,2}})?(?P<words>{_WORDS})"
    r"[*_ ]{0,4}(?P<mark>:[*_]{0,3}(?:[ ]|$)|[ ]?-{1,2}[ ]|[#=*_\-]{0,6}$)",
    re.MULTILINE,
)
_IN_LINE: Final = re.compile(rf"(?<=[.;!?])[ ]{{1,3}}(?P<words>(?=[A-Z]){_WORDS}):(?=[ \n]|$)")
_LONGEST_UNKNOWN: Final = 40


def find_sections(text: str) -> tuple[Section, ...]:
    """Return the sections of a text, which together cover it; none where no heading is known.

    A heading stands at the beginning of a line, with or without Markdown, a number or a line under it, and ends with a
    colon, a dash or the line; or it stands behind the end of a sentence, with a capital and a colon. A line in capitals
    that ends with a colon is a heading even where its words are unknown: what follows is no longer the section before.
    """
    starts = _headings(text)
    if all(kind == "other" for _, kind in starts):
        return ()
    if text[: starts[0][0]].strip():
        starts.insert(0, (0, "opening"))
    else:
        starts[0] = (0, starts[0][1])
    ends = [start for start, _ in starts[1:]] + [len(text)]
    return tuple(Section(kind, start, end) for (start, kind), end in zip(starts, ends, strict=True))


def _headings(text: str) -> list[tuple[int, SectionKind]]:
    """Return where each section begins, and its kind; "1. Plan:" is found twice and counts as the line."""
    found = {words: (start, kind) for words, start, kind in (*_in_lines(text), *_at_lines(text))}
    return sorted(found.values())


def _in_lines(text: str) -> Iterator[tuple[int, int, SectionKind]]:
    for found in _IN_LINE.finditer(text):
        kind = kind_of_heading(found["words"])
        if kind is not None:
            yield found.start("words"), found.start("words"), kind


def _at_lines(text: str) -> Iterator[tuple[int, int, SectionKind]]:
    for found in _AT_LINE.finditer(text):
        words, marked = found["words"], found["mark"].startswith(":")
        # A wrapped line may end with "history"; a letter alone is rather a list.
        bare = not marked and (words[0].islower() or len(words) == 1)
        kind = kind_of_heading(words) or _unknown(words, marked=marked)
        if kind is not None and not bare:
            yield found.start("words"), found.start(), kind


def _unknown(words: str, *, marked: bool) -> SectionKind | None:
    """Take capitals with a colon for a heading that is not in the table."""
    return "other" if marked and words.isupper() and 3 < len(words) <= _LONGEST_UNKNOWN else None
