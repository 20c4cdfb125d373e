from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from explain.methods.counterfactual import Search
from explain.methods.inputs import CheckInputs
from explain.methods.memories import remember
from explain.methods.words import ask_without_spans, counting_spans, marks_of, piece_falls
from explain.tested import Change
from inference.checkpoint import Checkpoint
from inference.contract import IMAGE_SIZE, MEASUREMENTS, SLOT_OF_KEY
from tests.explain.methods.planted import Chart, Planted, Rule, Seen, make_case

COUNT = {"wbc": 10.0, "neutrophils": 5.0, "lymphocytes": 3.5}


def standardised(key: str, value: float) -> float:
    return MEASUREMENTS[SLOT_OF_KEY[key]].standardise(value)


def step_at(key: str, value: float) -> Rule:
    """Answer bacterial from this value of a measurement on."""
    return lambda seen: np.where(seen.value(key) >= standardised(key, value) - 1e-6, 0.8, 0.1)


def find(tiny: Checkpoint, rule: Rule, chart: Chart | None = None, **changes: Any) -> Change | None:
    explorer = Planted(tiny, rule)
    case = make_case(explorer, chart, **changes)
    return search(case, explorer)


def search(case: CheckInputs, explorer: Planted) -> Change | None:
    memory = remember(case, explorer)
    spans = counting_spans(case, piece_falls(case, explorer, memory))
    without = ask_without_spans(case, explorer, memory, spans)
    return Search(case, explorer, memory).find(marks_of(case, spans), without)


def values(change: Change | None) -> dict[str, float | None]:
    """Return what a change sets each measurement to."""
    return {} if change is None else {step.key: step.after for step in change.steps}


def test_the_smallest_change_of_one_value_is_found(tiny: Checkpoint) -> None:
    """The value just beyond the planted threshold, as a laboratory would report it."""
    change = find(tiny, step_at("crp", 40.0))
    assert change is not None
    assert (change.kind, change.diagnosis) == ("answer", "viral")
    assert 37 <= (values(change)["crp"] or 0) < 40


def test_a_change_says_where_it_starts(tiny: Checkpoint) -> None:
    """A step names the recorded value in its own unit beside the other one."""
    change = find(tiny, step_at("crp", 40.0))
    assert change is not None
    assert (change.steps[0].name, change.steps[0].before, change.steps[0].unit) == ("C-reactive protein", 80.0, "mg/L")


def test_what_is_told_is_what_the_model_says_when_it_is_run_again(tiny: Checkpoint) -> None:
    """Probability and set afterwards are those of the changed case."""
    change = find(tiny, step_at("crp", 40.0))
    assert change is not None
    assert change.probability == pytest.approx(0.54)
    assert change.prediction_set == ("viral",)


def test_two_values_are_moved_where_one_is_not_enough(tiny: Checkpoint) -> None:
    """Either of two values keeps the answer up; both have to go."""

    def either(seen: Seen) -> np.ndarray:
        return np.where((seen.value("crp") > 0) | (seen.value("temperature") > 0), 0.8, 0.1)

    assert set(values(find(tiny, either))) == {"crp", "temperature"}


def test_never_more_than_three_values_are_moved(tiny: Checkpoint) -> None:
    """An answer that stands on four values has no change to tell of."""
    four = {"crp": 80.0, "temperature": 39.5, "sodium": 139.0, "procalcitonin": 3.0}

    def any_of_four(seen: Seen) -> np.ndarray:
        return np.where(np.any([seen.value(key) > 0 for key in four], 0), 0.8, 0.1)

    assert find(tiny, any_of_four, Chart(values=four)) is None


def test_age_and_sex_are_nobody_s_to_change(tiny: Checkpoint) -> None:
    """A model that answers by age and sex alone has no change."""

    def by_age(seen: Seen) -> np.ndarray:
        return 0.8 - 0.7 * (seen.value("age") > 0.5) - 0.7 * (seen.value("female") > 0.5)

    assert find(tiny, by_age, Chart(values={"age": 30.0, "female": 0.0, "crp": 80.0})) is None


