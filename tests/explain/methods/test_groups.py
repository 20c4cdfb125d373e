from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from explain.methods.groups import GROUPS, given_members, membership, name_of
from inference.contract import MEASUREMENTS, SLOT_OF_KEY, SLOTS

ALLOWED = 12


def test_every_slot_is_in_exactly_one_group() -> None:
    """A measurement added to the contract gets a bar, and none gets two."""
    assert Counter(member for group in GROUPS for member in group.members) == Counter(slot.key for slot in MEASUREMENTS)


def test_there_are_no_more_groups_than_can_be_run() -> None:
    """Every combination is run: more than twelve groups would take minutes."""
    assert len(GROUPS) <= ALLOWED


def test_membership_covers_each_slot_once() -> None:
    """The table that switches slots on has each of them in one row."""
    assert membership(GROUPS).sum(0).tolist() == [1] * SLOTS


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (("wbc", "neutrophils", "lymphocytes"), "White cells with differential"),
        (("wbc", "neutrophils"), "White cells with differential"),
        (("neutrophils",), "Neutrophils"),
        (("age",), "Age"),
        (("female",), "Sex"),
        (("age", "female"), "Age and sex"),
        (("crp",), "C-reactive protein"),
    ],
)
def test_a_group_is_named_after_what_was_given(given: tuple[str, ...], name: str) -> None:
    """A bar never names a measurement that nobody took."""
    present = np.zeros(SLOTS, np.float32)
    present[[SLOT_OF_KEY[key] for key in given]] = 1
    group = next(group for group in GROUPS if given[0] in group.members)
    assert name_of(group, given_members(group, present)) == name
