"""One case -> which absent input would be expected to narrow the answer most, if it were there.

The model is asked with each value the input may turn out to have: seven equally likely ones for a measurement, a few
films or notes of other patients for those. These are pooled over all patients of the reference cohort (its
measurements and notes are simulated), not over patients like this one. So they are weighed: as little as possible
away from equal, so that the expected answer is the present one. That is what an honest expectation must give, and
with it information can only help. Where no weights do that, the model's absent token is no mean of what may come, and
nothing is said of that input.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from statistics import NormalDist
from typing import Final, get_args

import numpy as np

from explain.methods.inputs import CheckInputs
from explain.methods.memories import remember
from explain.methods.reported import as_reported
from explain.tested import Help
from fhir_adapter.measurements.quantities import QUANTITY_OF_KEY
from fhir_adapter.record import Modality
from inference.bank import Bank
from inference.calibrate import DoubleArray, mask_of, prediction_set
from inference.contract import MEASUREMENTS, Tensor
from inference.explore import Chart, Explorer, Memory

MOST_HELPS: Final = 3
LEAST_DROP: Final = 0.02
"""Bits; less is no reason to take blood from a child."""
POINTS: Final = tuple(NormalDist().inv_cdf((place + 0.5) / 7) for place in range(7))
"""Middles of seven equally likely parts of the pooled distribution, in standard deviations: -1.5 to 1.5."""
FURTHEST: Final = 0.02
"""Largest difference between the expected answer and the present one, in probability."""
ROUNDS: Final = 50
NAMES: Final = {"image": "Chest radiograph", "text": "Clinical note"}


def helps(case: CheckInputs, explorer: Explorer, memory: Memory, bank: Bank | None) -> tuple[Help, ...]:
    """Return at most `MOST_HELPS` absent inputs, the largest expected fall of entropy first.

    Args:
        case: what is known.
        explorer: of the checkpoint that answered.
        memory: of the case as it is.
        bank: what films and notes may turn out to be; without one, nothing is said of them.
    """
    here = _ask(case, explorer, memory)
    found = [*_of_measurements(case, explorer, memory), *_of_modalities(case, explorer, memory, bank)]
    told = [_help(case, explorer, here[0], one) for one in found]
    useful = [one for one in told if one is not None and one.entropy_drop >= LEAST_DROP]
    return tuple(sorted(useful, key=lambda one: -one.entropy_drop)[:MOST_HELPS])


_Found = tuple[str, str, tuple[Modality, ...], DoubleArray]
"""Key, name, the modalities there would be, and the answers (K, CLASSES) to what may come."""


def _of_measurements(case: CheckInputs, explorer: Explorer, memory: Memory) -> Iterator[_Found]:
    """Yield the answers to each absent measurement, all asked in one go."""
    asked = [
        (place, point)
        for place, slot in enumerate(MEASUREMENTS)
        if slot.key in QUANTITY_OF_KEY and not case.arrays[Tensor.VALUE_PRESENT][0, place]
        for point in _points(slot.key)
    ]
    if not asked:
        return
    rows, (places, points) = np.arange(len(asked)), zip(*asked, strict=True)
    values, present = (case.arrays[name].repeat(len(asked), 0) for name in (Tensor.VALUES, Tensor.VALUE_PRESENT))
    values[rows, places], present[rows, places] = points, 1
    shares = explorer.fused(memory, Chart(values, present, case.arrays[Tensor.VALUE_AGE].repeat(len(asked), 0)))
    for place in dict.fromkeys(places):
        key = MEASUREMENTS[place].key
        yield key, QUANTITY_OF_KEY[key].name, (*case.modalities, "structured"), shares[np.array(places) == place]


def _points(key: str) -> list[float]:
    """Return standardised values as they would be reported; those that no patient can have are left out."""
    slot = MEASUREMENTS[[slot.key for slot in MEASUREMENTS].index(key)]
    values = (as_reported(key, point) for point in POINTS)
    return [slot.standardise(value) for value in values if value is not None]


def _of_modalities(case: CheckInputs, explorer: Explorer, memory: Memory, bank: Bank | None) -> Iterator[_Found]:
    """Yield the answers to what an absent film or note may be."""
    if bank is None:
        return
    candidates = {"image": lambda: _films(memory, bank), "text": lambda: _notes(case, explorer, bank)}
    for modality in get_args(Modality):
        if modality in candidates and modality not in case.modalities:
            answers = [_ask(case, explorer, one) for one in candidates[modality]()]
            yield modality, NAMES[modality], (*case.modalities, modality), np.concatenate(answers)


def _films(memory: Memory, bank: Bank) -> Iterator[Memory]:
    for film in bank.films:
        yield replace(memory, image=film[None])


def _notes(case: CheckInputs, explorer: Explorer, bank: Bank) -> Iterator[Memory]:
    for tokens in bank.notes:
        arrays = {**case.arrays, Tensor.TOKENS: tokens[None], Tensor.TEXT_PRESENT: np.ones((1, 1), np.float32)}
        yield remember(replace(case, arrays=arrays), explorer)


def _ask(case: CheckInputs, explorer: Explorer, memory: Memory) -> DoubleArray:
    return explorer.fused(memory, Chart.of(case.arrays))


def _help(case: CheckInputs, explorer: Explorer, here: DoubleArray, found: _Found) -> Help | None:
    key, name, modalities, answers = found
    weights = fair_weights(answers, here)
    if weights is None:
        return None
    quantile = explorer.checkpoint.calibration.quantiles[mask_of(modalities)]
    size = sum(weight * len(prediction_set(answer, quantile)) for weight, answer in zip(weights, answers, strict=True))
    drop = float(entropy(here) - weights @ entropy(answers))
    return Help(key, name, len(case.prediction_set), round(float(size), 6), drop)


def fair_weights(answers: DoubleArray, here: DoubleArray) -> DoubleArray | None:
    """Return the weights (K,) nearest to equal ones under which answers (K, CLASSES) average to `here` (CLASSES,).

    Nearest in Kullback-Leibler divergence: exponentially tilted, the tilt found by Newton's method on its convex dual.
    None where the average stays further than `FURTHEST` away in some class.
    """
    apart = answers - here
    tilt = np.zeros(answers.shape[1])
    for _ in range(ROUNDS):
        weights = _tilted(apart, tilt)
        mean = weights @ apart
        spread = (apart * weights[:, None]).T @ apart - np.outer(mean, mean)
        step = np.linalg.solve(spread + 1e-6 * np.eye(len(tilt)), mean)
        tilt -= step / max(1.0, float(np.abs(step).max()) / 5)
    weights = _tilted(apart, tilt)
    return weights if float(np.abs(weights @ apart).max()) <= FURTHEST else None


def _tilted(apart: DoubleArray, tilt: DoubleArray) -> DoubleArray:
    scores = apart @ tilt
    spread = np.exp(scores - scores.max())
    weights: DoubleArray = spread / spread.sum()
    return weights


def entropy(shares: DoubleArray) -> DoubleArray:
    """Return the entropy of probabilities (..., CLASSES) in bits, (...,)."""
    bits: DoubleArray = -(shares * np.log2(np.where(shares > 0, shares, 1.0))).sum(-1)
    return bits
