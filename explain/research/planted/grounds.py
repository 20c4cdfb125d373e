"""A folder of films -> films of different patients to learn from, to stop by and to judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from explain.research.planted.cases import Ground
from explain.research.planted.plan import Plan
from inference.training.cohort.grammar import GrammarName
from inference.training.data.films import Film, FolderError, Split, load_pixels
from inference.training.robustness.run import pick_films

MISSING: Final = 0.15
"""Of the measurements to learn from, as in the last stage of the shipped checkpoint's recipe."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What is planted in: the notes around judged films are in words that nothing was learnt from."""

    learnt: Ground
    validation: Ground
    judged: Ground


def choose_grounds(films: Sequence[Film], plan: Plan) -> Grounds:
    """Divide a folder by its splits, drawn by the names of the films.

    Raises:
        FolderError: a split has no film, or a film cannot be read.
    """
    return Grounds(
        replace(read_ground(films, "train", "train", plan.learnt), missing=MISSING),
        read_ground(films, "validation", "train", plan.validation),
        read_ground(one_each(films), "test", "test", plan.judged),
    )


def read_ground(films: Sequence[Film], split: Split, grammar: GrammarName, count: int) -> Ground:
    """Draw films of a split and read them."""
    chosen = pick_films([film for film in films if film.split == split], count)
    if not chosen:
        raise FolderError(f"no film falls into the split {split}: evidence cannot be planted in a folder this small")
    return Ground(chosen, load_pixels(chosen), grammar)


def one_each(films: Sequence[Film]) -> list[Film]:
    """Return the first film of each patient, so that judged cases are independent of one another."""
    return list({film.group: film for film in reversed(films)}.values())[::-1]
