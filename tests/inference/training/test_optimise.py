from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from inference.manifest import CheckpointError
from inference.training.optimise import Optimiser
from inference.training.recipe import Stage

STAGE = Stage(epochs=2, batch=4, rate=1e-2, decay=0.1, smoothing=0.0, average=0.9, dropout=0.3)


class Network(nn.Module):
    """A stem and a head, with dropout between them."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.dropout, self.head = nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 2)


def make() -> tuple[Optimiser[Network], torch.Generator]:
    torch.manual_seed(0)
    return Optimiser(Network(), STAGE, steps=20), torch.Generator().manual_seed(1)


def walk(optimiser: Optimiser[Network], generator: torch.Generator, steps: int) -> None:
    """Take steps whose data come from the generator, and whose dropout from PyTorch's own."""
    network = optimiser.network
    for _ in range(steps):
        rows = torch.rand(4, 3, generator=generator)
        optimiser.step(network.head(network.dropout(network.stem(rows))).square().mean())


def test_cut_off_run_ends_where_an_uncut_one_does(tmp_path: Path) -> None:
    """After a pause the same weights come out, to the last digit: order, dropout, moments and schedule go on."""
    whole, draws = make()
    walk(whole, draws, 12)

    first, draws = make()
    walk(first, draws, 7)
    first.save(tmp_path / "state.safetensors", 1, draws)
    second, draws = make()
    done = second.resume(tmp_path / "state.safetensors", draws)
    walk(second, draws, 5)

    assert done == 1
    assert all(
        torch.equal(a, b) for a, b in zip(whole.averaged.parameters(), second.averaged.parameters(), strict=True)
    )


def test_no_state_is_a_fresh_start(tmp_path: Path) -> None:
    """Where nothing was saved, no epoch is done."""
    optimiser, draws = make()

    assert optimiser.resume(tmp_path / "none.safetensors", draws) == 0


def test_state_of_another_network_is_refused(tmp_path: Path) -> None:
    """A state that does not fit names its file and what to do."""
    optimiser, draws = make()
    walk(optimiser, draws, 1)
    optimiser.save(tmp_path / "state.safetensors", 1, draws)
    other: Optimiser[nn.Module] = Optimiser(nn.Linear(2, 2), STAGE, steps=20)

    with pytest.raises(CheckpointError, match="delete it to start the stage anew"):
        other.resume(tmp_path / "state.safetensors", draws)


def test_torn_state_file_is_refused(tmp_path: Path) -> None:
    """Half a file is no state."""
    (tmp_path / "state.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{")
    optimiser, draws = make()

    with pytest.raises(CheckpointError, match="does not fit this run"):
        optimiser.resume(tmp_path / "state.safetensors", draws)


def test_stem_is_moved_more_carefully() -> None:
    """What knows how to see already has its own, smaller rate."""
    optimiser, _ = make()
    rates = {group["initial_lr"] for group in optimiser.adam.param_groups}

    assert rates == {STAGE.rate, STAGE.rate * STAGE.stem_rate}


def test_dropout_is_that_of_the_stage() -> None:
    """A network made with another dropout gets the stage's."""
    optimiser, _ = make()

    assert optimiser.network.dropout.p == STAGE.dropout
