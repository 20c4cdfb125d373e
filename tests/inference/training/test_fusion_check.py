from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.backends.cut import CutGraph
from inference.checkpoint import Checkpoint
from inference.training.data.films import FolderError
from inference.training.data.severity import LABS, SeverityFilm
from inference.training.fusion_check import Columns, compare, fusion_figures, score_systems
from inference.training.resampling import Doubles
from inference.training.robustness.judge import Judge
from inference.training.severity_rows import Patients
from tests.inference.training.data.layouts import save_film

COUNT = 60
ICU = np.arange(COUNT) % 3 == 0
SYSTEMS = ("image", "labs", "both", "both_late")
NAMES = {
    *(f"severity.{name}.auc" for name in (*SYSTEMS, "bedside")),
    *(f"severity.{fusion}_minus_{part}.auc" for fusion in ("both", "both_late") for part in ("image", "labs")),
    *(f"severity.{name}" for name in ("patients", "icu_patients", "left_out")),
}


def areas(image_sign: float, lab_sign: float) -> dict[str, float]:
    """AUC of each system where the outcome shifts one image feature and one value by so many deviations."""
    random = np.random.default_rng(1)
    image = random.normal(size=(COUNT, 12))
    image[:, 0] = 3 * (image[:, 0] + image_sign * ICU)
    labs: Doubles = random.normal(size=(COUNT, len(LABS)))
    labs[:, 0] += lab_sign * ICU
    labs[random.random(labs.shape) < 0.3] = np.nan
    return {item.name: item.value for item in compare(score_systems(Columns(image, labs, ICU), repeats=2), ICU)}


def test_noise_tells_nothing() -> None:
    """Where neither part knows the outcome, no system does: nothing of the held-out patients gets into the fit."""
    found = areas(0, 0)

    assert all(abs(found[f"severity.{name}.auc"] - 0.5) < 0.2 for name in SYSTEMS)


def test_both_tell_more_where_each_knows_something() -> None:
    """Two signs that are independent add up in both fusions."""
    found = areas(1.5, 1.5)

    assert min(found["severity.both_minus_image.auc"], found["severity.both_minus_labs.auc"]) > 0.02
    assert min(found["severity.both_late_minus_image.auc"], found["severity.both_late_minus_labs.auc"]) > 0.02


def make_patients(folder: Path, icu: int, others: int) -> Patients:
    """Patients with a film each; every value of the laboratory is missing but the first."""
    truth = np.array([True] * icu + [False] * others)
    films = [
        SeverityFilm(
            save_film(folder / f"{number}.jpg", number),
            str(number),
            female=None,
            modality="CR",
            projection="ap",
            icu_ever=bool(ill),
            died=False,
            labs={},
        )
        for number, ill in enumerate(truth)
    ]
    labs = np.full((len(truth), len(LABS)), np.nan)
    labs[:, 0] = np.arange(len(truth))
    return Patients(tuple(films), labs, truth, 2)


def test_protocol_runs_on_films_and_values(tiny: Checkpoint, tmp_path: Path) -> None:
    """From films and values come all figures, also where a value was never measured; differences have intervals."""
    found = {item.name: item for item in fusion_figures(tiny_judge(tiny), make_patients(tmp_path, 8, 10), 1)}

    assert found.keys() == NAMES
    assert found["severity.both_minus_image.auc"].low is not None
    assert found["severity.patients"].value == 18
    assert found["severity.bedside.auc"].value == 0.5


@pytest.mark.parametrize(("icu", "others"), [(4, 40), (40, 4), (5, 5)])
def test_too_few_patients_are_refused(tiny: Checkpoint, tmp_path: Path, icu: int, others: int) -> None:
    """Folds without patients of one kind, or with fewer patients than components, are refused by number."""
    with pytest.raises(FolderError, match="cross-validation needs"):
        fusion_figures(tiny_judge(tiny), make_patients(tmp_path, icu, others))


def tiny_judge(tiny: Checkpoint) -> Judge:
    return Judge(tiny, CutGraph(tiny.model_path))
