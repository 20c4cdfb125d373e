import time

import pytest

from fhir_adapter.deadline import Deadline


@pytest.mark.parametrize("seconds", [0, -1])
def test_nothing_remains_of_a_passed_deadline(seconds: float) -> None:
    """A deadline that has passed has nothing left, never less than nothing."""
    deadline = Deadline.after(seconds)

    assert deadline.expired
    assert deadline.remaining() == 0


def test_remaining_counts_down_on_the_monotonic_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """What remains is measured on the monotonic clock, which nobody sets back."""
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    deadline = Deadline.after(2)

    monkeypatch.setattr(time, "monotonic", lambda: 101.5)

    assert deadline.remaining() == 0.5
    assert not deadline.expired
