from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from explain.research.planted.cases import Ground
from explain.research.planted.plan import Plan, lessons
from inference.checkpoint import Checkpoint
from inference.contract import IMAGE_SIZE
from inference.model.mllm import MultimodalModel
from inference.training.data.films import Film, read_folder
from inference.training.pack import save_weights
from tests.inference.model.conftest import SMALL, model
from tests.inference.tiny_checkpoint import make_checkpoint
from tests.inference.training.made import make_folder

__all__ = ["model"]


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A tiny graph, and beside it the weights of a small model that has learnt nothing."""
    made = make_checkpoint(tmp_path_factory.mktemp("checkpoint"))
    torch.manual_seed(0)
    save_weights(MultimodalModel(replace(SMALL, vocabulary=256)), made.folder / "model.safetensors")
    return made


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Film]:
    """Films of noise of 60 patients, some in every split."""
    return read_folder(make_folder(Path(tmp_path_factory.mktemp("films")), 20))


@pytest.fixture(scope="session")
def ground(films: list[Film]) -> Ground:
    """A dozen films of noise, as they were read."""
    pixels = np.random.default_rng(0).integers(0, 255, (12, IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)
    return Ground(films[::5], pixels, "train")


@pytest.fixture(scope="session")
def plan() -> Plan:
    """A few films, and one pass over them."""
    stages = {modality: replace(stage, epochs=1, batch=4) for modality, stage in lessons().items()}
    return Plan(learnt=8, views=1, validation=3, judged=3, stages=stages)
