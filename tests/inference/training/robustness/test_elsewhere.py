from __future__ import annotations

from pathlib import Path

import pytest

from inference.backends.cut import CutGraph
from inference.checkpoint import Checkpoint
from inference.training.data.films import FolderError
from inference.training.robustness.charts import demographics_of
from inference.training.robustness.elsewhere import Foreigner, adult_figures, severity_figures
from inference.training.robustness.judge import Judge
from inference.training.scope.strangers import half_of
from tests.inference.training.data.layouts import save_film


@pytest.fixture
def judge(tiny: Checkpoint) -> Judge:
    return Judge(tiny, CutGraph(tiny.model_path))


def foreigners(folder: Path, findings: list[str], months: float | None = 700) -> list[Foreigner]:
    """One adult with one film for each finding."""
    made = []
    for number, finding in enumerate(findings):
        path = folder / f"{number}.jpg"
        save_film(path)
        made.append(Foreigner(path, str(number), demographics_of(months, 0.0), frozenset({finding})))
    return made


def test_adults_are_judged_outside_the_scope(judge: Judge, tmp_path: Path) -> None:
    """Those that no gate was fitted to are refused by age; the AUC counts films labelled Pneumonia or No Finding."""
    films = foreigners(tmp_path, ["Pneumonia", "No Finding", "Mass"] * 4)
    found = {figure.name: figure for figure in adult_figures(judge, films)}

    assert found["elsewhere.adult.refused"].value == 1
    assert found["elsewhere.adult.refused_by_film"].n == sum(half_of(film.patient) for film in films) < len(films)
    assert found["elsewhere.adult.auc"].n == 8
    assert found["elsewhere.adult.auc"].low is not None


def test_patient_without_an_age_is_refused(judge: Judge, tmp_path: Path) -> None:
    """The severity set states no age, which the scope refuses; the film alone is another question."""
    found = {figure.name: figure for figure in severity_figures(judge, foreigners(tmp_path, ["COVID-19"], None))}

    assert found["elsewhere.severity.refused"].value == 1
    assert found["elsewhere.severity.refused_by_film"].value in (0, 1)
    assert 0 <= found["elsewhere.severity.mean_probability"].value <= 1


def test_one_kind_of_film_has_no_auc(judge: Judge, tmp_path: Path) -> None:
    """Where all are ill, the folder is refused with what is missing."""
    with pytest.raises(FolderError, match="No Finding"):
        adult_figures(judge, foreigners(tmp_path, ["Pneumonia", "Pneumonia"]))
