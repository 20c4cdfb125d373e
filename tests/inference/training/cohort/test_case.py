from __future__ import annotations

import numpy as np
import pytest

from inference.contract import SLOT_OF_KEY
from inference.training.cohort import LABELS, case_for, draw_case, draw_cases
from inference.training.data.case import Case
from tests.inference.training.cohort.draws import cases


@pytest.mark.parametrize("label", LABELS)
def test_complete_case_fills_every_slot_of_the_model(label: str) -> None:
    """Asked for a complete case, everything the model takes is there with its age, and a note."""
    case = draw_case(label, np.random.default_rng(1), complete=True)

    assert set(case.values) == set(case.hours) == set(SLOT_OF_KEY)
    assert case.note


def test_keys_are_those_of_the_adapter() -> None:
    """Values are named as the adapter names them, so that a simulated chart and a real one are encoded alike."""
    keys = {key for case in cases("viral", "train") for key in case.values}

    assert keys == set(SLOT_OF_KEY)


def test_every_present_value_has_its_age() -> None:
    """No value without hours, no hours without a value, none negative or over three days."""
    drawn = cases("normal", "train")

    assert all(set(case.values) == set(case.hours) for case in drawn)
    assert all(0 <= hours <= 72 for case in drawn for hours in case.hours.values())


def test_one_note_in_ten_is_missing() -> None:
    """A tenth of the cases has no note."""
    drawn = [case for label in LABELS for case in cases(label, "test")]

    assert np.mean([case.note is None for case in drawn]) == pytest.approx(0.10, abs=0.015)


def test_same_seed_gives_the_same_case() -> None:
    """A case follows from seed and place alone, not from what was drawn before it."""
    first = draw_cases(["viral", "normal", "bacterial"], 7)
    again = draw_cases(["bacterial", "normal", "bacterial"], 7)

    assert first[1:] == again[1:]


def test_film_keeps_its_case_in_any_folder() -> None:
    """The case of a film depends on its name, so a set kept apart is given the same cohort on any machine."""
    case = case_for("person1_bacteria_1.jpeg", "bacterial", 3, grammar="test")

    assert case == case_for("person1_bacteria_1.jpeg", "bacterial", 3, grammar="test")
    assert isinstance(case, Case)


@pytest.mark.parametrize(
    ("name", "seed", "draw"),
    [("person2_bacteria_1.jpeg", 3, 0), ("person1_bacteria_1.jpeg", 4, 0), ("person1_bacteria_1.jpeg", 3, 1)],
)
def test_other_film_seed_or_draw_is_another_case(name: str, seed: int, draw: int) -> None:
    """Name, seed and number of the draw each change the case."""
    case = case_for("person1_bacteria_1.jpeg", "bacterial", 3)

    assert case != case_for(name, "bacterial", seed, draw=draw)


def test_name_with_the_label_in_it_changes_nothing_but_the_seed() -> None:
    """The words of a file's name never reach the case: over many names the class is the label's."""
    febrile = [
        case_for(f"person{number}_bacteria_1.jpeg", "normal", 1).values.get("temperature", 37) for number in range(400)
    ]

    assert np.mean(np.array(febrile) >= 38) < 0.35


@pytest.mark.parametrize("label", ["", "Bacterial", "covid", "0"])
def test_unknown_class_is_refused(label: str) -> None:
    """There is no case to draw for a label the cohort does not know; the message names those it knows."""
    with pytest.raises(ValueError, match="normal, bacterial, viral"):
        draw_case(label, np.random.default_rng(1))
