"""A model and cases -> whether its maps depend on what it learned, on which diagnosis is asked, and on noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from explain.research.faithful import Done
from explain.research.intervals import mean_figure
from explain.research.methods import DEAR, METHODS, RANDOM, draw_maps
from explain.research.noise import DRAWS, disturb
from explain.research.randomise import LAST, STAGES, cascade, emptied
from explain.research.ranks import spearman
from explain.research.variants import Doubles, Subject
from fhir_adapter.record import Modality
from inference.contract import CLASSES, GRID
from inference.figures import Figure
from inference.model.mllm import MultimodalModel

CASES: int = 40
"""Cases, the first ones, that the cheap methods are looked at with."""
FORGOTTEN_OF_DEAR: int = 16
"""The same for the dear methods after all weights are forgotten; of them only this last stage is looked at."""
CASES_OF_DEAR: int = 12
"""The same for noise and another diagnosis."""
Alike = Mapping[tuple[Modality, str], Doubles]
"""Rank correlation of two maps of each case, by modality and method."""


@dataclass(frozen=True, slots=True)
class Probe:
    """The maps of all methods as they are, and the same cases to draw other maps of.

    Attributes:
        subject: N cases.
        maps: by modality and method, (N, U).
    """

    subject: Subject
    maps: Mapping[tuple[Modality, str], Doubles]

    @classmethod
    def of(cls, subject: Subject, *, dear: bool) -> Probe:
        """Draw the maps of the dear methods, or of all others; chance is among the others."""
        return cls(subject, draw_all(subject, dear=dear))

    def pick(self, rows: slice) -> Probe:
        """Return some of the cases."""
        return Probe(self.subject.pick(rows), {key: found[rows] for key, found in self.maps.items()})

    def like(self, other: Subject, *, dear: bool) -> Alike:
        """Compare with the maps of the same cases by another model, or disturbed, or for another diagnosis."""
        drawn = draw_all(other, dear=dear)
        return {key: spearman(found, drawn[key], self.subject.cases.there(key[0])) for key, found in self.maps.items()}

    def chance(self, modality: Modality, method: str) -> Doubles:
        """Return the absolute rank correlation with a map that tells nothing: what few or smooth parts give by chance.

        Of a film it is the same map moved, for a smooth map is more often like a smooth one; else a random order.
        """
        found, there = self.maps[modality, method], self.subject.cases.there(modality)
        numbers = self.subject.cases.numbers
        if modality == "image":
            strange = np.stack([moved(one, number) for one, number in zip(found, numbers, strict=True)])
        else:
            strange = np.stack([np.random.default_rng(number).random(found.shape[1]) for number in numbers])
        return np.abs(spearman(found, strange, there))


def moved(relevance: Doubles, seed: int) -> Doubles:
    """Return a map (PATCHES,) moved over the edges and back in, by a quarter of the film or more each way."""
    down, across = np.random.default_rng([seed, 3]).integers(GRID // 4, GRID - GRID // 4 + 1, 2)
    shifted: Doubles = np.roll(relevance.reshape(GRID, GRID), (down, across), (0, 1)).reshape(-1)
    return shifted


def draw_all(subject: Subject, *, dear: bool) -> dict[tuple[Modality, str], Doubles]:
    """Draw the maps of the dear methods of all modalities, or of all others."""
    found: dict[tuple[Modality, str], Doubles] = {}
    for modality, methods in METHODS.items():
        chosen = {name: method for name, method in methods.items() if (name in DEAR) == dear}
        found |= {(modality, name): maps for name, maps in draw_maps(subject, chosen).items()}
    return found


def with_model(subject: Subject, model: MultimodalModel) -> Subject:
    """Return the same cases before another model, and the same diagnoses to explain."""
    return Subject.of(model, subject.cases, subject.temperatures, subject.answers)


def next_likeliest(subject: Subject) -> Subject:
    """Return the same cases with the diagnosis after the one that is explained, in the order of the contract."""
    return replace(subject, answers=(subject.answers + 1) % CLASSES)


@dataclass(frozen=True, slots=True)
class Sanity:
    """What became of the maps.

    Attributes:
        stages: absolute rank correlation after each stage of forgetting; the dear methods have the last alone, which is
            the mean over several untrained models.
        signed: the same after the last stage with its sign: 0 where likeness goes either way, as by chance.
        noise: lowest rank correlation over the draws of noise.
        other: rank correlation with the map for another diagnosis.
        chance: absolute rank correlation with a random map.
        patients: of each case; a dear method has those of the first cases.
    """

    stages: Mapping[str, Alike]
    signed: Alike
    noise: Alike
    other: Alike
    chance: Alike
    patients: tuple[str, ...]

    def figures(self) -> Iterator[Figure]:
        """Yield `method.<modality>.<method>.<what>` for all that was looked at."""
        kinds = {f"randomised.{stage}": found for stage, found in self.stages.items()}
        kinds |= {"randomised_signed": self.signed}
        kinds |= {"stability": self.noise, "random_logit": self.other, "randomised_chance": self.chance}
        for what, found in kinds.items():
            for (modality, method), values in found.items():
                if method != RANDOM:
                    yield from mean_figure(f"method.{modality}.{method}.{what}", values, self.patients)


def examine(subject: Subject, done: Done) -> Sanity:
    """Forget, disturb and ask for another diagnosis; `done` is called after each of `count_looks()` looks."""
    stages: dict[str, dict[tuple[Modality, str], Doubles]] = {stage: {} for stage in STAGES}
    signed: dict[tuple[Modality, str], Doubles] = {}
    noise: dict[tuple[Modality, str], Doubles] = {}
    other: dict[tuple[Modality, str], Doubles] = {}
    chance: dict[tuple[Modality, str], Doubles] = {}
    for dear, forgotten, disturbed in ((False, CASES, CASES), (True, FORGOTTEN_OF_DEAR, CASES_OF_DEAR)):
        probe = Probe.of(subject.pick(slice(forgotten)), dear=dear)
        for stage, model in () if dear else cascade(subject.model):
            found = probe.like(with_model(probe.subject, model), dear=dear)
            stages[stage] |= {key: np.abs(values) for key, values in found.items()}
            done()
        ends = [probe.like(with_model(probe.subject, model), dear=dear) for model in emptied(subject.model)]
        stages[LAST] |= {key: np.mean([np.abs(end[key]) for end in ends], axis=0) for key in ends[0]}
        signed |= {key: np.mean([end[key] for end in ends], axis=0) for key in ends[0]}
        done()
        chance |= {key: probe.chance(*key) for key in probe.maps if key[1] != RANDOM}
        few = probe.pick(slice(disturbed))
        draws = [few.like(disturb(few.subject, draw), dear=dear) for draw in range(DRAWS)]
        noise |= {key: np.min([draw[key] for draw in draws], axis=0) for key in draws[0]}
        other |= few.like(next_likeliest(few.subject), dear=dear)
        done()
    return Sanity(stages, signed, noise, other, chance, subject.cases.patients)


def count_looks() -> int:
    """Return how often `examine` says that it is done with something."""
    return len(STAGES) + 1 + 2
