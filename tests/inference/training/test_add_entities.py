from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from inference.checkpoint import CheckpointError
from inference.model.mllm import MultimodalModel
from inference.training.add_entities import HEAD, add_entities
from inference.training.entities import STAGE, EntityStage, draw_documents
from inference.training.pack import load_weights, save_weights
from inference.training.tokenizer import train_tokenizer
from inference.words import open_tokenizer
from tests.inference.model.conftest import SMALL

BRIEF = EntityStage(replace(STAGE.optimisation, epochs=1, batch=8), 8)


@pytest.fixture
def tokenizer(tmp_path: Path) -> Tokenizer:
    path = tmp_path / "tokenizer.json"
    train_tokenizer([document.text for document in draw_documents(20, (0,), "train")], 300).save(str(path))
    return open_tokenizer(path)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """The weights of a model that has no entity head yet."""
    path = tmp_path / "model.safetensors"
    save_weights(MultimodalModel(replace(SMALL, vocabulary=300)), path)
    return path


def keep(path: Path, *, without: str) -> dict[str, torch.Tensor]:
    """Take weights out of a file and return those that stay."""
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    kept = {name: tensor for name, tensor in load_file(path).items() if not name.startswith(without)}
    save_file(kept, path, metadata)
    return kept


def test_a_head_is_added_and_nothing_else_changes(weights: Path, tokenizer: Tokenizer) -> None:
    """A file of before the head can be loaded afterwards, every other weight to the last bit as it was."""
    kept = keep(weights, without=HEAD)
    add_entities(weights, tokenizer, 0, lambda _: None, BRIEF)
    after = load_file(weights)

    assert all(torch.equal(after[name], tensor) for name, tensor in kept.items())
    assert load_weights(weights).entities


def test_a_file_that_lacks_more_is_refused(weights: Path, tokenizer: Tokenizer) -> None:
    """Only the head may be missing: another model is named before any training."""
    keep(weights, without="structured.")

    with pytest.raises(CheckpointError, match=r"structured\..*train it again"):
        add_entities(weights, tokenizer, 0, pytest.fail, BRIEF)