def test_a_finding_that_decides_may_be_the_change(tiny: Checkpoint) -> None:
    """Without the marked finding the answer is another."""
    change = find(tiny, lambda seen: 0.1 + 0.7 * seen.word("crackles"))
    assert change is not None
    assert [(step.key, step.name, step.after) for step in change.steps] == [("finding", "crackles", None)]


def test_without_measurements_a_finding_can_still_be_found(tiny: Checkpoint) -> None:
    """A chart of a note alone is searched too."""
    change = find(tiny, lambda seen: 0.1 + 0.7 * seen.word("crackles"), Chart(values={}))
    assert change is not None
    assert change.steps[0].key == "finding"


def loose(tiny: Checkpoint) -> Checkpoint:
    """Return the checkpoint with sets of all that has 0.3 or more."""
    quantiles = dict.fromkeys(tiny.calibration.quantiles, 0.7)
    return replace(tiny, calibration=replace(tiny.calibration, quantiles=quantiles))


def test_a_change_of_the_set_alone_is_told_as_such(tiny: Checkpoint) -> None:
    """The answer stays, but another diagnosis can no longer be excluded."""
    change = find(loose(tiny), lambda seen: np.where(seen.value("crp") > 0.5, 0.8, 0.45))
    assert change is not None
    assert (change.kind, change.diagnosis) == ("set", "bacterial")
    assert change.prediction_set == ("bacterial", "viral")


def test_another_answer_is_told_before_another_set(tiny: Checkpoint) -> None:
    """With as many steps, what changes the answer matters more than what changes the set, though it is further."""

    def in_two_steps(seen: Seen) -> np.ndarray:
        return np.select([seen.value("crp") > 0.5, seen.value("crp") > -0.5], [0.9, 0.45], 0.1)

    change = find(loose(tiny), in_two_steps)
    assert change is not None
    assert change.kind == "answer"


@pytest.mark.parametrize("wanted", [0.4, 20.0])
def test_blood_cells_still_fit_together(tiny: Checkpoint, wanted: float) -> None:
    """No change makes the parts of the white cells more than the whole."""
    rule: Rule = lambda seen: np.where(  # noqa: E731
        (seen.value("neutrophils") > standardised("neutrophils", 2.0))
        & (seen.value("neutrophils") < standardised("neutrophils", wanted + 7.0)),
        0.8,
        0.1,
    )
    found = {**COUNT, **values(find(tiny, rule, Chart(values=COUNT)))}
    assert (found["neutrophils"] or 0) + (found["lymphocytes"] or 0) <= (found["wbc"] or 0)


def test_no_value_leaves_what_is_possible(tiny: Checkpoint) -> None:
    """An answer that would need a saturation above 100 % has no change."""
    rule: Rule = lambda seen: np.where(seen.value("spo2") > standardised("spo2", 100.5), 0.1, 0.8)  # noqa: E731
    assert find(tiny, rule, Chart(values={"spo2": 92.0})) is None


def test_where_no_change_helps_none_is_told(tiny: Checkpoint) -> None:
    """A model that always says the same has no change."""
    assert find(tiny, lambda seen: 0.8 + 0.0 * seen.value("crp")) is None


def test_nothing_to_change_is_no_failure(tiny: Checkpoint) -> None:
    """A film alone has neither measurements nor marks."""
    film = Chart(values={}, note=False, film=np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.float32))
    assert find(tiny, lambda seen: 0.8 + 0.0 * seen.value("crp"), film) is None


def test_a_change_that_the_whole_graph_denies_is_not_told(tiny: Checkpoint) -> None:
    """What the fusion alone says is confirmed as at the bedside, or not claimed."""

    class Disagreeing(Planted):
        def whole(self, arrays: Any) -> Any:
            return np.array([[0.08, 0.8, 0.12]]).repeat(len(arrays["tokens"]), 0)

    explorer = Disagreeing(tiny, step_at("crp", 40.0))
    case = make_case(explorer)
    assert search(case, explorer) is None
