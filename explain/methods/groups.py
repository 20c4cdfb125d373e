"""Slots of the structured record -> the clinical groups that share in an answer.

Ten, so that every combination of them can be run in every context within seconds: exact contributions, no estimates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from fhir_adapter.measurements.quantities import QUANTITY_OF_KEY
from inference.contract import MEASUREMENTS, SLOT_OF_KEY, SLOTS, FloatArray


@dataclass(frozen=True, slots=True)
class Group:
    """Inputs that stand for one thing: `members` are keys of `inference.contract.MEASUREMENTS`."""

    key: str
    name: str
    members: tuple[str, ...]

    @property
    def places(self) -> tuple[int, ...]:
        """Places of the members in the arrays."""
        return tuple(SLOT_OF_KEY[member] for member in self.members)


# Age and sex say who; the white cells are counted once and then told apart, so that each of the three follows from the
# other two; haemoglobin and platelets are the rest of that blood count. What is one test has one bar: apart, two inputs
# that say the same would share its credit by chance.
_JOINED: Final = (
    Group("person", "Age and sex", ("age", "female")),
    Group("white_cells", "White cells with differential", ("wbc", "neutrophils", "lymphocytes")),
    Group("red_cells", "Haemoglobin and platelets", ("haemoglobin", "platelets")),
)
_JOINED_OF: Final = {member: group for group in _JOINED for member in group.members}


def _group_of(key: str) -> Group:
    return _JOINED_OF.get(key) or Group(key, QUANTITY_OF_KEY[key].name, (key,))


GROUPS: Final = tuple(dict.fromkeys(_group_of(slot.key) for slot in MEASUREMENTS))
"""Every slot in exactly one, in the order of the contract."""
_PERSONAL: Final = {"age": "Age", "female": "Sex"}


def given_members(group: Group, present: FloatArray) -> tuple[str, ...]:
    """Return which members were given; `present` has shape (SLOTS,)."""
    return tuple(member for member, place in zip(group.members, group.places, strict=True) if present[place])


def name_of(group: Group, given: tuple[str, ...]) -> str:
    """Return the name of a group of which only these members were given."""
    if len(given) != 1 or given == group.members:
        return group.name
    return _PERSONAL.get(given[0]) or QUANTITY_OF_KEY[given[0]].name


def membership(groups: tuple[Group, ...]) -> npt.NDArray[np.bool_]:
    """Return which slots belong to which group, shape (len(groups), SLOTS)."""
    table = np.zeros((len(groups), SLOTS), bool)
    for row, group in enumerate(groups):
        table[row, list(group.places)] = True
    return table
