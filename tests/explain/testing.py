"""What a second tier found out about the example, as a job would hand it on."""

from dataclasses import replace
from typing import Any

from explain import tested
from explain.tested import Fidelity, GroupShare, WordEffect, ZoneEffect
from inference.entities import Entity
from tests.explain.examples import NOTE

GROUPS = (
    GroupShare("crp", "C-reactive protein", ("crp",), 0.08),
    GroupShare("white_cells", "White cells with differential", ("wbc", "neutrophils", "lymphocytes"), 0.07),
    GroupShare("spo2", "Oxygen saturation", ("spo2",), -0.01),
)
ZONES = (
    ZoneEffect("right lower zone", 0.12, 0.58),
    ZoneEffect("outside the lungs", 0.02, 0.2),
    ZoneEffect("right middle zone", -0.03, 0.18),
    ZoneEffect("left upper zone", 0.0, 0.04),
)


def word(term: str, points: float, *entities: Entity) -> WordEffect:
    """Return the effect of taking words of the example's note away."""
    return WordEffect(NOTE.index(term), NOTE.index(term) + len(term), points, entities)


WORDS = (
    word("Fever to 39.4", 0.03),
    word("Runny nose", -0.04),
    word(
        "No wheeze", -0.01, Entity("symptom", NOTE.index("wheeze"), NOTE.index("wheeze") + 6, negated=True, other=False)
    ),
    word("crackles right base", 0.05),
)


def fidelity(modality: Any, *, holds: bool) -> Fidelity:
    """Return a test that beats chance, or not."""
    return Fidelity(modality, 0.2 if holds else 0.05, 0.1, 0.1, 0.3, 19 if holds else 4, 20)


def make_tested(*doubtful: str, **changes: Any) -> tested.Tested:
    """Return findings in which the marks of the doubtful modalities do not beat chance."""
    tests = tuple(fidelity(name, holds=name not in doubtful) for name in ("image", "text", "structured"))
    found = tested.Tested(GROUPS, 0.0, ZONES, WORDS, tests, None, (), 900.0)
    return replace(found, **changes)
