"""Calibration films and simulated notes -> the checkpoint's bank of what an absent film or note may be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from inference.bank import Bank
from inference.checkpoint import Checkpoint
from inference.contract import DIAGNOSES
from inference.explore import Explorer
from inference.training.data.films import Film
from inference.training.encode_cases import arrays_of, cases_of
from inference.training.served import inputs_of

OF_EACH: Final = 4
"""Films of each diagnosis: enough to tell a hopeless film from a helpful one, and some 200 kB."""
SEED: Final = 11_000


def fill_bank(checkpoint: Checkpoint, films: Sequence[Film]) -> None:
    """Write bank.npz into the folder of a checkpoint; seal it again afterwards.

    Where a diagnosis has too few films, all have as few.

    Args:
        checkpoint: its encoders are used.
        films: none of them used to fit the weights.
    """
    of_label = [[film for film in films if film.label == label] for label in range(len(DIAGNOSES))]
    many = min(OF_EACH, *(len(same) for same in of_label))
    chosen = [film for same in of_label for film in _spread(same, many)]
    if not chosen:
        return
    inputs = inputs_of(chosen, arrays_of(cases_of(chosen, SEED, grammar="test", complete=1.0), checkpoint.tokenizer))
    rows = [{name: array[place : place + 1] for name, array in inputs.items()} for place in range(len(chosen))]
    Bank.of_cases(Explorer(checkpoint), rows).save(checkpoint.folder)


def _spread(films: Sequence[Film], many: int) -> Iterator[Film]:
    """Yield films that lie apart in the list: those next to each other are often one patient's."""
    for number in range(many):
        yield films[number * len(films) // many]
