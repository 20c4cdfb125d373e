from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from PIL import Image

from fhir_adapter.record import Film, Gap, GapReason, Modality, NoteKind, PatientRecord, Sex
from inference.backends.protocol import check_arrays
from inference.contract import IMAGE_SIZE, SLOT_OF_KEY, SLOTS, ModelInputs, Tensor
from inference.encode import Encoder, present_modalities
from inference.encode_film import to_square
from tests.inference.records import ASKED_AT, hours_ago, make_film, make_measurement, make_note, make_record


def reasons(inputs: ModelInputs, item: str) -> list[GapReason]:
    """The reasons given for one missing item."""
    return [gap.reason for gap in inputs.gaps if gap.item == item]


def test_encoded_chart_fits_the_contract(encoder: Encoder) -> None:
    """A chart becomes a batch of one with every tensor of the contract."""
    assert check_arrays(encoder.encode(make_record(), ASKED_AT).arrays) == 1


def test_empty_chart_fits_the_contract(encoder: Encoder) -> None:
    """A chart with nothing in it becomes the same tensors with nothing present."""
    inputs = encoder.encode(make_record(measurements=(), notes=(), films=()), ASKED_AT)

    assert check_arrays(inputs.arrays) == 1
    assert inputs.arrays[Tensor.IMAGE_PRESENT] == inputs.arrays[Tensor.TEXT_PRESENT] == 0
    assert present_modalities(inputs) == ()


class TestFilm:
    """Which film is read, and how it becomes a square."""

    def test_eight_bit_film_is_resized_as_in_training(self) -> None:
        """The square of an 8-bit film equals Pillow's, made the way training makes it, in every pixel."""
        grey = np.random.default_rng(3).integers(0, 256, (900, 1300), np.uint8)
        trained = Image.fromarray(grey).resize((IMAGE_SIZE,) * 2, Image.Resampling.BICUBIC, reducing_gap=3.0)

        square = to_square(grey.astype(np.float32) / np.float32(255))
        np.testing.assert_array_equal(square[0, 0], np.asarray(trained, np.float32) / np.float32(255))

    def test_values_beyond_the_range_do_not_wrap_round(self) -> None:
        """A pixel brighter than white is white, not black."""
        assert to_square(np.full((50, 50), 1.2, np.float32)).min() == 1

    def test_newest_current_film_is_taken(self, encoder: Encoder) -> None:
        """Of several films the newest is read, whatever their order in the record."""
        old, new = make_film(acquired_at=hours_ago(30)), make_film(acquired_at=hours_ago(1))

        assert encoder.encode(make_record(films=(old, new)), ASKED_AT).film is new

    def test_frontal_film_comes_before_a_newer_lateral_one(self, encoder: Encoder) -> None:
        """The lateral film of the same visit does not hide the frontal one."""
        frontal, lateral = make_film(), make_film(view="LL", acquired_at=hours_ago(1))

        assert encoder.encode(make_record(films=(lateral, frontal)), ASKED_AT).film is frontal

    def test_film_of_another_kind_is_kept_for_the_scope_to_refuse(self, encoder: Encoder) -> None:
        """Where the only film is one the model does not read, it is not dropped in silence."""
        lateral = make_film(view="LL")

        assert encoder.encode(make_record(films=(lateral,)), ASKED_AT).film is lateral

    @pytest.mark.parametrize(
        ("films", "reason"),
        [
            ((), GapReason.MISSING),
            ((make_film(acquired_at=hours_ago(73)),), GapReason.STALE),
            ((make_film(acquired_at=hours_ago(-1)),), GapReason.MISSING),
        ],
    )
    def test_film_that_is_not_used_is_a_gap(self, encoder: Encoder, films: tuple[Film, ...], reason: GapReason) -> None:
        """No film, an old film and a film from after the question all leave the image out, and say so."""
        inputs = encoder.encode(make_record(films=films), ASKED_AT)

        assert inputs.film is None
        assert reasons(inputs, "radiograph") == [reason]


