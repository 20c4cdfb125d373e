"""Notes of any length."""

import pytest

from explain.evidence import NoteEvidence, Span
from explain.long_note import AT_ONCE, blocks, opening
from tests.explain.examples import NOTE, SEEN_AT


def note(text: str, *spans: Span) -> NoteEvidence:
    return NoteEvidence(text, "", spans, SEEN_AT, "", truncated=True)


@pytest.mark.parametrize("text", ["", NOTE, "x" * AT_ONCE, "word " * (AT_ONCE // 5 + 200)])
def test_usual_notes_are_shown_whole(text: str) -> None:
    """A note of a few pages has no fold; one that is hardly longer is not folded for a few words."""
    assert opening(note(text)) == len(text)
    assert blocks(note(text)) == ()


@pytest.mark.parametrize("text", ["word " * 50_000, "x" * 200_000, "line\n" * 40_000, "a b\n" * 30_000 + "y" * 9_000])
def test_all_pieces_are_the_note(text: str) -> None:
    """What is shown at once and the blocks behind it are the note to the letter, in pieces of bounded length."""
    first, rest = text[: opening(note(text))], blocks(note(text))
    assert first + "".join(rest) == text
    assert max(map(len, (first, *rest))) < 2 * AT_ONCE


def test_pieces_end_at_a_line_or_a_word() -> None:
    """No word is cut where there is a better place."""
    assert all(piece.endswith(" ") for piece in blocks(note("word " * 50_000)))
    assert all(piece.endswith("\n") for piece in blocks(note("some words\n" * 20_000)))


def test_marks_are_never_behind_the_fold() -> None:
    """The part that is shown at once reaches behind the last mark, wherever that is."""
    long = "word " * 50_000
    assert opening(note(long, Span(99_990, 100_004, 1.0, "for"))) >= 100_004
