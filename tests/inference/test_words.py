from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models

from fhir_adapter.notes.sections import find_sections
from inference.checkpoint import SHIPPED, TOKENIZER_NAME, Checkpoint, CheckpointError
from inference.contract import TEXT_TOKENS
from inference.training.cohort import LABELS, draw_case
from inference.training.cohort.grammar import GrammarName
from inference.words import open_tokenizer, split_note, unfamiliar_share
from tests.inference.records import ENGLISH

GERMAN = "Kind mit Fieber und Husten seit drei Tagen, Knistern über der linken Lunge, atmet schnell."
SPANISH = "Niño con fiebre y tos desde hace tres días, crepitantes en el pulmón izquierdo, respira rápido."
RUSSIAN = "Ребенок с лихорадкой и кашлем три дня"
CHINESE = "患儿 发热 咳嗽 三天 左肺 湿啰音 呼吸 急促"


def share(checkpoint: Checkpoint, text: str) -> float:
    pieces = split_note(checkpoint.tokenizer, text)
    return unfamiliar_share(checkpoint.tokenizer, text, pieces.ids, pieces.offsets)


def test_offsets_point_at_the_words_of_the_note(tiny: Checkpoint) -> None:
    """Each piece knows the characters of the note it stands for, capital letters and accents included."""
    text = "  FEVER, and Cough"
    pieces = split_note(tiny.tokenizer, text)

    assert [text[start:end] for start, end in pieces.offsets[:6]] == ["", "FEVER", ",", "and", "Cough", ""]


def test_note_is_padded_to_its_length(tiny: Checkpoint) -> None:
    """Padding is id 0 and stands for no character."""
    pieces = split_note(tiny.tokenizer, "fever")

    assert len(pieces.ids) == len(pieces.offsets) == TEXT_TOKENS
    assert set(pieces.ids[3:]) == {0}
    assert set(pieces.offsets[3:]) == {(0, 0)}


@pytest.mark.parametrize(("words", "truncated"), [(TEXT_TOKENS - 2, False), (TEXT_TOKENS - 1, True)])
def test_long_note_is_cut_and_says_so(tiny: Checkpoint, words: int, *, truncated: bool) -> None:
    """A note that does not fit is cut at the end, and that is known."""
    pieces = split_note(tiny.tokenizer, "cough " * words)

    assert pieces.truncated is truncated
    assert pieces.ids[-1] == tiny.tokenizer.token_to_id("[SEP]")


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        (ENGLISH, 0, 0),
        ("Fever 38.5 for 3 days, cough and wheeze, CRP 81, child eats well", 0, 0.1),
        (GERMAN, 0.8, 1),
        (SPANISH, 0.8, 1),
        (CHINESE, 0.8, 1),
        (RUSSIAN, 1, 1),
        ("患儿发热咳嗽三天，左肺湿啰音。", 1, 1),
        ("三日前から発熱と咳", 1, 1),
        ("fever and cough and Fieber und Husten", 3 / 7, 3 / 7),
        ("", 0, 0),
        ("Fieber", 0, 0),
        ("123 456 78.9 10/12 3 4 5 6 7", 0, 0),
    ],
)
def test_share_of_unfamiliar_words(tiny: Checkpoint, text: str, low: float, high: float) -> None:
    """Words of another language come apart; figures and too few words say nothing."""
    assert low - 1e-9 <= share(tiny, text) <= high + 1e-9


def test_only_the_part_that_is_read_is_judged(tiny: Checkpoint) -> None:
    """What stands behind the limit does not reach the model and does not count."""
    assert share(tiny, "cough " * TEXT_TOKENS + "Fieber " * 500) == 0


@pytest.mark.parametrize("vocabulary", [["[UNK]", "[PAD]"], ["[PAD]", "[UNK]"]])
def test_tokenizer_of_another_form_is_refused(tmp_path: Path, vocabulary: list[str]) -> None:
    """A tokenizer that does not frame and pad as the contract says is refused when the checkpoint is loaded."""
    path = tmp_path / "tokenizer.json"
    numbers = {piece: number for number, piece in enumerate(vocabulary)}
    Tokenizer(models.WordPiece(numbers, unk_token="[UNK]")).save(str(path))

    with pytest.raises(CheckpointError, match="must frame a text"):
        open_tokenizer(path)


LONG = "Plan: home. " + "Mother has a cold too. " * 40 + "HPI: fever and cough for three days. Exam: crackles left."


def test_long_note_with_sections_is_read_where_it_counts(tiny: Checkpoint) -> None:
    """The story and the findings are read although they stand behind the limit; offsets are those of the whole note."""
    pieces = split_note(tiny.tokenizer, LONG, find_sections(LONG))
    read = [LONG[start:end] for start, end in pieces.offsets if end > start]

    assert "".join(read).endswith("HPI:feverandcoughforthreedays.Exam:cracklesleft.")
    assert (len(pieces.ids), len(pieces.offsets), pieces.truncated) == (TEXT_TOKENS, TEXT_TOKENS, True)


def test_long_note_keeps_its_frame(tiny: Checkpoint) -> None:
    """What is chosen stands between [CLS] and [SEP], and the rest is padding, as in every other note."""
    pieces = split_note(tiny.tokenizer, LONG, find_sections(LONG))
    frame = tiny.tokenizer.encode("")
    end = len(pieces.ids) - list(pieces.ids)[::-1].index(frame.ids[1])

    assert (pieces.ids[0], set(pieces.ids[end:]) <= {0}) == (frame.ids[0], True)
    assert set(pieces.offsets[end:]) <= {(0, 0)}


def test_what_a_long_note_leaves_out_is_known(tiny: Checkpoint) -> None:
    """Every letter of the note is either behind a piece or in what was left out."""
    pieces = split_note(tiny.tokenizer, LONG, find_sections(LONG))
    covered = {place for start, end in (*pieces.offsets, *pieces.unread) for place in range(start, end)}

    assert {place for place, sign in enumerate(LONG) if sign.isalnum()} <= covered
    assert len(pieces.unread) == 1


@pytest.mark.parametrize("grammar", ["train", "test"])
def test_notes_that_fit_are_read_as_ever(grammar: GrammarName) -> None:
    """Sections change nothing for a note that fits: the model gets the pieces that it learned from."""
    drawn = (draw_case(LABELS[n % 3], np.random.default_rng([3, n]), grammar=grammar, complete=True) for n in range(60))
    notes = [case.note or "" for case in drawn]
    tokenizer = open_tokenizer(SHIPPED / TOKENIZER_NAME)
    found = [split_note(tokenizer, note, find_sections(note)) for note in notes]

    assert [pieces.ids for pieces in found] == [tuple(tokenizer.encode(note).ids) for note in notes]


def test_words_that_were_left_out_are_not_judged(tiny: Checkpoint) -> None:
    """A foreign paragraph that the model does not see does not make the rest of the note foreign."""
    text = "Plan: " + "Zwtsch Krxyz Qwfpg. " * 60 + "\nHPI: " + "fever and cough. " * 45
    pieces = split_note(tiny.tokenizer, text, find_sections(text))

    assert unfamiliar_share(tiny.tokenizer, text, pieces.ids, pieces.offsets) < 0.1
