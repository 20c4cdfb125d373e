"""The claims again, after their evidence was tested."""

from dataclasses import replace
from typing import Any

import pytest

from explain.evidence import Claim
from explain.facts import QuoteFact, RegionFact, ValueFact
from explain.narrative import retell
from explain.tested import ZoneEffect
from tests.explain.examples import OUT_OF_SCOPE, record
from tests.explain.marked import explained
from tests.explain.testing import GROUPS, make_tested, word


def retold(*doubtful: str, **changes: Any) -> tuple[Claim, ...]:
    return retell(*explained(), make_tested(*doubtful, **changes))


def told_of(modality: str, told: tuple[Claim, ...]) -> str:
    return next(claim.text for claim in told if claim.modality == modality)


def test_values_are_told_with_exact_points() -> None:
    """Clinical groups and their exact points stand in place of first-order effects, in both directions."""
    told = retold()
    assert told[2].text == (
        "C-reactive protein 96 mg/L (high; normal up to 5; 24 Nov 2026, 08:22) raises the probability of bacterial "
        "pneumonia by 8 points and white blood cells 14.0 × 10⁹/L (high; normal 4.8–12.3), neutrophils 9.9 × 10⁹/L "
        "(high; normal 1.9–7.3) and lymphocytes 3.1 × 10⁹/L (within normal 1.7–10.7) (all taken 24 Nov 2026, 08:22) by "
        "7 points; measurements, age and sex together raise its probability by 14 points."
    )


def test_groups_against_are_told() -> None:
    """A group that lowers the answer is told against it, whatever its first-order effect was."""
    groups = (*GROUPS[:2], replace(GROUPS[2], points=-0.04))
    assert retold(groups=groups)[4].text.startswith(
        "Against bacterial pneumonia: oxygen saturation 92 % (low; normal from 95; 24 Nov 2026, 08:22) lowers its "
        "probability by 4 points; and, in the note of 24 Nov 2026, 08:05, “Runny nose”"
    )


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (0.12, "; covering the right lower zone lowers the probability by 12 points."),
        (-0.12, "; covering the right lower zone raises the probability by 12 points."),
        (0.001, "; covering the right lower zone hardly moves the probability."),
    ],
)
def test_covered_zones_are_told(points: float, words: str) -> None:
    """What covering the named zone does to the answer is told with its sign."""
    assert told_of("image", retold(zones=(ZoneEffect("right lower zone", points, 1.0),))).endswith(words)


@pytest.mark.parametrize(
    ("modality", "kind", "words"),
    [
        ("image", RegionFact, "raises the probability of bacterial pneumonia by 29 points; its marks are withdrawn"),
        ("text", QuoteFact, "raises the probability of bacterial pneumonia by 10 points; its marks are withdrawn"),
        (
            "structured",
            ValueFact,
            "raise the probability of bacterial pneumonia by 14 points; no single value is named",
        ),
    ],
)
def test_marks_that_do_not_beat_chance_are_withdrawn(modality: str, kind: type, words: str) -> None:
    """Withdrawn evidence is in no sentence and no fact; the exact share stays, and one sentence says what was done."""
    told = retold(modality)
    assert words in told_of(modality, told)
    assert not [fact for claim in told for fact in claim.facts if isinstance(fact, kind)]


@pytest.mark.parametrize("doubtful", [(), ("image", "text"), ("text", "structured"), ("image", "text", "structured")])
def test_two_to_five_sentences_remain(doubtful: tuple[str, ...]) -> None:
    """However much is withdrawn, two to five sentences are told, the answer first."""
    told = retold(*doubtful)
    assert 2 <= len(told) <= 5
    assert told[0] == explained()[1].claims[0]


def test_nothing_is_said_against_withdrawn_evidence() -> None:
    """Where words and values are withdrawn, that none speaks against the answer is not said either."""
    assert not [claim for claim in retold("text", "structured") if "speak" in claim.text]


def test_words_are_told_as_measured() -> None:
    """The words are those whose absence moved the answer, on the side that they moved it to, with what is denied."""
    told = retold()
    assert "“crackles right base” and “Fever to 39.4” speak for bacterial pneumonia" in told[3].text
    assert "“Runny nose” and “No wheeze” (denied in the note)" in told[4].text


def test_words_may_change_sides() -> None:
    """Words that first pulled one way and were measured to pull the other are told on the other side."""
    told = retold(words=(word("crackles right base", -0.05),))
    assert "speaks in the note of 24 Nov 2026, 08:05, “crackles right base”" in told[-1].text


def test_the_film_is_told_by_the_measured_map() -> None:
    """Zones and their shares are those of the map that covering them gave."""
    assert "lies mostly in the right lower zone (58 %), with 18 % in the right middle zone;" in told_of(
        "image", retold()
    )


@pytest.mark.parametrize("zones", [(), (ZoneEffect("right lower zone", 0.1, 0.0),)])
def test_a_film_without_a_measured_map_names_no_zone(zones: tuple[ZoneEffect, ...]) -> None:
    """Where covering the film anywhere does nothing, no zone is named."""
    assert told_of("image", retold(zones=zones)).endswith("; no part of it carries the model's image evidence.")


def test_out_of_scope_stays_as_it_is() -> None:
    """A case that was not assessed has nothing to test."""
    prediction, case = explained(**OUT_OF_SCOPE)
    assert retell(prediction, case, make_tested()) == case.claims


def test_missing_parts_are_not_withdrawn() -> None:
    """A film that was not there is told as missing, not as withdrawn."""
    prediction, case = explained(record(films=()))
    told = retell(prediction, case, make_tested("image"))
    assert "withdrawn" not in " ".join(claim.text for claim in told)