class TestNote:
    """Which note is read."""

    def test_newest_note_with_words_is_taken(self, encoder: Encoder) -> None:
        """An empty document does not hide the note before it."""
        note, empty = make_note(), make_note(text=" \n", written_at=hours_ago(1))

        assert encoder.encode(make_record(notes=(empty, note)), ASKED_AT).note is note

    @pytest.mark.parametrize(("hours", "reason"), [(73, GapReason.STALE), (-1, GapReason.MISSING)])
    def test_note_that_is_not_used_is_a_gap(self, encoder: Encoder, hours: float, reason: GapReason) -> None:
        """A note of another illness and a note from after the question are not read."""
        inputs = encoder.encode(make_record(notes=(make_note(written_at=hours_ago(hours)),)), ASKED_AT)

        assert inputs.note is None
        assert reasons(inputs, "clinical note") == [reason]

    @pytest.mark.parametrize(
        ("kinds", "read"),
        [
            (("note", "report"), "note"),
            (("report", "addendum"), "addendum"),
            (("report",), "report"),
            (("addendum", "note"), "note"),
        ],
    )
    def test_a_clinical_note_is_read_before_all_others(
        self, encoder: Encoder, kinds: tuple[NoteKind, ...], read: NoteKind
    ) -> None:
        """A report is read only where there is no current note: the model was trained on notes."""
        notes = tuple(make_note(kind=kind, written_at=hours_ago(9 - n)) for n, kind in enumerate(kinds))
        chosen = encoder.encode(make_record(notes=notes), ASKED_AT).note

        assert chosen is not None
        assert chosen.kind == read

    def test_a_report_of_today_beats_a_note_that_is_too_old(self, encoder: Encoder) -> None:
        """A note that no longer describes this illness is no note."""
        notes = (make_note(written_at=hours_ago(9000)), make_note(kind="report"))
        chosen = encoder.encode(make_record(notes=notes), ASKED_AT).note

        assert chosen is notes[1]

    def test_offsets_belong_to_the_note(self, encoder: Encoder) -> None:
        """The first piece after [CLS] stands for the first word of the note."""
        inputs = encoder.encode(make_record(), ASKED_AT)

        assert inputs.note is not None
        start, end = inputs.offsets[1]
        assert inputs.note.text[start:end] == "Child"


class TestMeasurements:
    """Which values fill the slots."""

    def test_value_is_standardised_and_its_age_is_in_days(self, encoder: Encoder) -> None:
        """A CRP of 80 mg/L four hours ago is (ln 80 - 3) / 1.6 at a sixth of a day."""
        arrays, place = encoder.encode(make_record(), ASKED_AT).arrays, SLOT_OF_KEY["crp"]

        assert arrays[Tensor.VALUES][0, place] == pytest.approx((np.log(80) - 3) / 1.6)
        assert arrays[Tensor.VALUE_AGE][0, place] == pytest.approx(4 / 24)

    def test_age_and_sex_fill_their_slots(self, encoder: Encoder) -> None:
        """A girl of 30 months is (30 - 32) / 14 and 1, and no measurement stands behind either."""
        inputs = encoder.encode(make_record(), ASKED_AT)

        assert inputs.arrays[Tensor.VALUES][0, SLOT_OF_KEY["age"]] == pytest.approx(-2 / 14, abs=0.01)
        assert inputs.arrays[Tensor.VALUES][0, SLOT_OF_KEY["female"]] == 1
        assert inputs.used[SLOT_OF_KEY["age"]] is None

    @pytest.mark.parametrize("sex", ["other", "unknown"])
    def test_sex_that_is_neither_is_absent(self, encoder: Encoder, sex: Sex) -> None:
        """The model learned two sexes; any other is left out and not guessed."""
        record = make_record()
        record = replace(record, demographics=replace(record.demographics, sex=sex, birth_date=None))

        assert not encoder.encode(record, ASKED_AT).arrays[Tensor.VALUE_PRESENT][0, :2].any()

    @pytest.mark.parametrize(
        ("hours", "value", "reason"),
        [
            (72, 80, None),
            (72.1, 80, GapReason.STALE),
            (-0.05, 80, None),
            (-0.5, 80, GapReason.MISSING),
            (4, 0, GapReason.IMPLAUSIBLE),
            (4, 701, GapReason.IMPLAUSIBLE),
        ],
    )
    def test_only_current_and_possible_values_are_used(
        self, encoder: Encoder, hours: float, value: float, reason: GapReason | None
    ) -> None:
        """Too old, from after the question or impossible: not used, and the clinician is told which."""
        record = make_record(measurements=(make_measurement(value=value, taken_at=hours_ago(hours)),))
        inputs = encoder.encode(record, ASKED_AT)

        assert reasons(inputs, "C-reactive protein") == ([] if reason is None else [reason])
        assert inputs.arrays[Tensor.VALUE_PRESENT][0, SLOT_OF_KEY["crp"]] == (reason is None)

    def test_newest_usable_value_is_taken(self, encoder: Encoder) -> None:
        """The result of tomorrow and the impossible one do not hide the usable one of this morning."""
        morning = make_measurement(value=40, taken_at=hours_ago(5))
        others = (
            make_measurement(value=10, taken_at=hours_ago(9)),
            make_measurement(value=0, taken_at=hours_ago(1)),
            make_measurement(value=90, taken_at=hours_ago(-24)),
        )

        inputs = encoder.encode(make_record(measurements=(others[0], morning, *others[1:])), ASKED_AT)
        assert inputs.used[SLOT_OF_KEY["crp"]] is morning

    def test_only_telling_measurements_are_listed_as_missing(self, encoder: Encoder) -> None:
        """A missing CRP is worth a line, a missing sodium is not; a sodium that is too old is."""
        old_sodium = make_measurement("sodium", 138, taken_at=hours_ago(100))
        inputs = encoder.encode(make_record(measurements=(old_sodium,)), ASKED_AT)

        assert reasons(inputs, "C-reactive protein") == [GapReason.MISSING]
        assert reasons(inputs, "Sodium") == [GapReason.STALE]
        assert reasons(inputs, "Platelets") == []


