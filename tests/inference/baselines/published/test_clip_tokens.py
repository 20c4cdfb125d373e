from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from inference.baselines.published.clip_tokens import byte_letters, check_vocabulary, open_clip_tokenizer, tokenise
from inference.manifest import CheckpointError
from tests.inference.baselines.published.small import CLIP_WORDS, clip_folder

START, END = 7, 8


def test_text_stands_between_start_and_end(tmp_path: Path) -> None:
    """Lower case, merges applied, one start token before and one end token after, filled up to the context."""
    tokenizer = open_clip_tokenizer(clip_folder(tmp_path))

    ids = tokenise(tokenizer, ["No bo", "b"], 6)

    assert ids[0].tolist() == [START, 6, 2, 4, END, END]
    assert ids[1].tolist()[:3] == [START, 5, END]


def test_text_too_long_keeps_its_end(tmp_path: Path) -> None:
    """The vector of a text is read at its end token, so cutting must not take that away."""
    tokenizer = open_clip_tokenizer(clip_folder(tmp_path))

    assert tokenise(tokenizer, ["no " * 50], 6).tolist() == [[START, 6, 6, 6, 6, END]]


def test_merges_file_of_openai_gives_the_ids_of_clip(tmp_path: Path) -> None:
    """Bytes first, in OpenAI's order, then bytes that end a word, then the merges: `!` is 0 and `a</w>` is 320."""
    path = tmp_path / "bpe_simple_vocab_16e6.txt.gz"
    path.write_bytes(gzip.compress(b"#version: 0.2\nn o</w>\nl u\nlu n\n"))

    ids = tokenise(open_clip_tokenizer(path), ["! a no lun"], 8)[0].tolist()

    # 256 + 0, 256 + 64, the first merge, and "lu" then "n" at the end of a word.
    assert ids == [515, 256, 320, 512, 513, 256 + 77, 516, 516]


def test_every_byte_has_a_letter_of_its_own() -> None:
    """256 bytes, none lost and none merged; the unprintable ones come last and start at U+0100."""
    letters = byte_letters()

    assert len(set(letters)) == 256
    assert letters[188] == "Ā"


@pytest.mark.parametrize("content", [b"", b"plain text", gzip.compress(b"heading\n"), gzip.compress(b"h\na b c\n")])
def test_file_that_holds_no_merges_is_refused(tmp_path: Path, content: bytes) -> None:
    """A merges file that is none is refused by its name."""
    path = tmp_path / "bpe.txt.gz"
    path.write_bytes(content)

    with pytest.raises(CheckpointError, match=r"bpe\.txt\.gz"):
        open_clip_tokenizer(path)


def test_folder_without_vocabulary_is_refused(tmp_path: Path) -> None:
    """An empty folder must not become a tokenizer that knows no word."""
    with pytest.raises(CheckpointError, match="holds no CLIP vocabulary"):
        open_clip_tokenizer(tmp_path)


def test_vocabulary_of_another_model_is_refused(tmp_path: Path) -> None:
    """Where the end token is not the last id, CLIP would read the text somewhere else."""
    tokenizer = open_clip_tokenizer(clip_folder(tmp_path))
    check_vocabulary(tokenizer, len(CLIP_WORDS))

    with pytest.raises(CheckpointError, match="does not end at 49408 tokens"):
        check_vocabulary(tokenizer, 49408)
