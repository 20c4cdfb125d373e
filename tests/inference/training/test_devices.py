from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from inference.training.devices import Place, open_place

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys, torch
from torch import nn
from inference.training.devices import open_place
from inference.training.optimise import Optimiser
from inference.training.recipe import Stage
place = open_place()
torch.manual_seed(0)
network = nn.Linear(3, 2)
optimiser = Optimiser(network, Stage(1, 8, 1e-2, 0.0, 0.0, 0.9), 10, place)
rows = torch.rand(8, 3, generator=torch.Generator().manual_seed(1))
for _ in range(3):
    optimiser.step(network(rows[place.share(torch.arange(8))]).square().mean())
if place.rank == 0:
    print(" ".join(f"{value:.6f}" for value in network.weight.flatten().tolist()))
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def weights(*command: str) -> list[float]:
    """Run the program, and return the weights it prints."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    found = subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    return [float(word) for word in found.stdout.split()]


def test_two_processes_learn_as_one(program: Path) -> None:
    """`torchrun` with two processes, each with half of every batch, gives the weights of one with all of it."""
    alone = weights(str(program))
    together = weights("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(program))

    assert together == pytest.approx(alone, abs=1e-5)


def test_shares_of_a_batch_are_disjoint_and_whole() -> None:
    """Every row of a batch is some process's, and nobody else's."""
    shares = [Place(torch.device("cpu"), rank, 3).share(torch.arange(10)) for rank in range(3)]

    assert sorted(torch.cat(shares).tolist()) == list(range(10))


def test_alone_on_a_machine_without_gpu_it_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """No environment of `torchrun` and no GPU: one process on the CPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    assert open_place() == Place(torch.device("cpu"), 0, 1)
