from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from explain.research.planted.cases import Ground, plant
from explain.research.planted.kept import load_tuned, save_tuned
from explain.research.planted.plan import lesson
from explain.research.planted.tune import LEARNT, Lesson, accuracy, lesson_of, read_films, tune
from fhir_adapter.record import Modality
from inference.checkpoint import Checkpoint, CheckpointError
from inference.contract import MODALITIES
from inference.model.mllm import MultimodalModel
from inference.training.pack import load_weights
from inference.training.progress import Silent


@pytest.fixture
def untaught(checkpoint: Checkpoint) -> MultimodalModel:
    return load_weights(checkpoint.folder / "model.safetensors").requires_grad_(requires_grad=False)


def make_lesson(modality: Modality, model: MultimodalModel, ground: Ground, checkpoint: Checkpoint) -> Lesson:
    """Plant once."""
    seen = None if modality == "image" else read_films(model, ground)
    return lesson_of(model, [plant(modality, ground, checkpoint.tokenizer, 1)], seen)


@pytest.mark.parametrize("modality", MODALITIES)
def test_only_what_reads_the_plant_learns(
    modality: Modality, untaught: MultimodalModel, ground: Ground, checkpoint: Checkpoint
) -> None:
    """The stem and the encoders of the other modalities stay, and so does the model that was copied."""
    part = make_lesson(modality, untaught, ground, checkpoint)
    before = {name: weight.clone() for name, weight in untaught.state_dict().items()}
    taught = tune(untaught, modality, (part, part), replace(lesson(1, 1e-2), batch=4), 2.0, Silent()).state_dict()
    moved = {name for name, weight in before.items() if not torch.equal(taught[name], weight)}

    assert moved
    assert all(name.startswith(LEARNT[modality]) for name in moved)
    assert all(torch.equal(weight, before[name]) for name, weight in untaught.state_dict().items())


def test_planted_label_can_be_learnt(untaught: MultimodalModel, ground: Ground, checkpoint: Checkpoint) -> None:
    """A few cases are learnt by heart: the way from the plant to the label is open."""
    part = make_lesson("structured", untaught, ground, checkpoint)
    taught = tune(untaught, "structured", (part, part), replace(lesson(80, 1e-2), batch=12), 0.99, Silent())

    assert accuracy(taught, "structured", part) >= 0.99


def test_kept_weights_come_back(untaught: MultimodalModel, tmp_path: Path) -> None:
    """What was written is what is read, and nothing else of the model changes."""
    other = MultimodalModel(untaught.config)
    save_tuned(tmp_path / "text.safetensors", other, "text")
    found, wanted = load_tuned(tmp_path / "text.safetensors", untaught, "text").state_dict(), other.state_dict()

    assert all(torch.equal(found[name], wanted[name]) for name in wanted if name.startswith(LEARNT["text"]))
    assert torch.equal(found["image.position"], untaught.image.get_parameter("position"))


def test_file_of_another_modality_is_refused(untaught: MultimodalModel, tmp_path: Path) -> None:
    """Half a model would point anywhere; the message says what to do."""
    save_tuned(tmp_path / "text.safetensors", untaught, "text")

    with pytest.raises(CheckpointError, match="delete it"):
        load_tuned(tmp_path / "text.safetensors", untaught, "image")


def test_broken_file_is_refused(untaught: MultimodalModel, tmp_path: Path) -> None:
    """A file that is no safetensors is named."""
    (tmp_path / "text.safetensors").write_bytes(b"nothing")

    with pytest.raises(CheckpointError, match=r"text\.safetensors"):
        load_tuned(tmp_path / "text.safetensors", untaught, "text")
