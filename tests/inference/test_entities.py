"""Entities read from tag logits."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from inference.entities import KINDS, NEGATED, OTHER, OUTSIDE, TAGS, Kind, begin_tag, read_entities

Tag = tuple[str, str]
"""A piece of text and its tag: `O`, `B` or `I` with the first letter of a kind, then - and ~ for the attributes."""


def logits_of(tags: list[str]) -> npt.NDArray[np.float32]:
    """Return logits that name each tag surely."""
    rows = np.full((len(tags), TAGS), -4.0, np.float32)
    for row, tag in zip(rows, tags, strict=True):
        kind = next((kind for kind in KINDS if kind[0] == tag[1:2]), None)
        row[OUTSIDE if kind is None else begin_tag(kind) + (tag[0] == "I")] = 4.0
        row[NEGATED], row[OTHER] = (4.0 if flag in tag else -4.0 for flag in "-~")
    return rows


def read(*pieces: Tag) -> list[tuple[Kind, str, bool, bool]]:
    """Read a note that is its pieces joined; a piece that begins with a space begins a new word."""
    text, offsets = "", []
    for piece, _ in pieces:
        begin = len(text) + len(piece) - len(piece.lstrip())
        text += piece
        offsets.append((begin, len(text)))
    found = read_entities(logits_of([tag for _, tag in pieces]), offsets, text)
    return [(entity.kind, text[entity.start : entity.end], entity.negated, entity.other) for entity in found]


def test_pieces_are_joined_to_words_and_words_to_entities() -> None:
    """An entity runs from the first letter of its first word to the last letter of its last one."""
    found = read(("no", "O"), (" short", "Bs-"), ("ness", "Is-"), (" of", "Is-"), (" breath", "Is-"), (".", "O"))

    assert found == [("symptom", "shortness of breath", True, False)]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (("Is", "Is"), [("symptom", "wet cough", False, False)]),  # begins without a B
        (("Bs", "Im"), [("symptom", "wet", False, False), ("medication", "cough", False, False)]),  # changes its kind
        (("Bs", "Bs"), [("symptom", "wet cough", False, False)]),  # side by side
        (("Bd~", "Id~"), [("disease", "wet cough", False, True)]),
        (("O", "O"), []),
    ],
)
def test_tags_need_not_be_well_formed(tags: tuple[str, str], expected: list[tuple[str, str, bool, bool]]) -> None:
    """Whatever tags follow each other, each word belongs to one entity or none."""
    assert read(("wet", tags[0]), (" cough", tags[1])) == expected


def test_a_beginning_behind_punctuation_is_another_term() -> None:
    """Listed terms stay apart, even where the comma between them is tagged as if it were inside."""
    assert [term for _, term, *_ in read(("cough", "Bs"), (",", "Is"), (" fever", "Bs"))] == ["cough", "fever"]


@pytest.mark.parametrize("tags", [("Bs", "O", "Is"), ("Bs", "Is", "O"), ("Bs", "Im", "Is")])
def test_no_entity_ends_inside_a_word(tags: tuple[str, str, str]) -> None:
    """Pieces that touch are one word, so most of them decide for all."""
    assert read(("whee", tags[0]), ("zi", tags[1]), ("ng", tags[2])) == [("symptom", "wheezing", False, False)]


@pytest.mark.parametrize("stop", [".", ";", "!", "?", "\n"])
def test_no_entity_crosses_the_end_of_a_sentence(stop: str) -> None:
    """Words of two sentences are two entities, even where the stop between them is tagged too."""
    assert [term for _, term, *_ in read(("cough", "Bs"), (stop, "Is"), (" fever", "Is"))] == ["cough", "fever"]


def test_hyphens_stay_inside_and_go_at_the_ends() -> None:
    """Punctuation belongs to an entity only between its words; alone it is none."""
    assert read(("-", "Bs"), ("post", "Is"), ("-", "Is"), ("tussive", "Is"), (",", "Is"))[0][1] == "post-tussive"
    assert read((",", "Bm"), (" fine", "O")) == []


def test_most_pieces_decide_on_negation() -> None:
    """One piece that says otherwise does not turn a term round; where as many say no, the surer half decides."""
    assert read(("a", "Bs-"), (" b", "Is-"), (" c", "Is"))[0][2]
    sure = logits_of(["Bs-", "Is"])
    sure[0, NEGATED] = 9.0

    assert read_entities(sure, [(0, 1), (2, 3)], "a b")[0].negated


def test_special_tokens_name_nothing() -> None:
    """[CLS], [SEP] and padding stand for no text, whatever their tags."""
    assert read_entities(logits_of(["Bs", "Bs", "Bs"]), [(0, 0), (0, 5), (0, 0)], "cough")[0].end == 5


def test_random_tags_never_overlap() -> None:
    """Entities come in reading order, apart, each beginning and ending with a letter or digit."""
    text = "no cough, wheeze; on co-amoxiclav 5 ml.\nbrother: asthma"
    offsets = [(place, place + 1) for place, letter in enumerate(text) if letter != " "]
    found = read_entities(np.random.default_rng(0).normal(size=(len(offsets), TAGS)), offsets, text)

    assert found
    assert all(before.end <= after.start for before, after in pairwise(found))
    assert all(text[entity.start].isalnum() and text[entity.end - 1].isalnum() for entity in found)


@pytest.mark.parametrize(
    ("logits", "offsets", "problem"),
    [
        (np.zeros((2, TAGS)), [(0, 1)], "one a token"),
        (np.zeros((1, TAGS - 1)), [(0, 1)], "one a token"),
        (np.full((1, TAGS), np.nan), [(0, 1)], "finite"),
        (np.zeros((1, TAGS)), [(0, 9)], "belong together"),
        (np.zeros((1, TAGS)), [(3, 1)], "belong together"),
    ],
)
def test_logits_of_another_note_are_refused(
    logits: npt.NDArray[np.float64], offsets: list[tuple[int, int]], problem: str
) -> None:
    """Another number of tokens, figures that are none and offsets outside the note are refused."""
    with pytest.raises(ValueError, match=problem):
        read_entities(logits, offsets, "cough")


def test_a_note_without_text_has_no_entities() -> None:
    """Nothing but padding gives nothing."""
    assert read_entities(np.zeros((2, TAGS)), [(0, 0), (0, 0)], "") == ()
