from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from cds_hooks.commands.explain_check import explain_check, films_of_the_demo
from cds_hooks.commands.explain_report import methods_table, modalities
from inference.contract import DIAGNOSES
from inference.figures import Figure

app = typer.Typer()
app.command()(explain_check)


def test_films_of_the_demo_are_there_with_their_class() -> None:
    """Without a folder the films that ship are judged, each as what it was made to show."""
    found = films_of_the_demo()

    assert all(film.path.is_file() for film in found)
    assert {DIAGNOSES[film.label].key for film in found} == {"normal", "bacterial", "viral"}


def test_wrong_folder_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """A folder without films ends with what it needs, not with a traceback."""
    result = CliRunner().invoke(app, ["--images", str(tmp_path)])

    assert result.exit_code == 2
    assert "NORMAL and PNEUMONIA" in result.output


def test_without_pytorch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named before anything is read."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    result = CliRunner().invoke(app, [])

    assert result.exit_code == 2
    assert "mllm-cds[train]" in result.output


def test_table_holds_a_method_a_row() -> None:
    """Each modality has its table; what was not measured for a method stays empty."""
    figures = [
        Figure("method.image.relevance.stability", 0.9, "1", 9, 0.8, 1.0),
        Figure("method.image.covering.comprehensiveness.over_random", 0.12, "1", 9),
        Figure("method.image.relevance_through_encoder.int8", 0.99, "1", 9),
        Figure("claims_traced", 1.0, "1", 9),
    ]
    console = Console(record=True, width=80)
    console.print(methods_table("image", figures))
    text = console.export_text()

    assert modalities(figures) == ["image"]
    assert "+0.90" in text
    assert "+0.12" in text
    assert "…" not in text
