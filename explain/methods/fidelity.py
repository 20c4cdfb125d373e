"""One case -> whether what is marked matters more to the answer than other parts of the same size.

Comprehensiveness and sufficiency (DeYoung et al., "ERASER", ACL 2020), each the mean over the top `FRACTIONS` of the
ranking behind the marks (AOPC). The same is measured for other rankings of the same parts, the controls.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from itertools import permutations
from typing import Final

import numpy as np
import numpy.typing as npt

from explain.methods.inputs import CheckInputs, present_slots
from explain.methods.memories import fuse
from explain.methods.variants import Mask, ask_covered, ask_without_tokens, distinct, falls, patch_mask
from explain.methods.words import piece_tokens
from explain.tested import Fidelity
from fhir_adapter.record import Modality
from inference.calibrate import DoubleArray
from inference.contract import GRID, SLOTS, FloatArray, IntArray
from inference.explore import Explorer, Memory

FRACTIONS: Final = (0.05, 0.1, 0.2, 0.5)
CONTROLS: Final = 10
CHEAP_CONTROLS: Final = 30
"""Controls of the measurements, which cost a run of the fusion each and no encoder."""
FEW: Final = 3
"""Up to so many parts, every other order of them is a control."""

Ask = Callable[[Mask], DoubleArray]
"""Answer with parts taken away: taken (B, parts) to the fall of the answer's probability (B,)."""


def film_fidelity(case: CheckInputs, explorer: Explorer, memory: Memory, relevance: FloatArray) -> Fidelity | None:
    """Test a map of the film (PATCHES,) in pixels; None where it is the same everywhere, so that it ranks nothing.

    Relevance lies in clumps, and a covered clump may matter more than scattered patches wherever it lies. So half of
    the controls are scattered at random, and half are the same map moved over the film and mirrored.
    """
    if not np.ptp(relevance):
        return None
    rng = seeded(case, "image")
    scattered = [rng.permutation(len(relevance)) for _ in range(CONTROLS - CONTROLS // 2)]
    moved = [ranked(_moved(relevance, rng)) for _ in range(CONTROLS // 2)]
    orders = np.array([ranked(relevance), *scattered, *moved])
    return _measured("image", orders, lambda taken: falls(case, ask_covered(case, explorer, memory, patch_mask(taken))))


def note_fidelity(case: CheckInputs, explorer: Explorer, memory: Memory, effect: DoubleArray) -> Fidelity | None:
    """Test the effects behind the marks of the note, one a piece of it (W,); None where there are no two pieces."""
    if len(effect) < 2:
        return None
    tokens = piece_tokens(case)
    orders = _orders(effect, seeded(case, "text"), CONTROLS)
    return _measured(
        "text", orders, lambda gone: falls(case, ask_without_tokens(case, explorer, memory, gone @ tokens))
    )


def record_fidelity(case: CheckInputs, explorer: Explorer, memory: Memory, effect: DoubleArray) -> Fidelity | None:
    """Test the effects of the structured inputs (SLOTS,), age and sex among them; None where nothing was measured.

    With two inputs there is one other order to compare with: the test is then only which of the two matters more.
    """
    places = np.flatnonzero(present_slots(case))
    if "structured" not in case.modalities or len(places) < 2:
        return None
    orders = _orders(effect[places], seeded(case, "structured"), CHEAP_CONTROLS)

    def without(taken: Mask) -> DoubleArray:
        kept = np.ones((len(taken), SLOTS), np.float32)
        kept[:, places] -= taken
        return falls(case, fuse(explorer, memory, case, kept))

    return _measured("structured", orders, without)


def sizes(parts: int) -> tuple[int, ...]:
    """Return how many of so many parts are taken: `FRACTIONS` of them, at least one, never all."""
    return distinct(min(max(1, round(fraction * parts)), parts - 1) for fraction in FRACTIONS)


def ranked(importance: npt.NDArray[np.floating]) -> IntArray:
    """Return the places of the parts, the most important first."""
    return np.argsort(-importance, kind="stable").astype(np.int64)


def seeded(case: CheckInputs, modality: Modality) -> np.random.Generator:
    """Return random numbers that are the same whenever the same case of the same model is checked."""
    digest = hashlib.sha256(f"{case.model_digest} {modality}".encode())
    for name in sorted(case.arrays):
        digest.update(np.ascontiguousarray(case.arrays[name]).tobytes())
    return np.random.default_rng(int.from_bytes(digest.digest()[:8], "big"))


def _moved(relevance: npt.NDArray[np.floating], rng: np.random.Generator) -> npt.NDArray[np.floating]:
    """Return a map moved over the edges and back in on the other side, by any step but none, and perhaps mirrored."""
    down, across = divmod(int(rng.integers(1, GRID * GRID)), GRID)
    grid = np.roll(relevance.reshape(GRID, GRID), (down, across), (0, 1))
    return (grid[:, ::-1] if rng.random() < 0.5 else grid).reshape(-1)


def _orders(effect: DoubleArray, rng: np.random.Generator, controls: int) -> IntArray:
    """Return rankings of the parts, one a row: that of the marks, then the controls."""
    shown = ranked(effect)
    if len(effect) <= FEW:
        others = [order for order in permutations(range(len(effect))) if order != tuple(shown)]
        return np.array([shown, *others])
    return np.array([shown, *(rng.permutation(len(effect)) for _ in range(controls))])


def _measured(modality: Modality, orders: IntArray, ask: Ask) -> Fidelity:
    """Take away, and keep alone, the first parts of each ranking, (rankings, parts)."""
    steps = sizes(orders.shape[1])
    rank = np.argsort(orders, axis=1)
    taken = np.concatenate([rank < step for step in steps])
    fall = ask(np.concatenate([taken, ~taken])).reshape(2, len(steps), len(orders)).mean(1)
    (shown, *others), (alone, *others_alone) = fall
    return Fidelity(
        modality=modality,
        comprehensiveness=float(shown),
        random_comprehensiveness=float(np.mean(others)),
        sufficiency=float(alone),
        random_sufficiency=float(np.mean(others_alone)),
        beaten=int(sum(shown > other for other in others)),
        controls=len(others),
    )
