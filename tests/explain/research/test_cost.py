from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from explain.research.cost import Sides, measure_cost
from inference.backends import BackendError
from inference.checkpoint import Checkpoint
from inference.contract import Tensor
from tests.inference import records
from tests.inference.tiny_checkpoint import make_checkpoint


@pytest.fixture(name="tiny", scope="module")
def one_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return make_checkpoint(tmp_path_factory.mktemp("tiny"))


def test_both_ratios_and_both_times_are_given(tiny: Checkpoint) -> None:
    """The ratio is that of the medians that stand beside it."""
    found = {figure.name: figure for figure in measure_cost(tiny, [(records.make_record(), records.ASKED_AT)], 3)}
    ratio = found["prediction_and_first_tier_ms"].value / found["prediction_ms"].value

    assert found["cost_ratio"].value == pytest.approx(ratio)
    assert found["cost_ratio.graph"].n == 3


def test_the_prediction_alone_runs_nothing_of_the_explanation(tiny: Checkpoint) -> None:
    """Its part of the graph has no relevance and no shares."""
    assert set(Sides(tiny).answer.outputs) == {Tensor.LOGITS, Tensor.IMAGE_FEATURE}


def test_a_checkpoint_without_a_graph_is_refused(tiny: Checkpoint, tmp_path: Path) -> None:
    """Nothing can be timed."""
    with pytest.raises((BackendError, OSError)):
        measure_cost(replace(tiny, folder=tmp_path), [(records.make_record(), records.ASKED_AT)], 1)
