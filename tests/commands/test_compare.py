from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from cds_hooks.cli import app
from inference.checkpoint import Checkpoint
from inference.model.mllm import MultimodalModel
from inference.training.compare.kept import Shelf, save_system
from inference.training.compare.systems import TRAINED, Ground, build
from inference.training.pack import WEIGHTS_NAME, save_weights
from tests.inference.model.conftest import SMALL
from tests.inference.tiny_checkpoint import make_checkpoint

runner = CliRunner()


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve films of noise, four of each class."""
    folder, rng = tmp_path_factory.mktemp("films"), np.random.default_rng(0)
    for number in range(4):
        names = (
            f"NORMAL/IM-000{number}-0001",
            f"PNEUMONIA/person{number}_bacteria_1",
            f"PNEUMONIA/person{number}_virus_2",
        )
        for name in names:
            path = folder / f"{name}.jpeg"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(rng.integers(0, 255, (40, 40), dtype=np.uint8)).save(path)
    return folder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A checkpoint that has learned nothing, with weights beside its graph."""
    tiny = make_checkpoint(tmp_path_factory.mktemp("checkpoint"))
    save_weights(MultimodalModel(replace(SMALL, vocabulary=128)), tiny.folder / WEIGHTS_NAME)
    return tiny


@pytest.fixture(scope="module")
def work(checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every system of seed 0, untrained but kept."""
    folder, ground = tmp_path_factory.mktemp("work"), Ground.of(checkpoint)
    for name in TRAINED:
        save_system(Shelf(folder, None).own(name, 0), name, build(name, ground), ground)
    return folder


def ask(images: Path, checkpoint: Checkpoint, work: Path, *more: str) -> list[str]:
    """The words of a command that judges a whole folder with systems of one's own."""
    paths = ["--images", str(images), "--checkpoint", str(checkpoint.folder), "--work", str(work)]
    return ["compare", *paths, "--all", "--retrain", "--threads", "1", *more]


def test_figures_for_machines_are_on_standard_output(images: Path, checkpoint: Checkpoint, work: Path) -> None:
    """One JSON object with every name of the design; that seeds are missing is said beside it, on standard error."""
    result = runner.invoke(app, ask(images, checkpoint, work, "--seeds", "3", "--json"))
    named = {figure["name"] for figure in json.loads(result.stdout)["figures"]}

    assert {"mllm.auc", "chexzero.f1", "mllm_without_text_retrained.accuracy", "mllm_minus_biovil_t.auc"} <= named
    assert len(named) == 12 * 5 + 11
    assert "1 of 3 seeds" in result.stderr


def test_table_is_for_people(images: Path, checkpoint: Checkpoint, work: Path) -> None:
    """Without --json the table is drawn, with the paper's column and what is simulated in words."""
    result = runner.invoke(app, ask(images, checkpoint, work))

    assert result.exit_code == 0
    assert "simulated" in " ".join(result.stdout.split())


def test_help_shows_an_example() -> None:
    """What a user copies first is in the help."""
    assert "mllm-cds compare --images" in " ".join(runner.invoke(app, ["compare", "--help"]).output.split())


def test_folder_judged_whole_without_trained_systems_is_refused(
    images: Path, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    """One sentence and a number, no traceback: it says which option would help."""
    result = runner.invoke(app, ask(images, checkpoint, tmp_path))

    assert (result.exit_code, result.stdout) == (2, "")
    assert "--train-images" in result.stderr


def test_folder_without_films_is_refused(tmp_path: Path) -> None:
    """The folder is named before anything is loaded."""
    result = runner.invoke(app, ["compare", "--images", str(tmp_path)])

    assert (result.exit_code, "NORMAL and PNEUMONIA" in result.stderr) == (2, True)


@pytest.mark.parametrize("seeds", ["0", "-1"])
def test_no_seed_is_no_comparison(seeds: str, images: Path) -> None:
    """At least one training of each system is judged."""
    assert runner.invoke(app, ["compare", "--images", str(images), "--seeds", seeds]).exit_code == 2
