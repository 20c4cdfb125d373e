from __future__ import annotations

from pathlib import Path

import orjson
import pytest
import typer
from typer.testing import CliRunner

from cds_hooks.commands.robustness import robustness
from inference.training.robustness.kinds import KINDS
from tests.inference.tiny_checkpoint import make_checkpoint
from tests.inference.training.robustness.subjects import write_folder

app = typer.Typer()
app.command()(robustness)


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    checkpoint = make_checkpoint(tmp_path / "checkpoint")
    return ["--images", str(write_folder(tmp_path / "films", 2)), "--checkpoint", str(checkpoint.folder), "--all"]


def test_miniature_run_prints_figures_and_draws(options: list[str], tmp_path: Path) -> None:
    """The command goes over a folder, prints the one JSON object and writes the plot."""
    result = CliRunner().invoke(app, [*options, "--json", "--plot", str(tmp_path / "plot.svg")])
    body = orjson.loads(result.stdout)

    assert body["command"] == "robustness"
    assert f"robustness.{KINDS[0].name}.auc_drop" in {figure["name"] for figure in body["figures"]}
    assert (tmp_path / "plot.svg").read_text().startswith("<svg")


def test_folder_of_adults_that_does_not_fit_is_refused_first(options: list[str], tmp_path: Path) -> None:
    """A wrong folder is named before minutes are spent on the others."""
    result = CliRunner().invoke(app, [*options, "--adult", str(tmp_path / "nothing")])

    assert result.exit_code == 1
    assert "labels" in str(result.exception)
