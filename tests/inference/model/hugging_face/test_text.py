from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import BertForMaskedLM, BertForSequenceClassification, BertModel

from inference.contract import TEXT_TOKENS
from inference.model.pretrained import load_text_encoder
from tests.inference.model.hugging_face.sources import VOCABULARY, WIDTH, save_bert


@pytest.fixture
def tokens() -> Tensor:
    """Three notes, the longest without padding, the last nothing but padding."""
    made = torch.randint(1, VOCABULARY, (3, TEXT_TOKENS))
    made[0, 20:] = 0
    made[2] = 0
    return made


def ask_transformers(model: Any, tokens: Tensor) -> Tensor:
    states: Tensor = model(tokens, attention_mask=(tokens != 0).long()).last_hidden_state
    return states


@torch.no_grad()
@pytest.mark.parametrize("kind", [BertModel, BertForMaskedLM, BertForSequenceClassification])
def test_tokens_are_those_of_transformers(tmp_path: Path, tokens: Tensor, kind: type) -> None:
    """A loaded BERT, alone or taken out of a larger model, gives what transformers gives for the same word pieces."""
    theirs = save_bert(tmp_path, kind)

    states = load_text_encoder(tmp_path)(tokens)

    assert states.shape == (3, TEXT_TOKENS, WIDTH)
    expected = ask_transformers(getattr(theirs, "bert", theirs), tokens[:2])
    torch.testing.assert_close(states[:2], expected, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_padding_is_never_read(tmp_path: Path, tokens: Tensor) -> None:
    """A note gives the same tokens however much padding follows it, and padding alone gives finite numbers."""
    save_bert(tmp_path)
    encoder = load_text_encoder(tmp_path)

    states = encoder(tokens)

    torch.testing.assert_close(states[:1, :20], encoder(tokens[:1, :20]), atol=1e-5, rtol=1e-4)
    assert states.isfinite().all()


@torch.no_grad()
def test_names_of_older_files_are_known(tmp_path: Path, tokens: Tensor) -> None:
    """Layer norms called gamma and beta, and a stored position counter, load as today's names do."""
    save_bert(tmp_path)
    expected = load_text_encoder(tmp_path)(tokens)
    weights = load_file(tmp_path / "model.safetensors")
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for name, tensor in weights.items()
    }
    save_file(old | {"embeddings.position_ids": torch.arange(9)[None]}, tmp_path / "model.safetensors")

    assert torch.equal(load_text_encoder(tmp_path)(tokens), expected)


def test_every_weight_that_is_kept_can_learn(tmp_path: Path, tokens: Tensor) -> None:
    """No weight is carried along that a note never reaches."""
    save_bert(tmp_path)
    encoder = load_text_encoder(tmp_path)
    encoder(tokens).square().sum().backward()

    silent = [name for name, one in encoder.named_parameters() if one.grad is None or not one.grad.any()]

    # The bias of keys shifts all scores of a query alike, which softmax does not see.
    assert [name for name in silent if not name.endswith("key.bias")] == []
