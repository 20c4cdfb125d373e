"""A trained model -> the checkpoint folder that ships: weights, graph, tokenizer, calibration and golden vectors."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

from inference.checkpoint import MODEL_NAME, TOKENIZER_NAME, Checkpoint, CheckpointError, seal
from inference.contract import ANSWER_NAMES, INPUT_SHAPES, OUTPUT_NAMES
from inference.manifest import read_manifest
from inference.model.config import ModelConfig
from inference.model.hugging_face.config import read_base_config
from inference.model.mllm import Batch, MultimodalModel
from inference.model.pretrained import empty_base
from inference.model.relevance import run_and_explain
from inference.training.export import export_onnx

WEIGHTS_NAME: Final = "model.safetensors"
GOLDEN_NAME: Final = "golden.npz"
GOLDEN_CASES: Final = 4


def round_weights(model: MultimodalModel) -> None:
    """Round every weight to half precision in place, so that the small file on disk is exactly what was exported."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.half().float())


def save_weights(model: MultimodalModel, path: Path) -> None:
    """Write the weights in half precision, with the model's sizes in the header."""
    state = {name: tensor.half().contiguous() for name, tensor in model.state_dict().items()}
    save_file(state, path, metadata={"config": json.dumps(asdict(model.config))})


def blank_model(path: Path, stated: dict[str, Any]) -> MultimodalModel:
    """Return a model of the stated sizes with weights that are still to be read; `path` is named in errors."""
    if stated.get("preset") == "base":
        return empty_base(read_base_config(path, stated))
    return MultimodalModel(ModelConfig(**stated))


def load_weights(path: Path) -> MultimodalModel:
    """Rebuild a model from its weights file.

    Raises:
        CheckpointError: the file is missing, or its keys are not those of its own configuration.
    """
    try:
        with safe_open(path, "pt") as file:
            stated = json.loads(file.metadata()["config"])
        model = blank_model(path, stated).eval()
    except (OSError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path} is no weights file of this version: train or fetch the checkpoint again"
        ) from error
    state = {name: tensor.float() for name, tensor in load_file(path).items()}
    if wrong := set(state) ^ set(model.state_dict()):
        raise CheckpointError(f"{path} has missing or unknown weights ({', '.join(sorted(wrong)[:3])}): train it again")
    model.load_state_dict(state)
    return model


def golden_inputs() -> dict[str, Tensor]:
    """Make inputs of no patient, from a fixed seed: everything present, and each modality absent once."""
    generator = torch.Generator().manual_seed(1)
    shapes = {name: (GOLDEN_CASES, *shape) for name, shape in INPUT_SHAPES.items()}
    made = {name: torch.rand(shape, generator=generator) for name, shape in shapes.items()}
    present = torch.ones(GOLDEN_CASES, 3)
    present[torch.arange(3), torch.arange(3)] = 0
    made["tokens"] = torch.randint(5, 4000, shapes["tokens"], generator=generator)
    made["tokens"][:, 90:] = 0
    made["image_present"], made["text_present"] = present[:, :1].clone(), present[:, 1:2].clone()
    made["value_present"] = present[:, 2:].expand(shapes["value_present"]).clone()
    made["values"] = (made["values"] * 4 - 2) * made["value_present"]
    made["value_age"] = made["value_age"] * made["value_present"]
    return made


def write_golden(model: MultimodalModel, path: Path) -> None:
    """Write inputs and the answers PyTorch gives to them: whoever serves the checkpoint can check its integration."""
    inputs = golden_inputs()
    outputs = run_and_explain(model, Batch(**inputs)).in_order()
    arrays = {f"in.{name}": tensor.numpy() for name, tensor in inputs.items()}
    found = dict(zip(OUTPUT_NAMES, outputs, strict=True))
    arrays |= {f"out.{name}": found[name].numpy() for name in ANSWER_NAMES}
    np.savez_compressed(path, allow_pickle=False, **arrays)


def write_model(model: MultimodalModel, tokenizer: Tokenizer, folder: Path) -> None:
    """Write weights, tokenizer, golden vectors and graph: all of a checkpoint but gate and settings.

    Args:
        model: its weights are rounded to half precision first.
        tokenizer: word pieces, saved as tokenizer.json.
        folder: made where it does not exist.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model.eval()  # golden answers with dropout would be nobody's
    round_weights(model)
    save_weights(model, folder / WEIGHTS_NAME)
    tokenizer.save(str(folder / TOKENIZER_NAME))
    write_golden(model, folder / GOLDEN_NAME)
    export_onnx(model, folder / MODEL_NAME)


def export_again(folder: Path) -> Checkpoint:
    """Write the graph and the golden vectors of a checkpoint anew from its weights, keeping all its settings.

    Raises:
        CheckpointError: the folder is no checkpoint.
    """
    settings = asdict(read_manifest(folder))
    model = load_weights(folder / WEIGHTS_NAME)
    write_golden(model, folder / GOLDEN_NAME)
    export_onnx(model, folder / MODEL_NAME)
    return seal(folder, {name: settings[name] for name in ("name", "version", "card", "scope", "calibration")})
