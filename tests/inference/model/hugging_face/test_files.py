from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file
from torch import Tensor

from inference.contract import TEXT_TOKENS
from inference.manifest import CheckpointError
from inference.model.pretrained import load_image_encoder, load_text_encoder
from tests.inference.model.hugging_face.sources import WIDTH, change_json, change_weights, save_bert, save_vit

QUERY = "encoder.layer.1.attention.self.query.weight"


class Touch:
    """A pickled object that makes a file when it is loaded by a careless reader."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def as_bin(folder: Path, content: Any) -> None:
    (folder / "model.safetensors").unlink()
    torch.save(content, folder / "pytorch_model.bin")


@torch.no_grad()
@pytest.mark.parametrize("wrapper", [None, "state_dict", "model"])
def test_a_pytorch_file_is_read_as_the_safetensors_file_is(tmp_path: Path, wrapper: str | None) -> None:
    """pytorch_model.bin holds the same model, in half precision or wrapped by a training script too."""
    save_bert(tmp_path)
    expected = load_text_encoder(tmp_path).state_dict()
    weights = {f"module.{name}": one for name, one in load_file(tmp_path / "model.safetensors").items()}
    as_bin(tmp_path, weights if wrapper is None else {"epoch": 3, wrapper: weights})

    found = load_text_encoder(tmp_path).state_dict()

    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def test_weights_in_half_precision_become_single(tmp_path: Path) -> None:
    """A file of half precision gives an encoder that computes in single precision."""
    save_bert(tmp_path)
    change_weights(tmp_path, {name: one.half() for name, one in load_file(tmp_path / "model.safetensors").items()})

    assert {one.dtype for one in load_text_encoder(tmp_path).parameters()} == {torch.float32}


def test_code_in_a_pytorch_file_is_never_run(tmp_path: Path) -> None:
    """A file that would run code when unpickled is refused, and the code stays unrun."""
    save_bert(tmp_path)
    as_bin(tmp_path, {QUERY: Touch(tmp_path / "ran")})

    with pytest.raises(CheckpointError, match=r"pytorch_model\.bin .*holds code, which is never run"):
        load_text_encoder(tmp_path)

    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
@pytest.mark.parametrize(
    "content", [b"", b"not weights at all", pickle.dumps({"a": 1}, protocol=2), b"PK\x03\x04cut off"]
)
def test_a_broken_weights_file_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    """A file that is cut off or something else says which file, and to download it again."""
    save_bert(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    (tmp_path / name).write_bytes(content)

    with pytest.raises(CheckpointError, match=name):
        load_text_encoder(tmp_path)


@pytest.mark.parametrize("kept", [0.01, 0.5, 0.99])
@pytest.mark.parametrize("pickled", [True, False])
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, kept: float, pickled: bool) -> None:  # noqa: FBT001
    """A download that stopped halfway never becomes a model."""
    save_bert(tmp_path)
    if pickled:
        as_bin(tmp_path, load_file(tmp_path / "model.safetensors"))
    path = tmp_path / ("pytorch_model.bin" if pickled else "model.safetensors")
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])

    with pytest.raises(CheckpointError, match=r"cut off.* Download it again"):
        load_text_encoder(tmp_path)


def test_values_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    """One NaN in a weight would make every answer NaN."""
    save_bert(tmp_path)
    change_weights(tmp_path, {QUERY: torch.full((WIDTH, WIDTH), torch.nan)})

    with pytest.raises(CheckpointError, match=f"no numbers in {QUERY}: download"):
        load_text_encoder(tmp_path)


@pytest.mark.parametrize("content", [{}, {"epoch": 3}, [torch.ones(1)]])
def test_a_file_without_a_state_dict_is_refused(tmp_path: Path, content: Any) -> None:
    """What is not named weights is no encoder."""
    save_bert(tmp_path)
    as_bin(tmp_path, content)

    with pytest.raises(CheckpointError, match="give the state dict"):
        load_text_encoder(tmp_path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({QUERY: None}, rf"lacks {QUERY}"),
        ({"encoder.layer.2.output.dense.bias": torch.ones(WIDTH)}, r"unknown weights encoder\.layer\.2"),
        ({QUERY: torch.ones(WIDTH, 3)}, rf"{QUERY} of shape 128 x 3 where 128 x 128"),
        ({"embeddings.word_embeddings.weight": torch.ones(59, WIDTH)}, r"word_embeddings\.weight of shape 59 x 128"),
        ({"embeddings.position_embeddings.weight": torch.ones(TEXT_TOKENS - 1, WIDTH)}, f"may have {TEXT_TOKENS}"),
    ],
)
def test_another_bert_is_refused(tmp_path: Path, changes: dict[str, Tensor | None], said: str) -> None:
    """A missing, unknown or misshapen weight is named with its file and with a model that would do."""
    save_bert(tmp_path)
    change_weights(tmp_path, changes)

    with pytest.raises(CheckpointError, match=rf"model\.safetensors .*{said}.*: give a BERT"):
        load_text_encoder(tmp_path)


def test_of_many_missing_weights_a_few_are_named(tmp_path: Path) -> None:
    """A folder with more layers in its settings than in its weights names three weights and counts the others."""
    save_bert(tmp_path)
    change_json(tmp_path / "config.json", num_hidden_layers=4)

    with pytest.raises(CheckpointError, match=r"encoder\.layer\.2\..* and 29 more"):
        load_text_encoder(tmp_path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model_type": "roberta"}, "model_type"),
        ({"hidden_act": "gelu_new"}, "hidden_act"),
        ({"num_attention_heads": 7}, "no multiple of num_attention_heads"),
        ({"pad_token_id": 1}, "pad_token_id"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type"),
        ({"hidden_size": "wide"}, "hidden_size"),
    ],
)
def test_settings_that_bert_cannot_follow_are_named(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    """A setting that would change the arithmetic is refused, not ignored."""
    save_bert(tmp_path)
    change_json(tmp_path / "config.json", **changes)

    with pytest.raises(CheckpointError, match=rf"config\.json .*{said}.*give a BERT"):
        load_text_encoder(tmp_path)


@pytest.mark.parametrize(
    ("file", "changes", "said"),
    [
        ("config.json", {"patch_size": 32}, "patches are 32 pixels wide where 16 are needed"),
        ("config.json", {"num_channels": 1}, "num_channels"),
        ("config.json", {"qkv_bias": False}, "qkv_bias"),
        ("config.json", {"model_type": "deit"}, "model_type"),
        ("preprocessor_config.json", {"image_mean": [0.5]}, "image_mean"),
        ("preprocessor_config.json", {"image_std": [0.5, 0.5, 0]}, "image_std"),
    ],
)
def test_settings_that_vit_cannot_follow_are_named(
    tmp_path: Path, file: str, changes: dict[str, Any], said: str
) -> None:
    """A setting that would change the arithmetic or the patches is refused, with the file it stands in."""
    save_vit(tmp_path)
    change_json(tmp_path / file, **changes)

    with pytest.raises(CheckpointError, match=rf"{file} .*{said}.*give a Vision Transformer"):
        load_image_encoder(tmp_path)


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_broken_config_is_named(tmp_path: Path, content: str) -> None:
    """Settings that are cut off, or no object, say which file."""
    save_bert(tmp_path)
    (tmp_path / "config.json").write_text(content)

    with pytest.raises(CheckpointError, match=r"config\.json is not .*download"):
        load_text_encoder(tmp_path)


@pytest.mark.parametrize(
    ("missing", "said"), [("config.json", "cannot be read"), ("model.safetensors", "holds neither")]
)
def test_half_a_folder_is_refused(tmp_path: Path, missing: str, said: str) -> None:
    """A folder without settings or without weights says what is missing."""
    save_bert(tmp_path)
    (tmp_path / missing).unlink()

    with pytest.raises(CheckpointError, match=rf"{said}.*: give a"):
        load_text_encoder(tmp_path)


@pytest.mark.parametrize("source", [Path("models/biobert"), "/models/biobert", "../biobert", "a/b/c"])
def test_a_folder_that_is_not_there_is_never_looked_up(source: str | Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path is a path: the hub is asked only for what can be a name there."""
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")

    with pytest.raises(CheckpointError, match="is no folder: give one"):
        load_text_encoder(source)


@pytest.mark.parametrize("source", ["dmis-lab/biobert-base-cased-v1.2", "biobert", "dmis-lab/biobert@v1.2"])
def test_without_a_network_a_folder_is_asked_for(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that the hub does not give, here since nobody listens there, ends in a sentence with the remedy."""
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))

    with pytest.raises(CheckpointError, match=r"cannot be fetched .*give the folder"):
        load_text_encoder(source)
