from __future__ import annotations

from pathlib import Path

import orjson
import typer
from typer.testing import CliRunner

from cds_hooks.commands.fusion_check import fusion_check
from inference.training.data.severity import columns
from tests.inference.tiny_checkpoint import make_checkpoint
from tests.inference.training.data.layouts import Row, save_film, write_table

app = typer.Typer()
app.command()(fusion_check)


def make_row(number: int) -> Row:
    """One patient with a film, two values of its day and, every third, intensive care the day after."""
    row = {"patient_id": f"p{number}", "image_id": f"i{number}", "sex": "f", "projection": "ap", "admission_offset": 0}
    values = {"crp_val": 20 + number, "crp_offset": 0, "ldh_val": 200 - number, "ldh_offset": -1}
    return {**row, **values, **({"icu_admission_offset": 1} if number % 3 == 0 else {})}


def test_command_prints_the_figures_of_a_folder(tmp_path: Path) -> None:
    """From a folder in the published layout and a checkpoint comes the one JSON object."""
    rows = [make_row(number) for number in range(18)]
    for row in rows:
        save_film(tmp_path / "data" / "images" / f"{row['image_id']}.jpg", len(str(row)))
    write_table(tmp_path / "data" / "labels.csv", ",".join([*columns(), "admission_offset"]), rows)
    checkpoint = make_checkpoint(tmp_path / "checkpoint")
    options = ["--images", str(tmp_path / "data"), "--checkpoint", str(checkpoint.folder), "--json"]

    body = orjson.loads(CliRunner().invoke(app, options, catch_exceptions=False).stdout)

    found = {figure["name"]: figure["value"] for figure in body["figures"]}
    assert body["command"] == "fusion-check"
    assert (found["severity.patients"], found["severity.icu_patients"]) == (18, 6)
