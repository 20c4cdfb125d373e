"""A model and cases -> how faithful each method's maps are, beside maps that are drawn at random."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from explain.research.cases import Flags
from explain.research.curves import METRICS, Curves, both_ends, mean_curves, trace
from explain.research.intervals import mean_figure
from explain.research.methods import DEAR, METHODS, RANDOM, SHIPPED, Method, draw_maps, drawn
from explain.research.variants import Doubles, Subject
from fhir_adapter.record import Modality
from inference.figures import Figure

CONTROLS: Final = 2
"""Random maps of each case."""
CASES_OF_DEAR: Final[Mapping[str, int]] = {"covering": 48, "leave_one_out": 40, "shapley": 40}
"""Cases at most that a dear method is measured on: the first ones."""
Done = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """Curves of every method of one modality.

    Attributes:
        modality: which.
        there: which cases have two parts of it or more, (N,); with fewer there is nothing to compare.
        patients: of each case.
        curves: by the name of the method; a dear one has those of the first cases alone.
        maps: of the methods, (N, U) likewise.
        parts: which parts there are, (N, U).
    """

    modality: Modality
    there: Flags
    patients: tuple[str, ...]
    curves: Mapping[str, Curves]
    maps: Mapping[str, Doubles]
    parts: Flags

    def values(self, method: str, metric: str) -> Doubles:
        """Return a metric of each case that a method was measured on; NaN where the modality is not there."""
        found = self.curves[method].of(metric)
        return np.where(self.there[: len(found)], found, np.nan)

    def over_random(self, method: str, metric: str = "comprehensiveness") -> Doubles:
        """Return by how much a method is above the random maps of the same cases."""
        found = self.values(method, metric)
        above: Doubles = found - self.values(RANDOM, metric)[: len(found)]
        return above


def judge_methods(
    subject: Subject, modality: Modality, done: Done, methods: Mapping[str, Method] | None = None
) -> Faithfulness:
    """Measure the methods of a modality; chance is always among them.

    Args:
        subject: model and cases.
        modality: whose methods.
        done: called once for each method, `count_methods` times in all.
        methods: some of them; all where not given.
    """
    chosen = METHODS[modality] if methods is None else methods
    there, ask = subject.cases.there(modality), subject.ask(modality)
    ends = both_ends(ask, there)
    curves, maps = {}, {}
    cheap = {name: method for name, method in chosen.items() if name not in DEAR and name != RANDOM}
    for name, found in draw_maps(subject, cheap).items():
        maps[name], curves[name] = found, trace(ask, found, there, ends)
        done()
    controls = {f"{draw}": drawn(modality, draw) for draw in range(CONTROLS)}
    random = draw_maps(subject, controls)
    curves[RANDOM] = mean_curves([trace(ask, found, there, ends) for found in random.values()])
    maps[RANDOM] = random["0"]
    done()
    for name in [name for name in chosen if name in DEAR]:
        few = subject.pick(slice(CASES_OF_DEAR[name]))
        maps[name] = draw_maps(few, {name: chosen[name]})[name]
        curves[name] = trace(few.ask(modality), maps[name], few.cases.there(modality))
        done()
    return Faithfulness(modality, there.sum(1) > 1, subject.cases.patients, curves, maps, there)


def count_methods() -> int:
    """Return how many methods there are in all modalities."""
    return sum(len(methods) for methods in METHODS.values())


def method_figures(found: Faithfulness) -> Iterator[Figure]:
    """Yield every metric of every method with its control: `method.<modality>.<method>.<metric>[.over_random]`."""
    for method in found.curves:
        start = f"method.{found.modality}.{method}"
        for metric in METRICS:
            yield from mean_figure(f"{start}.{metric}", found.values(method, metric), found.patients)
            if method != RANDOM:
                above = found.over_random(method, metric)
                yield from mean_figure(f"{start}.{metric}.over_random", above, found.patients)


def shipped_figure(found: Faithfulness) -> list[Figure]:
    """Return by how much taking away what the shipped method marks is worse than taking away as much at random."""
    above = found.over_random(SHIPPED[found.modality])
    return mean_figure(f"comprehensiveness_over_random.{found.modality}", above, found.patients)


def best_method(found: Sequence[Faithfulness]) -> dict[Modality, str]:
    """Return the method of each modality with the largest mean comprehensiveness over random, chance left out."""
    best: dict[Modality, str] = {}
    for one in found:
        means = {name: float(np.nanmean(one.over_random(name))) for name in one.curves if name != RANDOM}
        best[one.modality] = max(means, key=means.__getitem__)
    return best


def choice_figures(found: Faithfulness) -> Iterator[Figure]:
    """Yield `validation.<modality>.<method>.comprehensiveness.over_random`, and by how much the best leads the shipped.

    `validation.<modality>.best_minus_shipped` is paired, so that its interval says whether the lead is one.
    """
    for method in found.curves:
        if method != RANDOM:
            name = f"validation.{found.modality}.{method}.comprehensiveness.over_random"
            yield from mean_figure(name, found.over_random(method), found.patients)
    shipped, best = SHIPPED[found.modality], best_method([found])[found.modality]
    lead = found.over_random(best) - found.over_random(shipped)
    yield from mean_figure(f"validation.{found.modality}.best_minus_shipped", lead, found.patients)


def say_choice(found: Faithfulness) -> str:
    """Say which method is the most faithful on validation films, and whether it leads the shipped one for sure."""
    best, shipped = best_method([found])[found.modality], SHIPPED[found.modality]
    lead = list(choice_figures(found))[-1]
    start = f"Most faithful for {found.modality} on {lead.n} validation cases: {best}"
    if best == shipped:
        return f"{start}, which ships."
    if lead.low is not None and lead.low > 0:
        return f"{start}; {shipped}, which ships, is behind it by {lead.value:.3f}."
    return f"{start}; {shipped}, which ships, is no worse for sure ({lead.value:.3f} behind, within chance)."