class TestGaps:
    """What a clinician is told is missing."""

    def test_gaps_of_the_record_come_first(self, encoder: Encoder) -> None:
        """What the adapter could not get stays on the list."""
        told = Gap("structured", "Sodium", GapReason.IMPLAUSIBLE)

        assert encoder.encode(make_record(gaps=(told,)), ASKED_AT).gaps[0] is told

    @pytest.mark.parametrize(
        ("modality", "item"),
        [("image", "radiograph"), ("text", "clinical note"), ("structured", "C-reactive protein")],
    )
    @pytest.mark.parametrize("reason", [GapReason.REFUSED, GapReason.NO_ACCESS])
    def test_refused_source_is_not_called_missing(
        self, encoder: Encoder, modality: Modality, item: str, reason: GapReason
    ) -> None:
        """Where there was no way to look, nobody knows that something is "not on file"."""
        record = make_record(measurements=(), notes=(), films=(), gaps=(Gap(modality, "something", reason),))

        assert reasons(encoder.encode(record, ASKED_AT), item) == []

    def test_no_measurement_at_all_is_one_line(self, encoder: Encoder) -> None:
        """Where the record says that there are no measurements, they are not listed one by one."""
        told = Gap("structured", "measurements", GapReason.MISSING)

        assert reasons(encoder.encode(make_record(measurements=(), gaps=(told,)), ASKED_AT), "Temperature") == []

    def test_gap_of_one_measurement_does_not_speak_for_the_others(self, encoder: Encoder) -> None:
        """That potassium is awaited leaves it to be told that there is no temperature."""
        told = Gap("structured", "Potassium", GapReason.MISSING, "there is only a preliminary result")

        inputs = encoder.encode(make_record(measurements=(), gaps=(told,)), ASKED_AT)

        assert reasons(inputs, "Temperature") == [GapReason.MISSING]

    def test_same_item_is_told_once(self, encoder: Encoder) -> None:
        """An implausible CRP is not also reported as missing."""
        told = Gap("structured", "C-reactive protein", GapReason.IMPLAUSIBLE)
        inputs = encoder.encode(make_record(measurements=(), gaps=(told,)), ASKED_AT)

        assert reasons(inputs, "C-reactive protein") == [GapReason.IMPLAUSIBLE]


@pytest.mark.parametrize(
    ("changes", "modalities"),
    [
        ({}, ("image", "text", "structured")),
        ({"measurements": ()}, ("image", "text")),
        ({"films": (), "notes": ()}, ("structured",)),
    ],
)
def test_modalities_that_are_there(encoder: Encoder, changes: dict[str, PatientRecord], modalities: object) -> None:
    """Age and sex alone do not make structured data."""
    assert present_modalities(encoder.encode(make_record(**changes), ASKED_AT)) == modalities


def test_nothing_after_the_question_is_ever_used(encoder: Encoder) -> None:
    """Asked about an earlier moment, a chart gives what was known then: no hint from the future leaks in."""
    asked_earlier = ASKED_AT - timedelta(days=1)
    inputs = encoder.encode(make_record(), asked_earlier)

    assert (inputs.film, inputs.note) == (None, None)
    assert inputs.used == (None,) * SLOTS
