from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.checkpoint import Checkpoint
from inference.contract import INPUT_SHAPES, MEASUREMENTS, SLOT_OF_KEY, Tensor
from inference.encode import Encoder
from inference.training.cohort import case_for
from inference.training.data.films import read_folder
from inference.training.encode_cases import arrays_of, cases_of
from inference.training.robustness.charts import ASKED_AT, born, demographics_of, subjects_of
from inference.training.robustness.reworded import reworded_note
from inference.training.served import inputs_of
from tests.inference.training.robustness.subjects import write_folder


@pytest.mark.parametrize("months", [12.0, 23.99, 36.5, 60.1, 71.99, 730.0])
def test_age_comes_back_from_the_birth_date(months: float) -> None:
    """A chart's birth date gives the simulated age again, to within four days, and never a month more."""
    found = demographics_of(months, 1.0).age_months(ASKED_AT)

    assert found is not None
    assert found == pytest.approx(months, abs=4 / 31)
    assert int(found) == int(months)


def test_nobody_is_born_after_the_question() -> None:
    """An age of nothing is the day of the question."""
    assert born(0) == ASKED_AT.date()


def test_charts_reach_the_model_as_evaluate_sends_them(tmp_path: Path, tiny: Checkpoint) -> None:
    """Encoded by what serves, the charts give the arrays of `mllm-cds evaluate`; but for the days in the age."""
    films = read_folder(write_folder(tmp_path))
    expected = inputs_of(films, arrays_of(cases_of(films, 7, grammar="test"), tiny.tokenizer))
    encoded = [Encoder(tiny).encode(subject.record, ASKED_AT).arrays for subject in subjects_of(films, 7)]
    found = {name: np.concatenate([arrays[name] for arrays in encoded]) for name in INPUT_SHAPES}
    off = np.abs(found[Tensor.VALUES] - expected[Tensor.VALUES]).max(0)

    assert off[SLOT_OF_KEY["age"]] <= 4 / 31 / MEASUREMENTS[SLOT_OF_KEY["age"]].scale
    assert np.delete(off, SLOT_OF_KEY["age"]).max() == 0
    for name in set(INPUT_SHAPES) - {Tensor.VALUES}:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-6, err_msg=name)


@pytest.mark.parametrize("label", ["normal", "bacterial", "viral"])
def test_rewording_keeps_to_the_same_child(label: str) -> None:
    """In the wording of the test notes the very note of the case comes out: child and findings are the same."""
    names = [f"film-{number}.jpeg" for number in range(20)]

    again = [reworded_note(name, label, 7, wording="test") for name in names]
    assert again == [case_for(name, label, 7, grammar="test").note for name in names]
    assert None in again


def test_rewording_says_it_otherwise() -> None:
    """In the wording of the training notes hardly a sentence is the same."""
    names = [f"film-{number}.jpeg" for number in range(20)]
    pairs = [(reworded_note(name, "viral", 7), case_for(name, "viral", 7, grammar="test").note) for name in names]

    assert all(first != second for first, second in pairs if second is not None)
