from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.training.data.severity import LABS, Lab, SeverityFilm
from inference.training.severity_rows import Days, first_films, is_blind, known_value, patients_of, read_days

CRP = LABS.index("crp")


def make_film(image: str, patient: str = "a", *, icu: bool = False, crp: Lab | None = None) -> SeverityFilm:
    labs = {} if crp is None else {"crp": crp}
    return SeverityFilm(Path(f"{image}.jpg"), patient, 1.0, "CR", "ap", icu_ever=icu, died=False, labs=labs)


@pytest.mark.parametrize("days", [Days(0, None), Days(0, 0), Days(2, 3), Days(-14, None), Days(7, None), Days(-10, 10)])
def test_film_of_the_first_days_counts(days: Days) -> None:
    """A film of the days around admission counts, also on the very day of intensive care."""
    assert is_blind(days)


@pytest.mark.parametrize("days", [Days(-15, None), Days(8, None), Days(1, -1)])
def test_film_must_not_know_the_future(days: Days) -> None:
    """A film of another time, or of after intensive care began, does not count."""
    assert not is_blind(days)


def test_earliest_film_stands_for_the_patient() -> None:
    """One film a patient; who has none in time is left out."""
    films = [make_film("late"), make_film("early"), make_film("b", "b"), make_film("c", "c", icu=True)]
    days = {"late": Days(5, None), "early": Days(1, None), "b": Days(0, None), "c": Days(2, -1)}

    assert [film.path.stem for film in first_films(films, days)] == ["early", "b"]
    assert patients_of(films, days).left_out == 1


@pytest.mark.parametrize("day", [0, -3])
def test_value_known_with_the_film_counts(day: float) -> None:
    """A sample of the film's day or of the three days before counts."""
    assert np.isfinite(known_value(Lab(50, day), "crp"))


@pytest.mark.parametrize("day", [1, -4])
def test_value_of_another_time_is_missing(day: float) -> None:
    """A sample after the film would tell the future, one of long before is of another state."""
    assert np.isnan(known_value(Lab(50, day), "crp"))


def test_values_that_spread_over_decades_are_logarithms() -> None:
    """C-reactive protein goes in as a logarithm, a blood gas as it is."""
    assert known_value(Lab(np.e - 1, 0), "crp") == pytest.approx(1)
    assert known_value(Lab(40, 0), "pco2") == 40


def test_row_holds_outcome_and_values() -> None:
    """A patient's row has the outcome of the patient, the values by name, and NaN for the rest."""
    films = [make_film("a", icu=True, crp=Lab(9, 0)), make_film("b", "b")]
    found = patients_of(films, {"a": Days(0, 0), "b": Days(0, None)})

    assert found.icu.tolist() == [True, False]
    assert found.labs[0, CRP] == pytest.approx(np.log(10))
    assert np.isnan(found.labs).sum() == 2 * len(LABS) - 1


def test_days_count_from_the_admission(tmp_path: Path) -> None:
    """The table counts from the film: a film 2 days after admission has an admission of -2."""
    (tmp_path / "labels.csv").write_text(
        "image_id,admission_offset,icu_admission_offset\nx,-2,1.0\ny,0,\nz,,\n", encoding="utf-8"
    )

    assert read_days(tmp_path) == {"x": Days(2, 1), "y": Days(0, None)}
