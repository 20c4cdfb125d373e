from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.gate import ImageGate

GATE = ImageGate(np.array([1.0, 0.0]), np.diag([4.0, 1.0]), threshold=2.0)


@pytest.mark.parametrize(("feature", "distance"), [([1, 0], 0.0), ([2, 0], 2.0), ([1, 3], 3.0), ([2.5, 4], 5.0)])
def test_distance_is_in_standard_deviations(feature: list[float], distance: float) -> None:
    """One step along a direction with half the spread counts twice."""
    assert GATE.distance(np.array(feature, np.float32)) == pytest.approx(distance)


def test_threshold_itself_is_accepted() -> None:
    """A film at the threshold is still read, one beyond it is not."""
    assert GATE.accepts(np.array([2, 0], np.float32))
    assert not GATE.accepts(np.array([2.01, 0], np.float32))


def test_many_features_are_judged_in_one_call() -> None:
    """Whoever fits the threshold asks for all distances at once."""
    features = np.array([[1, 0], [2, 0]], np.float32)

    assert GATE.distance(features).tolist() == [0, 2]


def test_gate_comes_back_from_its_file(tmp_path: Path) -> None:
    """What was saved in single precision judges as before."""
    np.savez(tmp_path / "scope.npz", mean=GATE.mean.astype(np.float32), precision=GATE.precision.astype(np.float32))

    loaded = ImageGate.load(tmp_path / "scope.npz", threshold=2.0)
    assert loaded.distance(np.array([2.5, 4], np.float32)) == pytest.approx(5)
