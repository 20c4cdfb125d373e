from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest

from explain.methods.inputs import CheckInputs, check_inputs
from explain.text import text_as_read
from explain.words import pieces
from inference.contract import INPUT_SHAPES, Tensor
from tests.explain import examples


def example(**changes: object) -> CheckInputs:
    """Return the example's case, from its chart with changes."""
    chart = examples.record(**changes)
    given = examples.inputs(chart)
    given.arrays[Tensor.TOKENS][:] = 0
    arrays = {**given.arrays, Tensor.TOKENS: given.arrays[Tensor.TOKENS].astype(np.int64)}
    answered = examples.outputs(given)
    predicted, explanation = examples.explained(chart)
    return check_inputs(replace(given, arrays=arrays), answered, predicted, explanation)


@pytest.mark.parametrize("missing", [{}, {"films": ()}, {"notes": ()}, {"measurements": ()}])
def test_what_was_kept_comes_back_as_it_was(missing: dict[str, object]) -> None:
    """Stored and read again, nothing has changed."""
    case = example(**missing)
    again = CheckInputs.from_bytes(case.to_bytes())
    for name in CheckInputs.__dataclass_fields__:
        if name != "arrays":
            np.testing.assert_equal(getattr(again, name), getattr(case, name))
    assert {name: array.tolist() for name, array in again.arrays.items()} == {
        name: case.arrays[name].tolist() for name in INPUT_SHAPES
    }


def test_nothing_says_who_the_patient_is() -> None:
    """Neither reference nor time is kept."""
    with np.load(BytesIO(example().to_bytes()), allow_pickle=False) as file:
        told = file["header"].tobytes().decode()
    assert not any(word in told for word in ("Patient", "Observation", "DocumentReference", "2026"))


def test_the_note_is_kept_as_far_as_the_model_read_it() -> None:
    """What was not read is not needed."""
    case = example()
    assert examples.NOTE.startswith(case.text)
    assert len(case.text) >= case.offsets[:, 1].max()


def test_what_was_left_out_of_the_note_is_blank() -> None:
    """A stretch that the model did not read says nothing, and nothing behind it moves."""
    given = examples.inputs(examples.record())
    end = examples.NOTE.index(" ")
    kept = tuple(place if place[0] >= end else (0, 0) for place in given.offsets)
    text = text_as_read(examples.NOTE, replace(given, offsets=kept, unread=((0, end),)))

    assert text[: end + 1].strip(" .") == ""
    assert examples.NOTE[end:].startswith(text[end:])


def test_no_piece_reaches_over_what_was_left_out() -> None:
    """A negation that was not read denies nothing behind it."""
    given = replace(examples.inputs(examples.record()), offsets=((0, 5), (19, 25)), unread=((5, 18),))
    text = text_as_read("cough no fever and wheeze", given)

    assert [text[piece.start : piece.end] for piece in pieces(text)] == ["cough", "wheeze"]


@pytest.mark.parametrize("content", [b"", b"PK", b"x" * 100, b"\x80\x04N."])
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    """Nothing but a NumPy archive without objects is read."""
    with pytest.raises(ValueError, match="cannot be read"):
        CheckInputs.from_bytes(content)


def test_a_case_out_of_scope_is_refused() -> None:
    """Where there is no answer there is nothing to check."""
    chart = examples.record()
    given = examples.inputs(chart)
    predicted, explanation = examples.explained(chart, **examples.OUT_OF_SCOPE)
    with pytest.raises(ValueError, match="out of scope"):
        check_inputs(given, examples.outputs(given), predicted, explanation)


def test_figures_that_are_none_are_refused() -> None:
    """An input that is no number cannot be varied."""
    chart = examples.record()
    given = examples.inputs(chart)
    given.arrays[Tensor.VALUES][0, 0] = np.nan
    predicted, explanation = examples.explained(chart)
    with pytest.raises(ValueError, match="must be finite"):
        check_inputs(given, examples.outputs(given), predicted, explanation)
