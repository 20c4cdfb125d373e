from __future__ import annotations

import numpy as np
import pytest

from explain.research.ranks import ranks, spearman


def test_equal_values_share_their_rank() -> None:
    """3, 1, 3, 2 stand at 3.5, 1, 3.5, 2."""
    assert ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [3.5, 1.0, 3.5, 2.0]


@pytest.mark.parametrize(
    ("other", "expected"),
    [([10.0, 20.0, 30.0, 40.0], 1.0), ([4.0, 3.0, 2.0, 1.0], -1.0), ([2.0, 1.0, 4.0, 3.0], 0.6)],
)
def test_correlation_is_that_of_the_ranks(other: list[float], expected: float) -> None:
    """Only the order counts: 1 - 6 (sum of squared differences) / (n (n^2 - 1))."""
    first = np.array([[1.0, 2.0, 3.0, 4.0]])

    assert spearman(first, np.array([other]), np.ones((1, 4), bool)) == pytest.approx([expected])


def test_absent_parts_do_not_count() -> None:
    """What is not there cannot make two maps alike or unlike."""
    first, second = np.array([[1.0, 2.0, 3.0, 0.0]]), np.array([[1.0, 2.0, 3.0, 99.0]])

    assert spearman(first, second, np.array([[True, True, True, False]])) == pytest.approx([1.0])


@pytest.mark.parametrize("there", [[True, True, True, True], [True, True, False, False]])
def test_map_without_an_order_has_no_correlation(there: list[bool]) -> None:
    """A constant map, or two parts alone, are neither alike nor unlike."""
    found = spearman(np.ones((1, 4)), np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([there]))

    assert np.isnan(found).all()
