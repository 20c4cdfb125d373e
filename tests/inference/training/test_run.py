from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from inference.manifest import CheckpointError
from inference.training.devices import Place
from inference.training.progress import Silent
from inference.training.recipe import read_recipe
from inference.training.run import Run, reopen


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(read_recipe(), tmp_path, Silent(), Place(torch.device("cpu")))


def refuse() -> nn.Module:
    raise AssertionError("a finished step was made again")


def test_finished_step_is_not_made_again(run: Run) -> None:
    """The second time the weights come from the file, into any module of the same shape."""
    made = nn.Linear(3, 2)
    first, second = nn.Linear(3, 2), nn.Linear(3, 2)
    run.kept("step", first, lambda: made)
    run.kept("step", second, refuse)

    assert torch.equal(first.weight, made.weight)
    assert torch.equal(second.weight, made.weight)


def test_finished_step_leaves_no_state_behind(run: Run) -> None:
    """What a cut-off step would go on from is taken away once it is done."""
    place, _, state = run.stage("step")
    state.write_bytes(b"state")
    run.kept("step", nn.Linear(3, 2), lambda: nn.Linear(3, 2))

    assert not state.exists()
    assert place == run.place


def test_unfinished_run_is_not_built_upon(run: Run) -> None:
    """Whoever needs a run's encoders is told to finish it."""
    with pytest.raises(CheckpointError, match="finish `mllm-cds train"):
        reopen(run)
