from __future__ import annotations

from pathlib import Path

import pytest

from inference.training.data.case import Case
from inference.training.data.films import Film, FolderError
from inference.training.data.source import RecordedSource, SimulatedSource
from inference.training.encode_cases import cases_of

FILMS = [Film(Path(f"film-{number}.jpeg"), number % 3, f"p{number}", f"p{number}") for number in range(12)]
CHART = Case({"crp": 40.0}, {"crp": 3.0}, "Cough.")


def test_simulated_source_draws_the_cases_of_the_cohort() -> None:
    """One seed, grammar and draw give one cohort, whichever way it is asked for."""
    drawn = SimulatedSource(3, "test").cases(FILMS, draw=2, complete=0.5)

    assert drawn == cases_of(FILMS, 3, grammar="test", draw=2, complete=0.5)
    assert drawn != SimulatedSource(3, "test").cases(FILMS, draw=3, complete=0.5)


def test_films_are_judged_in_words_that_training_never_read() -> None:
    """Held-out films get notes of the other grammar, from the same seed."""
    assert SimulatedSource(3, "train").for_judging() == SimulatedSource(3, "test")


def test_recorded_source_returns_the_chart_of_each_film_in_order() -> None:
    """A real chart is what it is: another draw changes nothing."""
    other = Case({}, {}, None)
    source = RecordedSource({FILMS[0].path: CHART, FILMS[1].path: other})

    assert source.cases([FILMS[1], FILMS[0]], draw=5, complete=1.0) == [other, CHART]
    assert source.for_judging() is source


def test_film_of_another_data_set_is_refused() -> None:
    """A chart is never made up for a film that has none."""
    with pytest.raises(FolderError, match=r"film-1\.jpeg has no chart"):
        RecordedSource({FILMS[0].path: CHART}).cases(FILMS[:2])
