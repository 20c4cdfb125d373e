"""Rows of measurement evidence."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from explain.structured import measurement_evidence, without_judgement
from fhir_adapter.record import Demographics
from inference.contract import MEASUREMENTS, SLOT_OF_KEY, SLOTS, Tensor
from tests.explain.examples import SEEN_AT, VALUES, inputs, measurement, record, source

EFFECT = np.linspace(-0.6, 0.5, SLOTS).astype(np.float32)


def test_one_row_for_each_used_slot() -> None:
    """Every slot the model was given has its row, age and sex included, and no other."""
    rows = measurement_evidence(record(), inputs(record()), EFFECT)
    assert {row.key for row in rows} == {*VALUES, "age", "female"}


def test_strongest_first() -> None:
    """Rows are sorted by the size of their effect, whichever way it pulls."""
    sizes = [abs(row.effect) for row in measurement_evidence(record(), inputs(record()), EFFECT)]
    assert sizes == sorted(sizes, reverse=True)


def test_each_row_has_the_effect_of_its_slot() -> None:
    """An effect belongs to the slot at the same place of the contract."""
    for row in measurement_evidence(record(), inputs(record()), EFFECT):
        assert row.effect == pytest.approx(float(EFFECT[SLOT_OF_KEY[row.key]]))


@pytest.mark.parametrize(
    ("key", "value", "outside"),
    [("crp", 5.0, False), ("crp", 5.1, True), ("spo2", 95.0, False), ("spo2", 94.9, True), ("sodium", 146.0, True)],
)
def test_outside_the_normal_range(key: str, value: float, outside: bool) -> None:  # noqa: FBT001
    """A value on the limit is normal, one beyond it is not."""
    chart = record(measurements=(measurement(key, value),))
    row = next(row for row in measurement_evidence(chart, inputs(chart), EFFECT) if row.key == key)
    assert row.outside is outside


def test_measurement_cites_its_observation() -> None:
    """A row carries value, unit, time and the versioned reference of the very measurement that was used."""
    row = next(row for row in measurement_evidence(record(), inputs(record()), EFFECT) if row.key == "wbc")
    assert (row.value, row.unit, row.taken_at) == (14.0, "10*9/L", SEEN_AT + timedelta(minutes=17))
    assert row.source == "Observation/wbc-1/_history/2"


def test_demographics_cite_the_patient() -> None:
    """Age and sex are what the model was given, without a normal range, from the Patient resource."""
    rows = {row.key: row for row in measurement_evidence(record(), inputs(record()), EFFECT)}
    assert [rows["age"].value, rows["female"].value] == pytest.approx([46.1, 1.0], abs=1e-4)
    assert rows["age"].source == rows["female"].source == "Patient/p1/_history/2"
    assert rows["age"].normal is None


@pytest.mark.parametrize(
    ("months", "normal"),
    [(11.5, (100, 190)), (12.0, (85, 140)), (71.9, (85, 140)), (72.0, (75, 118)), (None, None)],
)
def test_range_is_that_of_the_age_the_model_was_given(
    months: float | None, normal: tuple[float | None, float | None] | None
) -> None:
    """A range is of the patient's age, on a birthday as well; of an unknown age there is none."""
    chart = record(measurements=(measurement("heart_rate", 120.0),))
    given = inputs(chart)
    place = SLOT_OF_KEY["age"]
    given.arrays[Tensor.VALUES][0, place] = MEASUREMENTS[place].standardise(months or 0.0)
    given.arrays[Tensor.VALUE_PRESENT][0, place] = months is not None

    row = next(row for row in measurement_evidence(chart, given, EFFECT) if row.key == "heart_rate")

    assert row.normal == normal


def test_unknown_demographics_have_no_row() -> None:
    """An age the model was not given is not shown as an input."""
    chart = record(demographics=Demographics(None, "unknown", source("Patient/p1")))
    given = inputs(chart)
    present = given.arrays[Tensor.VALUE_PRESENT].copy()
    present[0, [SLOT_OF_KEY["age"], SLOT_OF_KEY["female"]]] = 0
    given = replace(given, arrays={**given.arrays, Tensor.VALUE_PRESENT: present})
    assert {row.key for row in measurement_evidence(chart, given, EFFECT)} == set(VALUES)


def test_an_empty_chart_has_rows_for_demographics_only() -> None:
    """A chart without any dated piece still shows age and sex."""
    chart = record(measurements=(), notes=(), films=())
    assert {row.key for row in measurement_evidence(chart, inputs(chart), EFFECT)} == {"age", "female"}


def test_out_of_scope_rows_are_not_judged() -> None:
    """Out of scope a value is shown without effect and without the range of patients it was not one of."""
    rows = without_judgement(measurement_evidence(record(), inputs(record()), EFFECT))
    assert all(row.direction == "neutral" and row.normal is None and not row.outside for row in rows)


@pytest.mark.parametrize("effect", [np.zeros(SLOTS - 1), np.full(SLOTS, np.inf)])
def test_odd_effects_are_refused(effect: np.ndarray) -> None:
    """Effects that do not fit the contract are refused."""
    assert len(MEASUREMENTS) == SLOTS
    with pytest.raises(ValueError, match="value effect"):
        measurement_evidence(record(), inputs(record()), effect)


def test_earlier_readings_make_the_history_oldest_first() -> None:
    """A trend is of one measurement, up to the value that was used, and in the order of time."""
    used = measurement("crp", VALUES["crp"][0])
    earlier = replace(used, value=40.0, taken_at=used.taken_at - timedelta(hours=20), source=source("Observation/a"))
    later = replace(used, value=200.0, taken_at=used.taken_at + timedelta(hours=1), source=source("Observation/b"))
    others = tuple(measurement(key, value) for key, (value, _) in VALUES.items() if key != "crp")
    chart = record(measurements=(later, used, earlier, *others))

    rows = measurement_evidence(chart, inputs(record()), EFFECT)

    history = next(row.history for row in rows if row.key == "crp")
    assert [one.value for one in history] == [40.0, used.value]
    assert [one.source for one in history] == [str(earlier.source), str(used.source)]


def test_age_and_sex_have_no_history() -> None:
    """They are of the question, not of a moment in the record."""
    rows = measurement_evidence(record(), inputs(record()), EFFECT)

    assert not any(row.history for row in rows if row.key in {"age", "female"})
