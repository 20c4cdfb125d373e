"""Structured inputs of one case -> the exact contribution of each clinical group to the probability of the answer.

The modalities already share the answer between them (`explain.shares`). The share of the structured record is divided
on here, so that the bars of the groups add up to the bar of the record: the Owen value (Owen 1977), that is the
Shapley value of the groups in the game averaged over film and note kept or absent, weighed as the modalities' own
Shapley value weighs them.
"""

from __future__ import annotations

from math import factorial
from typing import Final

import numpy as np

from explain.methods.groups import GROUPS, given_members, membership, name_of
from explain.methods.inputs import CheckInputs, present_slots
from explain.methods.memories import fuse, remember
from explain.methods.variants import Mask, answer_place
from explain.tested import GroupShare
from inference.calibrate import DoubleArray
from inference.contract import FloatArray
from inference.explore import Explorer

_CONTEXTS: Final = ((True, True, 1 / 3), (True, False, 1 / 6), (False, True, 1 / 6), (False, False, 1 / 3))
"""Film kept, note kept, and in which part of all orders of three modalities the record comes just after these."""


def group_shares(case: CheckInputs, explorer: Explorer) -> tuple[tuple[GroupShare, ...], float]:
    """Return the share of each group that was given, largest first, and how far their sum is from the record's share.

    Groups that were not given change nothing and have exactly 0; they are left out.
    """
    present = present_slots(case)
    groups = tuple(group for group in GROUPS if given_members(group, present))
    points = shapley_values(_values(case, explorer, _kept(membership(groups))))
    given = [given_members(group, present) for group in groups]
    shares = [
        GroupShare(group.key, name_of(group, members), members, float(point))
        for group, members, point in zip(groups, given, points, strict=True)
    ]
    residual = abs(float(points.sum()) - case.structured_points)
    return tuple(sorted(shares, key=lambda share: -abs(share.points))), residual


def shapley_values(values: DoubleArray) -> DoubleArray:
    """Return the Shapley value of each player, shape (g,).

    Args:
        values: worth of every coalition, shape (2**g,); bit i of a row's number says whether player i is in it.
    """
    players = len(values).bit_length() - 1
    rows = np.arange(len(values))
    size = np.array([int(row).bit_count() for row in rows])
    weight = np.array(
        [factorial(n) * factorial(max(players - n - 1, 0)) / factorial(players) for n in range(players + 1)]
    )
    points = np.zeros(players)
    for player in range(players):
        without = rows[rows >> player & 1 == 0]
        points[player] = weight[size[without]] @ (values[without | 1 << player] - values[without])
    return points


def _kept(table: Mask) -> FloatArray:
    """Return which slots each coalition keeps, shape (2**g, SLOTS)."""
    rows = np.arange(2 ** len(table))
    inside = (rows[:, None] >> np.arange(len(table)) & 1).astype(np.float32)
    return inside @ table.astype(np.float32)


def _values(case: CheckInputs, explorer: Explorer, kept: FloatArray) -> DoubleArray:
    """Return the mean probability of the answer over the contexts, for each coalition."""
    answer = answer_place(case)
    total = np.zeros(len(kept))
    for (image, text), weight in _contexts(case).items():
        memory = remember(case, explorer, image=image, text=text)
        total += weight * fuse(explorer, memory, case, kept)[:, answer]
    return total


def _contexts(case: CheckInputs) -> dict[tuple[bool, bool], float]:
    """Return the weight of each context; one with a modality that is absent anyway is that without it."""
    weights: dict[tuple[bool, bool], float] = {}
    for image, text, weight in _CONTEXTS:
        key = (image and "image" in case.modalities, text and "text" in case.modalities)
        weights[key] = weights.get(key, 0.0) + weight
    return weights
