"""One answered case -> everything the second tier finds out about it, by running the model on variants of the case.

Runs after the answer, in a job of low priority: the explorer waits before each run while somebody waits for an answer.
"""

from __future__ import annotations

from time import perf_counter

import numpy as np

from explain.image import heat_of
from explain.methods.counterfactual import Search
from explain.methods.covering import covering_map
from explain.methods.fidelity import film_fidelity, note_fidelity, record_fidelity
from explain.methods.helps import helps
from explain.methods.inputs import CheckInputs, check_inputs
from explain.methods.memories import remember
from explain.methods.shapley import group_shares
from explain.methods.words import ask_without_spans, counting_spans, marks_of, piece_falls, word_effects
from explain.methods.zones import zone_effects
from explain.tested import Fidelity, GroupShare, Tested, ZoneEffect
from inference.bank import Bank
from inference.calibrate import DoubleArray
from inference.contract import SLOT_OF_KEY, SLOTS
from inference.explore import Explorer, Memory

__all__ = ["CheckInputs", "check_case", "check_inputs"]


def check_case(case: CheckInputs, explorer: Explorer, bank: Bank | None = None) -> Tested:
    """Check one answer: the same case and checkpoint always give the same findings.

    Args:
        case: from `check_inputs`, perhaps stored in between.
        explorer: of the checkpoint that answered.
        bank: what an absent film or note may turn out to be (`Bank.load` of the checkpoint's folder).

    Raises:
        ValueError: another checkpoint answered.
        BackendError: the graph cannot be run.
    """
    if case.model_digest != explorer.checkpoint.digest:
        raise ValueError("another model gave this answer: ask again, and check the new answer")
    started = perf_counter()
    memory = remember(case, explorer)
    zones, heat_png, of_film = _check_film(case, explorer, memory)
    falls = piece_falls(case, explorer, memory)
    spans = counting_spans(case, falls)
    without = ask_without_spans(case, explorer, memory, spans)
    groups, residual = group_shares(case, explorer)
    tests = (
        of_film,
        note_fidelity(case, explorer, memory, falls),
        record_fidelity(case, explorer, memory, _of_slots(groups)),
    )
    return Tested(
        groups=groups,
        residual=residual,
        zones=zones,
        words=word_effects(case, spans, without),
        fidelity=tuple(test for test in tests if test is not None),
        change=Search(case, explorer, memory).find(marks_of(case, spans), without),
        helps=helps(case, explorer, memory, bank),
        duration_ms=(perf_counter() - started) * 1000,
        heat_png=heat_png,
    )


def _check_film(
    case: CheckInputs, explorer: Explorer, memory: Memory
) -> tuple[tuple[ZoneEffect, ...], bytes, Fidelity | None]:
    """Return zones, map and test of the film; nothing without one."""
    if "image" not in case.modalities:
        return (), b"", None
    found = covering_map(case, explorer, memory)
    relevance = np.maximum(found, 0)
    zones = zone_effects(case, explorer, memory, relevance)
    return zones, heat_of(relevance, case.film_size), film_fidelity(case, explorer, memory, found)


def _of_slots(groups: tuple[GroupShare, ...]) -> DoubleArray:
    """Return the share of each structured input (SLOTS,): that of its group, divided among those that were given."""
    effect = np.zeros(SLOTS)
    for group in groups:
        for member in group.members:
            effect[SLOT_OF_KEY[member]] = group.points / len(group.members)
    return effect
