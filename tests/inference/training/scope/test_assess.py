from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.backends import Backend, open_backend
from inference.checkpoint import Checkpoint
from inference.figures import Figure
from inference.training.data.films import Film, FolderError, load_pixels
from inference.training.scope import assess, fit
from inference.training.scope.assess import scope_figures
from inference.training.scope.features import BATCH, served_encoder
from inference.training.scope.refit import refit_gate
from tests.inference.tiny_checkpoint import make_checkpoint
from tests.inference.training.scope.chests import draw_chests

PICTURES = {"scope.kept", "scope.kept_recompressed", "scope.inverted.recall", "scope.rotated.recall"}
DRAWN = {"scope.noise.recall", "scope.extremity_drawn.recall", "scope.other_modality_drawn.recall"}
SAMPLED = {"scope.extremity.recall", "scope.other_modality.recall", "scope.adult_sample.recall"}
STATED = {"scope.lateral.recall", "scope.note_language.recall", "scope.note_kept"}


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assess, "DRAWN", 1)
    monkeypatch.setattr(fit, "EACH", 16)


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Film]:
    """Made-up chests as files: 60 to fit with, 60 to calibrate, 20 to judge."""
    folder = tmp_path_factory.mktemp("films")
    splits = ["train"] * 60 + ["calibration"] * 60 + ["test"] * 20
    for number, pixels in enumerate(draw_chests(len(splits))):
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return [
        Film(folder / f"{number}.png", number % 3, f"p{number}", f"p{number}", given=split)  # type: ignore[arg-type]
        for number, split in enumerate(splits)
    ]


def measure(checkpoint: Checkpoint, backend: Backend, films: list[Film]) -> dict[str, Figure]:
    return {figure.name: figure for figure in scope_figures(checkpoint, backend, films[-20:], None, None)}


def test_features_are_those_of_the_graph_in_any_batch(backend: Backend) -> None:
    """A film has the same feature alone and among others."""
    pixels = draw_chests(BATCH + 3)
    encode = served_encoder(backend)

    np.testing.assert_allclose(encode(pixels)[-1:], encode(pixels[-1:]), atol=1e-5)


def test_every_gate_has_its_figure(tiny: Checkpoint, backend: Backend, films: list[Film]) -> None:
    """Without folders of adults their figures are left out, not made up."""
    found = measure(tiny, backend, films)

    assert set(found) == PICTURES | DRAWN | SAMPLED | STATED
    assert all(0 <= (figure.low or 0) <= figure.value <= (figure.high or 0) <= 1 for figure in found.values())


def test_checkpoint_without_gate_has_no_figure_of_pixels(tiny: Checkpoint, backend: Backend, films: list[Film]) -> None:
    """What a checkpoint does not look at is not reported."""
    assert set(measure(replace(tiny, gate=None), backend, films)) == STATED


@pytest.mark.parametrize(("threshold", "kept"), [(1e9, 1.0), (-1.0, 0.0)])
def test_kept_and_recall_are_two_sides(
    tiny: Checkpoint, backend: Backend, films: list[Film], threshold: float, kept: float
) -> None:
    """A gate that refuses nothing keeps all and finds none; one that refuses everything the other way round."""
    assert tiny.gate is not None
    found = measure(replace(tiny, gate=replace(tiny.gate, threshold=threshold)), backend, films)

    assert found["scope.kept"].value == kept
    assert {found[name].value for name in DRAWN | SAMPLED | {"scope.rotated.recall"}} == {1 - kept}


def write_adults(folder: Path, header: str, row: str, count: int = 12) -> Path:
    """Write a set of adult films, a patient each."""
    (folder / "images").mkdir(parents=True)
    rows = [header, *(row.format(number) for number in range(count))]
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    for number in range(count):
        Image.fromarray(np.full((40, 40), 9 * number, np.uint8)).save(folder / "images" / f"{number}.jpg")
    return folder


def test_adults_of_both_sources_are_judged(
    tiny: Checkpoint, backend: Backend, films: list[Film], tmp_path: Path
) -> None:
    """The half that gates are fitted to is left out, another hospital's films are all judged."""
    columns = "file,findings,patient,age_years,sex,view"
    adults = write_adults(tmp_path / "adult", columns, "{0}.jpg,No Finding,{0},40,F,PA")
    found = {figure.name: figure.n for figure in scope_figures(tiny, backend, films[-20:], adults, None)}

    assert "scope.adult_other_hospital.recall" not in found
    assert 0 < found["scope.adult.recall"] == found["scope.adult_same_source.recall"] < 12


def test_refitted_checkpoint_keeps_its_films(tmp_path: Path, films: list[Film]) -> None:
    """A gate fitted to a hospital's own films is sealed into the checkpoint and keeps them."""
    folder = tmp_path / "tiny"
    make_checkpoint(folder)
    (folder / "scope.npz").write_bytes(b"of an older form")

    checkpoint = refit_gate(folder, films, None, seed=0)

    features = served_encoder(open_backend(checkpoint, triton_url=None))(load_pixels(films[-20:]))
    assert checkpoint.gate is not None
    assert np.mean(checkpoint.gate.score(features) <= checkpoint.gate.threshold) >= 0.9


def test_refit_needs_both_splits(tmp_path: Path, films: list[Film]) -> None:
    """Without films to calibrate by there is no threshold to be had."""
    make_checkpoint(tmp_path / "tiny")

    with pytest.raises(FolderError, match="calibration split"):
        refit_gate(tmp_path / "tiny", films[:60], None, seed=0)
