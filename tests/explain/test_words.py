"""Pieces of a note that keep their meaning."""

from itertools import pairwise

import pytest

from explain.words import WORDS_AFTER, end_of_word, pieces, trimmed


def cut(text: str) -> list[str]:
    return [text[piece.start : piece.end] for piece in pieces(text)]


def denials(text: str) -> list[str]:
    return [text[piece.start : piece.end] for piece in pieces(text) if piece.denies]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Fever, cough.", ["Fever", "cough"]),
        ("temp 39.4°C, SpO2 92% on air", ["temp", "39.4°C", "SpO2", "92%", "on air"]),
        ("WBC 14,000/uL; CRP <5 mg/L", ["WBC", "14,000/uL", "CRP", "<5", "mg/L"]),
        ("3-year-old, X-ray (done)", ["3-year-old", "X-ray", "done"]),
        ("crackles at the right base", ["crackles", "at the right", "base"]),
        ("fièvre élevée", ["fièvre", "élevée"]),
        ("e\u0301te\u0301 chaud", ["e\u0301te\u0301", "chaud"]),
        ("חום ושיעול", ["חום", "ושיעול"]),
        ("- fever\n- cough", ["fever", "cough"]),
        ("<script>alert(1)</script>", ["script", "alert", "1", "script"]),
        ("{{ cough }}", ["cough"]),
        ("of the", ["of the"]),
        (" \n\t", []),
        ("", []),
    ],
)
def test_pieces_are_words_without_punctuation(text: str, expected: list[str]) -> None:
    """A piece is a word with the little words before it; spaces and punctuation belong to none, numbers stay whole."""
    assert cut(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No wheeze.", ["No wheeze"]),
        ("Chest clear, no wheeze. Fever.", ["no wheeze"]),
        ("crackles not heard at the left base", ["crackles not heard at the left base"]),
        ("wheeze absent", ["wheeze absent"]),
        ("he isn't drinking", ["he isn't drinking"]),
        ("he isn’t drinking", ["he isn’t drinking"]),
        ("No cough, wheeze or rash. Fever", ["No cough, wheeze or rash"]),
        ("denies fever, cough. Runny nose", ["denies fever, cough"]),
        ("no vomiting but wheeze", ["no vomiting"]),
        ("cough\nNo fever\nWheeze", ["No fever"]),
        ("no\nRSV", ["no\nRSV"]),
        ("without any\nfever", ["without any\nfever"]),
        ("NO WHEEZE", ["NO WHEEZE"]),
        ("fever and with no rash", ["and with no rash"]),
        ("nose normal, knowing", []),
    ],
)
def test_a_negation_is_one_piece(text: str, expected: list[str]) -> None:
    """What denies a finding and the finding are one piece, so that neither is marked or quoted alone."""
    assert denials(text) == expected


@pytest.mark.parametrize("text", ["no " + "very " * 40 + "end", "no a, " * 40])
def test_a_negation_ends_somewhere(text: str) -> None:
    """However long a list of denials is, a piece ends after WORDS_AFTER words."""
    assert max(len(piece.split()) for piece in cut(text)) <= WORDS_AFTER


def test_pieces_are_in_order_and_apart() -> None:
    """Pieces come in reading order and never overlap."""
    found = pieces("No cough, wheeze or rash; fever for 4 days, but not drinking. She isn't well, she said.")
    assert all(before.end <= after.start for before, after in pairwise(found))


@pytest.mark.parametrize(
    ("text", "expected"), [("at the right base", "right base"), ("right base", "right base"), ("of the", "of the")]
)
def test_leading_little_words_are_trimmed(text: str, expected: str) -> None:
    """A quotation does not begin with an article or preposition, unless it is nothing else."""
    start, end = trimmed(text, 0, len(text))
    assert text[start:end] == expected


@pytest.mark.parametrize(("place", "end"), [(0, 0), (2, 6), (6, 6), (7, 7), (9, 11)])
def test_end_of_word(place: int, end: int) -> None:
    """A limit that falls into a word moves to the word's end, and any other stays."""
    assert end_of_word("wheeze, dry", place) == end
