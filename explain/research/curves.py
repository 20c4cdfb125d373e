"""Maps and the answers to what is left of a case -> how faithful the maps are.

Comprehensiveness and sufficiency as in ERASER (DeYoung et al. 2020), each the mean over the same parts as in the second
tier of a case; insertion and deletion as in RISE (Petsiuk et al. 2018). Knows neither model nor modality.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from explain.methods.fidelity import FRACTIONS
from explain.research.cases import Flags
from explain.research.variants import Ask, Doubles

METRICS: Final = ("comprehensiveness", "sufficiency", "insertion_minus_deletion")


@dataclass(frozen=True, slots=True)
class Curves:
    """Probability of the answer of N cases.

    Attributes:
        whole: with everything, (N,).
        empty: with nothing of the modality, (N,).
        without: with the most relevant part of each of `FRACTIONS` taken away, (N, F).
        alone: with that part alone, (N, F).
    """

    whole: Doubles
    empty: Doubles
    without: Doubles
    alone: Doubles

    @property
    def comprehensiveness(self) -> Doubles:
        """Mean fall without the most relevant part (AOPC), (N,); more is better."""
        falls: Doubles = self.whole - self.without.mean(1)
        return falls

    @property
    def sufficiency(self) -> Doubles:
        """Mean fall with the most relevant part alone, (N,); less is better."""
        falls: Doubles = self.whole - self.alone.mean(1)
        return falls

    @property
    def insertion_minus_deletion(self) -> Doubles:
        """Area under the curve of putting parts in less that of taking them away, (N,); more is better."""
        inserted = np.column_stack([self.empty, self.alone, self.whole])
        deleted = np.column_stack([self.whole, self.without, self.empty])
        gap = inserted - deleted
        areas: Doubles = ((gap[:, 1:] + gap[:, :-1]) / 2) @ np.diff((0.0, *FRACTIONS, 1.0))
        return areas

    @property
    def gain(self) -> Doubles:
        """Comprehensiveness less sufficiency, as one number that is better when larger, (N,)."""
        return self.comprehensiveness - self.sufficiency

    def of(self, metric: str) -> Doubles:
        """Return one of `METRICS`, (N,)."""
        found: Doubles = getattr(self, metric)
        return found


def most_relevant(maps: Doubles, there: Flags, fraction: float) -> Flags:
    """Mark the most relevant of the parts that are there, (N, U): a fraction of them, at least one, never all.

    Equal parts are taken in an order that is drawn, the same for every map: not from the top left.
    """
    drawn = np.random.default_rng(0).random(maps.shape)
    order = np.lexsort((drawn, np.where(there, -maps, np.inf)), axis=1)
    parts = there.sum(1)
    count = np.minimum(np.maximum(np.rint(fraction * parts).astype(np.intp), 1), parts - 1)
    marked = np.zeros(maps.shape, np.bool_)
    np.put_along_axis(marked, order, np.arange(maps.shape[1]) < count[:, None], 1)
    return marked & there


def trace(ask: Ask, maps: Doubles, there: Flags, ends: tuple[Doubles, Doubles] | None = None) -> Curves:
    """Ask for the answer with the most relevant parts taken away, and with them alone.

    Args:
        ask: answers for what is kept.
        maps: relevance for the answer, larger is more, (N, U).
        there: which parts there are, (N, U).
        ends: what `both_ends` returned, where it is known.
    """
    whole, empty = ends or both_ends(ask, there)
    marked = [most_relevant(maps, there, fraction) for fraction in FRACTIONS]
    without = np.column_stack([ask(there & ~part) for part in marked])
    alone = np.column_stack([ask(part) for part in marked])
    return Curves(whole, empty, without, alone)


def both_ends(ask: Ask, there: Flags) -> tuple[Doubles, Doubles]:
    """Return the probability of the answer with everything and with nothing of a modality."""
    return ask(there), ask(np.zeros_like(there))


def mean_curves(drawn: Sequence[Curves]) -> Curves:
    """Return the mean of the curves of several random maps of the same cases."""
    return Curves(
        drawn[0].whole,
        drawn[0].empty,
        np.mean([one.without for one in drawn], axis=0),
        np.mean([one.alone for one in drawn], axis=0),
    )
