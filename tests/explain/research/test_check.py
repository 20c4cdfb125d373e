from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from explain.research import check, faithful, relabel, sanity
from explain.research.check import check_methods, wrong_label_figures
from explain.research.material import Material
from explain.research.variants import Subject
from inference.checkpoint import Checkpoint, CheckpointError
from inference.model.mllm import MultimodalModel
from inference.training.data.films import read_folder
from inference.training.pack import save_weights
from inference.training.progress import Silent
from tests.inference.model.conftest import SMALL
from tests.inference.tiny_checkpoint import make_checkpoint
from tests.inference.training.made import make_folder


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    """A tiny graph, and beside it the weights of a small model; nothing learned, and not the same model."""
    made = make_checkpoint(tmp_path / "checkpoint")
    torch.manual_seed(0)
    save_weights(MultimodalModel(replace(SMALL, vocabulary=256)), made.folder / "model.safetensors")
    return made


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few cases and steps everywhere."""
    monkeypatch.setattr(faithful, "CASES_OF_DEAR", dict.fromkeys(faithful.CASES_OF_DEAR, 1))
    monkeypatch.setattr(sanity, "CASES_OF_DEAR", 1)
    monkeypatch.setattr(sanity, "FORGOTTEN_OF_DEAR", 1)
    monkeypatch.setattr(relabel, "STEPS", 1)
    monkeypatch.setattr(relabel, "BATCH", 2)
    for module in (relabel, check):
        monkeypatch.setattr(module, "LEAST_FILMS", 3)


@pytest.mark.usefixtures("small")
def test_miniature_check_has_all_figures(checkpoint: Checkpoint, tmp_path: Path) -> None:
    """From a checkpoint and films come the figures with goals, every method's details, and the composite's parts."""
    films = read_folder(make_folder(tmp_path / "films", 2))
    found = check_methods(checkpoint, Material(films[:4], films[4:], films[:4]), Silent())
    names = {figure.name for figure in found.figures}

    assert {f"comprehensiveness_over_random.{modality}" for modality in ("image", "text", "structured")} <= names
    assert {"randomised_rank_correlation", "int8.same_answer", "random_labels_rank_correlation.image"} <= names
    assert {"method.image.covering.randomised.stem", "validation.text.best_minus_shipped"} <= names
    assert len(names) == len(found.figures)
    assert 0 <= found.faithfulness <= 1
    assert 0 <= found.robustness <= 1


def test_without_films_to_learn_from_that_check_is_left_out(checkpoint: Checkpoint, subject: Subject) -> None:
    """With too few films for it there is no figure, and a line says so."""
    told: list[str] = []
    progress = SimpleNamespace(say=told.append, step=None)

    assert list(wrong_label_figures(checkpoint, subject, Material([], [], []), progress)) == []
    assert "left out" in told[0]


def test_checkpoint_without_weights_is_refused(tmp_path: Path) -> None:
    """The graph alone cannot be taken to pieces."""
    films = read_folder(make_folder(tmp_path / "films", 1))

    with pytest.raises(CheckpointError, match="no weights file"):
        check_methods(make_checkpoint(tmp_path / "checkpoint"), Material(films, [], []), Silent())
