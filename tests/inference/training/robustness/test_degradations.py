from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from fhir_adapter.measurements.quantities import QUANTITY_OF_KEY
from fhir_adapter.record import Measurement, PatientRecord
from inference.contract import MEASUREMENTS, SLOT_OF_KEY
from inference.encode_film import to_square
from inference.training.robustness.kind import STEPS, Kind, Subject
from inference.training.robustness.kinds import KINDS
from tests.inference.training.robustness.subjects import KIND_OF, subjects

EVERY_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
PART_OF = {"image": "films", "text": "notes", "structured": "measurements"}


def image_distance(before: PatientRecord, after: PatientRecord) -> float:
    """Mean absolute change of the square that the model sees."""
    pairs = zip(before.films, after.films, strict=True)
    return float(np.mean([np.abs(to_square(old.pixels) - to_square(new.pixels)).mean() for old, new in pairs]))


def words_changed(before: PatientRecord, after: PatientRecord) -> float:
    """Words of the note that are not what they were, at their place or behind its end."""
    old, new = ([word for note in record.notes for word in note.text.split()] for record in (before, after))
    return sum(first != second for first, second in zip(old, new, strict=False)) + abs(len(old) - len(new))


def inversions(before: PatientRecord, after: PatientRecord) -> float:
    """Pairs of words, each of which occurs once, that follow each other the other way round."""
    old, new = ([word for note in record.notes for word in note.text.split()] for record in (before, after))
    ranks = [new.index(word) for word in old if old.count(word) == 1 and word in new]
    return sum(first > second for place, first in enumerate(ranks) for second in ranks[place:])


def spreads_off(before: PatientRecord, after: PatientRecord) -> float:
    """Change of the values, in spreads between patients."""
    pairs = zip(before.measurements, after.measurements, strict=True)
    return sum(abs(standard(old) - standard(new)) for old, new in pairs)


def standard(item: Measurement) -> float:
    return MEASUREMENTS[SLOT_OF_KEY[item.key]].standardise(item.value)


def hours_off(before: PatientRecord, after: PatientRecord) -> float:
    """Change of the times, in hours."""
    pairs = zip(before.measurements, after.measurements, strict=True)
    return sum((old.taken_at - new.taken_at).total_seconds() / 3600 for old, new in pairs)


def lost(before: PatientRecord, after: PatientRecord) -> float:
    """Measurements that are not there any more."""
    return len(set(before.measurements) - set(after.measurements))


DISTANCES: dict[str, Callable[[PatientRecord, PatientRecord], float]] = {
    **dict.fromkeys(("noise", "blur", "exposure", "contrast", "rotation", "crop", "jpeg"), image_distance),
    **dict.fromkeys(("typos", "template", "cut"), words_changed),
    "order": inversions,
    "error": spreads_off,
    "time": hours_off,
    "missing": lost,
}


@EVERY_KIND
def test_step_0_is_the_chart_itself(kind: Kind) -> None:
    """Step 0 changes nothing."""
    assert all(kind.apply(subject, 0) is subject.record for subject in subjects())


@EVERY_KIND
def test_each_step_goes_further(kind: Kind) -> None:
    """Over the charts, a stronger step lies further from the chart as it was than a weaker one."""
    measure = DISTANCES[kind.name]
    distances = [sum(measure(item.record, kind.apply(item, step)) for item in subjects()) for step in range(STEPS)]

    assert distances[0] == 0
    assert all(weaker < stronger for weaker, stronger in pairwise(distances))


@EVERY_KIND
def test_only_its_modality_changes(kind: Kind) -> None:
    """What a kind does not degrade comes back as the same objects."""
    subject = next(item for item in subjects() if item.record.notes and item.record.measurements)
    after = kind.apply(subject, STEPS - 1)

    others = {"demographics", "films", "notes", "measurements", "gaps"} - {PART_OF[kind.modality]}
    assert all(getattr(after, part) is getattr(subject.record, part) for part in others)
    assert getattr(after, PART_OF[kind.modality]) is not getattr(subject.record, PART_OF[kind.modality])


@EVERY_KIND
def test_same_chart_gives_the_same_degradation(kind: Kind) -> None:
    """Every draw depends on film and kind alone, and two films get different ones."""
    first, second = (kind.apply(subjects()[0], 3) for _ in range(2))

    assert DISTANCES[kind.name](first, second) == 0


@pytest.mark.parametrize("name", ["typos", "cut"])
def test_stronger_step_keeps_what_a_weaker_one_did(name: str) -> None:
    """A word that is wrong at one step is wrong in the same way at the next."""
    for subject in (item for item in subjects() if item.record.notes):
        old, weak, strong = (KIND_OF[name].apply(subject, step).notes[0].text.split(" ") for step in (0, 2, 4))
        rows = zip(old, weak, strong, strict=False)
        assert all(stronger == weaker for before, weaker, stronger in rows if weaker != before)


def test_films_are_disturbed_each_in_its_own_way() -> None:
    """The grain of one film is not that of another."""
    subject = subjects()[0]
    other = replace(subject, name="another film")
    first, second = (KIND_OF["noise"].apply(item, 2).films[0].pixels for item in (subject, other))

    assert not np.array_equal(first, second)


@pytest.mark.parametrize("step", range(1, STEPS))
@pytest.mark.parametrize("name", ["noise", "blur", "exposure", "contrast", "rotation", "crop", "jpeg"])
def test_film_stays_a_film(name: str, step: int) -> None:
    """Whatever happens to a film, it holds float32 grey from 0 to 1, and only a crop is smaller."""
    before = subjects()[0].record.films[0].pixels
    after = KIND_OF[name].apply(subjects()[0], step).films[0].pixels

    assert after.dtype == np.float32
    assert after.min() >= 0
    assert after.max() <= 1
    assert (after.shape == before.shape) is (name != "crop")


def test_exposure_goes_both_ways() -> None:
    """Some films get darker, others brighter."""
    changes = [
        KIND_OF["exposure"].apply(item, 4).films[0].pixels.mean() - item.record.films[0].pixels.mean()
        for item in subjects()
    ]

    assert min(changes) < -0.05
    assert max(changes) > 0.05


@pytest.mark.parametrize("name", ["typos", "order"])
def test_numbers_survive(name: str) -> None:
    """Typing errors and another order leave every number of a note as it was."""

    def numbers(record: PatientRecord) -> list[str]:
        words = (word.strip(".,;:") for note in record.notes for word in note.text.split())
        return sorted(word for word in words if any(sign.isdigit() for sign in word))

    assert all(numbers(item.record) == numbers(KIND_OF[name].apply(item, 4)) for item in subjects())


def test_values_stay_possible() -> None:
    """An error never takes a value beyond what a device can report, so that none is dropped for it."""
    after = [item for subject in subjects() for item in KIND_OF["error"].apply(subject, 4).measurements]

    limits = [QUANTITY_OF_KEY[item.key].plausible for item in after]
    assert all(low <= item.value <= high for item, (low, high) in zip(after, limits, strict=True))


def test_strongest_loss_leaves_no_measurement() -> None:
    """At the last step all measurements are gone, and age and sex are still there."""
    after = KIND_OF["missing"].apply(subjects()[0], STEPS - 1)

    assert after.measurements == ()
    assert after.demographics == subjects()[0].record.demographics


def test_chart_without_note_is_left_alone() -> None:
    """There is nothing to degrade where nobody wrote a note."""
    bare = Subject("film", replace(subjects()[0].record, notes=()), None)

    assert all(kind.apply(bare, 4) == bare.record for kind in KINDS if kind.modality == "text")
