from __future__ import annotations

from pathlib import Path

import orjson
import pytest
import typer
from typer.testing import CliRunner

from cds_hooks.commands.calibrate import calibrate
from inference.checkpoint import Checkpoint, CheckpointError
from inference.manifest import MASKS
from tests.inference.tiny_checkpoint import make_checkpoint
from tests.inference.training.made import make_folder


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(calibrate)
    return app


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """A folder of noise and a checkpoint that was trained on none of it."""
    make_checkpoint(tmp_path / "tiny")
    make_folder(tmp_path / "films", 220)
    return ["--images", str(tmp_path / "films"), "--checkpoint", str(tmp_path / "tiny"), "--json"]


def test_copy_is_written_and_compared(app: typer.Typer, arguments: list[str], tmp_path: Path) -> None:
    """The command prints figures before and after, and leaves a checkpoint that loads."""
    ended = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "new"), "--error", "0.4"])
    names = {figure["name"] for figure in orjson.loads(ended.stdout)["figures"]}

    assert {"before.ece", "after.ece", *(f"after.coverage.{mask}" for mask in MASKS)} <= names
    selection = Checkpoint.load(tmp_path / "new").calibration.selection
    assert selection is not None
    assert selection.error == 0.4


def test_folder_that_is_there_is_refused_first(app: typer.Typer, arguments: list[str], tmp_path: Path) -> None:
    """Minutes of judging are not spent where the result could not be written."""
    ended = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "tiny")])

    assert isinstance(ended.exception, CheckpointError)
    assert ended.stdout == ""
