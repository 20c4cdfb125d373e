from __future__ import annotations

import pytest

from explain.research.tiers import tier_figures, withdrawn_figures
from explain.tested import Fidelity, Tested


def one_case(seconds: float, residual: float, *, holds: bool) -> Tested:
    """What the second tier found of a case with a note, whose marks beat chance or do not."""
    one = Fidelity("text", 0.2 if holds else 0.0, 0.1, 0.0, 0.0, 5, 10)
    return Tested((), residual, (), (), (one,), None, (), seconds * 1000)


def test_residual_is_the_largest_and_duration_the_95th_percentile() -> None:
    """One case that does not add up is one too many; the goal for the time is one for nearly all cases."""
    found = {
        one.name: one.value for one in tier_figures([one_case(1.0, 1e-9, holds=True), one_case(3.0, 2e-9, holds=True)])
    }

    assert found["shapley_residual"] == 2e-9
    assert found["second_tier.duration_s"] == pytest.approx(2.9)
    assert found["second_tier.duration_p50_s"] == pytest.approx(2.0)


def test_withdrawn_marks_are_counted_where_there_were_any() -> None:
    """A modality that no case had has no figure."""
    (figure,) = withdrawn_figures([one_case(1, 0, holds=True), one_case(1, 0, holds=False)], ("a", "b"))

    assert (figure.name, figure.value, figure.n) == ("second_tier.withdrawn.text", 0.5, 2)
