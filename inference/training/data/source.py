"""Film -> the case around it: drawn by simulation, or read from a real chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, Self

import numpy as np

from inference.contract import DIAGNOSES
from inference.training.cohort import case_for
from inference.training.cohort.grammar import GrammarName
from inference.training.data.case import Case
from inference.training.data.films import Film, FolderError


class CaseSource(Protocol):
    """Where the note and the measurements around each film come from."""

    def cases(self, films: Sequence[Film], *, draw: int, complete: float = 0.0) -> list[Case]:
        """Return one case for each film.

        Args:
            films: of the data set the source belongs to.
            draw: another number gives the same film another simulated case; a recorded one stays what it is.
            complete: share of simulated cases, 0..1, in which everything was measured and a note written.
        """

    def for_judging(self) -> CaseSource:
        """Return the source that held-out films are judged with: a simulated one in words training never saw."""


@dataclass(frozen=True)
class Dataset:
    """Labelled films and what stands around them.

    Attributes:
        films: each with its label, patient, group and split.
        source: of their notes and measurements.
        left_out: how many films or studies were not taken, by the reason in words.
    """

    films: tuple[Film, ...]
    source: CaseSource
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class SimulatedSource:
    """Cases of `inference.training.cohort`: the same for the same film name, seed and draw, in any folder."""

    seed: int
    grammar: GrammarName = "train"

    def cases(self, films: Sequence[Film], *, draw: int = 0, complete: float = 0.0) -> list[Case]:
        """Draw the case around each film from its name and label; see `CaseSource`."""
        whole = np.random.default_rng([self.seed, abs(draw), 7]).random(len(films)) < complete
        return [
            case_for(
                film.path.name,
                DIAGNOSES[film.label].key,
                self.seed,
                grammar=self.grammar,
                draw=draw,
                complete=bool(all_of_it),
            )
            for film, all_of_it in zip(films, whole, strict=True)
        ]

    def for_judging(self) -> Self:
        """Return the same cohort with notes of the grammar that training never reads."""
        return replace(self, grammar="test")


@dataclass(frozen=True)
class RecordedSource:
    """Real charts by film: there is one of each, so `draw` and `complete` change nothing."""

    charts: Mapping[Path, Case]

    def cases(self, films: Sequence[Film], *, draw: int = 0, complete: float = 0.0) -> list[Case]:
        """Return the chart of each film.

        Raises:
            FolderError: a film is not of this data set.
        """
        if strange := next((film for film in films if film.path not in self.charts), None):
            raise FolderError(f"{strange.path} has no chart here: use the films of the data set that was read")
        return [self.charts[film.path] for film in films]

    def for_judging(self) -> Self:
        """Return itself."""
        return self
