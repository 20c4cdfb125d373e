"""The words for what the second tier found out."""

import pytest

from explain.outcome import change_sentence, fidelity_sentence, fidelity_short, groups, help_sentence, points
from explain.tested import Change, GroupShare, Help, Step
from tests.explain.examples import view
from tests.explain.findings import checked_view, fidelity


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.12, "+12 points"),
        (-0.12, "−12 points"),
        (0.01, "+1 point"),
        (-0.006, "−1 point"),
        (0.004, "under 1 point"),
        (-0.0, "under 1 point"),
    ],
)
def test_points(probability: float, words: str) -> None:
    """A difference of probability is told in whole points with its sign, and as under one where it is."""
    assert points(probability) == words


@pytest.mark.parametrize(
    ("fall", "by_chance", "beaten", "words"),
    [
        (0.31, 0.04, 20, "lowers the answer by 31 points on average; random parts of the same sizes lower it "
         "by 4 points. Stronger than 20 of 20 random choices."),
        (-0.02, 0.001, 0, "raises the answer by 2 points on average; random parts of the same sizes hardly move it. "
         "Not stronger than any of 20 random choices."),
        (0.0, -0.01, 12, "hardly moves the answer on average; random parts of the same sizes raise it by 1 point. "
         "Stronger than 12 of 20 random choices."),
    ],
)  # fmt: skip
def test_evidence_test_in_words(fall: float, by_chance: float, beaten: int, words: str) -> None:
    """The sentence says which way the answer moves, by how much, and how many random choices do less."""
    found = fidelity_sentence(fidelity("image", fall, by_chance, beaten))
    assert found == f"Taking away the marked parts of the film, step by step, {words}"


def test_evidence_test_in_figures() -> None:
    """The short form has the same figures, and says when marks are withdrawn."""
    assert fidelity_short(fidelity("text", 0.094, 0.012, 19)) == "−9 · random −1 · beats 19 of 20"
    assert fidelity_short(fidelity("text", 0.01, 0.03, 6)) == "−1 · random −3 · beats 6 of 20, withdrawn"


def test_change_of_two_values() -> None:
    """A change names every step with its unit, and what is the likeliest afterwards."""
    steps = (Step("crp", "C-reactive protein", 96.0, 4.0, "mg/L"), Step("spo2", "Oxygen saturation", 92.0, 97.0, "%"))
    change = Change(steps, "answer", "viral", 0.48, ("bacterial", "viral"))
    assert change_sentence(change, view().explanation) == (
        "With C-reactive protein 4 mg/L instead of 96 mg/L and with oxygen saturation 97 % instead of 92 %, "
        "and everything else the same, viral pneumonia would be the likeliest (48 %), and the set would hold "
        "bacterial pneumonia and viral pneumonia."
    )


def test_change_to_an_empty_set() -> None:
    """A set that would hold nothing is said to hold no diagnosis."""
    change = Change((Step("lactate", "Lactate", 1.0, 2.5, "mmol/L"),), "set", "bacterial", 0.4, ())
    assert "lactate 2.5 mmol/L instead of 1 mmol/L" in change_sentence(change, view().explanation)
    assert "the set would hold no diagnosis" in change_sentence(change, view().explanation)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (Help("crp", "", 2, 1.25, 0.4), "expected to narrow the set from 2 diagnoses to 1.2 on average"),
        (Help("crp", "", 1, 0.9, 0.4), "expected to narrow the set from 1 diagnosis to 0.9 on average"),
        (Help("crp", "", 2, 1.99, 0.11), "expected to leave the set as it is, 0.11 bits surer on average"),
        (Help("crp", "", 1, 1.0, -0.01), "expected to leave the set as it is, 0.00 bits surer on average"),
    ],
)
def test_help_in_words(one: Help, words: str) -> None:
    """What an absent input is expected to do is told by the set first, by the uncertainty otherwise."""
    assert help_sentence(one) == words


def test_every_row_is_in_one_group() -> None:
    """Tested or not, each measurement is shown exactly once; the strongest group fills its half of the bar."""
    for page in (view(), checked_view()):
        keys = [row.key for group in groups(page.explanation) for row in group.rows]
        assert sorted(keys) == sorted(row.key for row in page.explanation.measurements)
    assert groups(checked_view().explanation)[0].length == pytest.approx(50)


def test_groups_without_a_row_are_not_shown() -> None:
    """A group whose members are no rows of the page has no bar."""
    whole = checked_view(groups=(GroupShare("lactate", "Lactate", ("lactate",), 0.1),)).explanation
    assert all(group.rows for group in groups(whole))


def test_single_rows_need_no_name_of_a_group() -> None:
    """Only a group of several rows is named."""
    named = {group.name: len(group.rows) for group in groups(checked_view().explanation) if group.name}
    assert named == {"White cells and neutrophils": 2, "Age and sex": 2}
