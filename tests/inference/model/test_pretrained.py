from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from inference.backends.onnx import OnnxBackend
from inference.contract import CLASSES, OUTPUT_NAMES, PATCHES, PER_PIECE, SLOTS, TEXT_TOKENS
from inference.manifest import CheckpointError
from inference.model.config import ModelConfig
from inference.model.hugging_face.config import BaseConfig, read_base_config
from inference.model.mllm import Batch, MultimodalModel
from inference.model.pretrained import build_base, empty_base
from inference.model.relevance import run_and_explain
from inference.training.export import export_onnx
from inference.training.pack import golden_inputs
from tests.inference.model.hugging_face.sources import VOCABULARY, save_bert, save_vit

SMALL: dict[str, Any] = {"hidden_size": 32, "intermediate_size": 64}
FUSION = BaseConfig(fusion_width=16, fusion_heads=2, fusion_depth=1)


@pytest.fixture
def model(tmp_path_factory: pytest.TempPathFactory) -> MultimodalModel:
    """A base model of two tiny published encoders, its fusion random."""
    images, texts = tmp_path_factory.mktemp("vit"), tmp_path_factory.mktemp("bert")
    torch.manual_seed(7)
    save_vit(images, **SMALL)
    save_bert(texts, **SMALL)
    return build_base(images, texts, FUSION)


@pytest.fixture
def inputs() -> dict[str, torch.Tensor]:
    """The golden inputs, within the tiny vocabulary: each modality absent once."""
    made = golden_inputs()
    return made | {"tokens": made["tokens"] % VOCABULARY}


def test_sizes_are_those_of_the_sources(model: MultimodalModel) -> None:
    """What the files state replaces the sizes of ViT-B/16 and BioBERT; the fusion keeps what was asked for."""
    found = model.config

    assert isinstance(found, BaseConfig)
    assert (found.image_width, found.image_depth, found.text_width, found.vocabulary) == (32, 2, 32, VOCABULARY)
    assert (found.fusion_width, found.fusion_heads) == (16, 2)


def test_base_answers_and_explains_as_the_contract_says(
    model: MultimodalModel, inputs: dict[str, torch.Tensor]
) -> None:
    """Logits, relevance and effects have the contract's shapes, and explaining does not change the answer."""
    batch = Batch(**inputs)

    explained = run_and_explain(model, batch)

    assert explained.logits.shape == (4, CLASSES)
    assert explained.image_relevance.shape == (4, PATCHES)
    assert (explained.text_effect.shape, explained.value_effect.shape) == ((4, TEXT_TOKENS), (4, SLOTS))
    torch.testing.assert_close(explained.logits, model(batch).logits, atol=1e-5, rtol=1e-4)


@pytest.mark.filterwarnings("ignore")  # the exporter of the pinned torch warns about itself
def test_exported_base_equals_autograd(model: MultimodalModel, inputs: dict[str, torch.Tensor], tmp_path: Path) -> None:
    """The ONNX graph of a base model gives PyTorch's answer and relevance, for one patient and for several."""
    export_onnx(model, tmp_path / "model.onnx")
    backend = OnnxBackend(tmp_path / "model.onnx")

    for batch in (1, 4):
        asked = {name: tensor[:batch] for name, tensor in inputs.items()}
        found = backend.run({name: tensor.numpy() for name, tensor in asked.items()}, OUTPUT_NAMES)
        for name, tensor in zip(OUTPUT_NAMES, run_and_explain(model, Batch(**asked)).in_order(), strict=True):
            # The padding of all notes is not asked for.
            words = int((asked["tokens"] != 0).sum(1).max()) if name in PER_PIECE else None
            assert np.abs(found[name][:, :words] - tensor[:, :words].numpy()).max() < 2e-5, (name, batch)


def test_a_base_model_is_rebuilt_from_its_weights_and_sizes(
    model: MultimodalModel, inputs: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    """Sizes as JSON and the state dict are all that a checkpoint needs: the sources are not read again."""
    stated = json.loads(json.dumps(asdict(model.config)))

    again = empty_base(read_base_config(tmp_path, stated)).eval()
    again.load_state_dict(model.state_dict())

    assert again.config == model.config
    assert torch.equal(again(Batch(**inputs)).logits, model(Batch(**inputs)).logits)


@pytest.mark.parametrize(
    "changes", [{"preset": "compact"}, {"image_mean": [0.5]}, {"text_inner": "wide"}, {"depth": 3}]
)
def test_wrong_sizes_are_named_with_their_file(changes: dict[str, object]) -> None:
    """A base model whose file states other fields is not guessed at."""
    with pytest.raises(CheckpointError, match=rf"model\.safetensors .*{next(iter(changes))}.*train it again"):
        read_base_config(Path("model.safetensors"), asdict(BaseConfig()) | changes)


def test_gradients_reach_both_encoders(model: MultimodalModel, inputs: dict[str, torch.Tensor]) -> None:
    """Training the answer trains every weight of the published encoders too."""
    model.zero_grad()
    model(Batch(**inputs)).logits.square().sum().backward()
    encoders = [*model.image.named_parameters(), *model.text.named_parameters()]

    silent = [name for name, one in encoders if one.grad is None or not one.grad.any()]

    # The bias of keys shifts all scores of a query alike, which softmax does not see.
    assert [name for name in silent if not name.endswith(("key.bias", "k_proj.bias"))] == []


def test_parameter_counts_are_those_published() -> None:
    """ViT-B/16 has 85.8 million weights and BioBERT-base 108.3 (here without pooler and unread positions)."""
    with torch.device("meta"):
        model = empty_base(BaseConfig())

    assert sum(one.numel() for one in model.image.parameters()) == pytest.approx(85.8e6, rel=0.01)
    assert sum(one.numel() for one in model.text.parameters()) == pytest.approx(108.3e6, rel=0.01)


def test_compact_keeps_its_weights_names() -> None:
    """Encoders that can be given change nothing for a model that is given none."""
    names = {name.split(".")[1] for name in MultimodalModel(ModelConfig()).text.state_dict(prefix="text.")}

    assert names == {"embed", "position", "norm_in", "norm_out", "blocks"}
