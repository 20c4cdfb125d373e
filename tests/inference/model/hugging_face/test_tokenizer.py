from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from transformers import BertTokenizer

from inference.contract import TEXT_TOKENS
from inference.manifest import CheckpointError
from inference.model.hugging_face.tokenizer import tokenizer_of
from inference.words import open_tokenizer, split_note
from tests.inference.model.hugging_face.sources import change_json

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["no", "No", "fever", "Fe", "fe", "##ver", "crackle", "##s", ",", ".", "left", "[", "]", "SE", "##P", "cafe"]
NOTES = [
    "No fever, crackles left.",
    "Fever FEVER fever",
    "café, crackle-s\u200b left",
    "",
    "fever " * (2 * TEXT_TOKENS),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "vocab.txt").write_text("\n".join(PIECES + WORDS) + "\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("note", NOTES)
@pytest.mark.parametrize(
    "settings", [{"do_lower_case": False}, {"do_lower_case": True}, {"do_lower_case": False, "strip_accents": True}]
)
def test_pieces_are_those_of_transformers(folder: Path, note: str, settings: dict[str, Any]) -> None:
    """A note is cut, framed, padded and cut off as transformers does with the same vocabulary and settings."""
    change_json(folder / "tokenizer_config.json", **settings)
    theirs = BertTokenizer(vocab=str(folder / "vocab.txt"), **settings)

    expected = theirs(note, padding="max_length", truncation=True, max_length=TEXT_TOKENS)["input_ids"]

    assert tokenizer_of(folder).encode(note).ids == expected


def test_what_is_saved_is_what_the_service_reads(folder: Path, tmp_path: Path) -> None:
    """tokenizer.json opens under the rules of `inference.words` and cuts notes the same way, with their characters."""
    tokenizer = tokenizer_of(folder)
    tokenizer.save(str(tmp_path / "tokenizer.json"))

    pieces = split_note(open_tokenizer(tmp_path / "tokenizer.json"), NOTES[0])

    assert list(pieces.ids) == tokenizer.encode(NOTES[0]).ids
    assert [NOTES[0][start:end] for start, end in pieces.offsets[1:4]] == ["No", "fever", ","]


@pytest.mark.parametrize(("words", "first"), [(WORDS, "No"), ([word.lower() for word in WORDS], "no")])
def test_case_follows_the_vocabulary_where_nothing_is_said(tmp_path: Path, words: list[str], first: str) -> None:
    """A cased vocabulary without settings keeps upper case; a lower-case one does not."""
    (tmp_path / "vocab.txt").write_text("\n".join(dict.fromkeys(PIECES + words)), encoding="utf-8")

    assert tokenizer_of(tmp_path).encode("No fever").tokens[1] == first


def test_a_note_cannot_write_control_pieces(folder: Path) -> None:
    """A note that holds the letters of a control piece does not end there."""
    assert tokenizer_of(folder).encode("left [SEP] fever").tokens[:8] == [
        "[CLS]", "left", "[", "SE", "##P", "]", "fever", "[SEP]",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        (PIECES[1:], r"lacks \[PAD\]"),
        (["fever", *PIECES], r"must have \[PAD\] in its first line"),
        (["[PAD]", "[UNK]", "fever"], r"lacks \[CLS\], \[SEP\]"),
    ],
)
def test_another_vocabulary_is_refused(tmp_path: Path, pieces: list[str], said: str) -> None:
    """A vocabulary that cannot frame or pad a note is named with what it lacks."""
    (tmp_path / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")

    with pytest.raises(CheckpointError, match=rf"vocab\.txt {said}: give"):
        tokenizer_of(tmp_path)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_vocabulary_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    """No vocab.txt, or one that is no text, says which file is wanted."""
    if content is not None:
        (tmp_path / "vocab.txt").write_bytes(content)

    with pytest.raises(CheckpointError, match=r"vocab\.txt cannot be read: give"):
        tokenizer_of(tmp_path)


def test_more_pieces_than_the_model_knows_are_refused(folder: Path) -> None:
    """A vocabulary of another model would point past the embeddings."""
    change_json(folder / "config.json", vocab_size=20)

    with pytest.raises(CheckpointError, match=r"21 pieces, .*config\.json 20: give files of one model"):
        tokenizer_of(folder)


def test_settings_of_another_kind_are_refused(folder: Path) -> None:
    """A case setting that is neither true nor false is not guessed at."""
    settings: dict[str, Any] = {"do_lower_case": "perhaps"}
    change_json(folder / "tokenizer_config.json", **settings)

    with pytest.raises(CheckpointError, match=r"tokenizer_config\.json .*do_lower_case"):
        tokenizer_of(folder)
