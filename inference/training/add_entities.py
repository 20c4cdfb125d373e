"""A weights file of before the entity head -> the same file with a trained head; nothing else of the model changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from safetensors import safe_open
from safetensors.torch import load_file
from tokenizers import Tokenizer

from inference.checkpoint import CheckpointError
from inference.model.config import ModelConfig
from inference.model.mllm import MultimodalModel
from inference.training.entities import STAGE, EntityStage, Report, fit_entities
from inference.training.pack import save_weights

HEAD: Final = "entities."


def add_entities(path: Path, tokenizer: Tokenizer, seed: int, report: Report, stage: EntityStage = STAGE) -> None:
    """Train an entity head for the model of a weights file, and write it into the file.

    `inference.training.pack.export_again` then makes the graph. A head that is there already is trained anew.

    Raises:
        CheckpointError: weights other than the head's are missing or unknown.
    """
    with safe_open(path, "pt") as file:
        config = ModelConfig(**json.loads(file.metadata()["config"]))
    model = MultimodalModel(config)
    state = {name: tensor.float() for name, tensor in load_file(path).items() if not name.startswith(HEAD)}
    wrong = set(state) ^ {name for name in model.state_dict() if not name.startswith(HEAD)}
    if wrong:
        raise CheckpointError(f"{path} has missing or unknown weights ({', '.join(sorted(wrong)[:3])}): train it again")
    model.load_state_dict(state, strict=False)
    model.entities = fit_entities(model.text, model.entities, tokenizer, seed, report, stage)
    save_weights(model, path)
