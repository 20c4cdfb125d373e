from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inference.gate import ADULT, TURNED, GateArrays, ImageGate, log_odds
from inference.manifest import CheckpointError
from inference.scope import LOOKS
from tests.inference.tiny_checkpoint import make_gate

GATE = make_gate(np.array([1.0, 0.0, 0.0]))
FIELDS = tuple(GateArrays.__dataclass_fields__)


def feature(*numbers: float) -> np.ndarray:
    return np.array(numbers, np.float32)


@pytest.mark.parametrize(("place", "distance"), [((1, 0, 0), 0.0), ((3, 0, 0), 2.0), ((1, 3, 4), 5.0)])
def test_distance_is_in_standard_deviations(place: tuple[float, ...], distance: float) -> None:
    """The distance is from the mean of the training films, in their deviations."""
    assert GATE.distance(feature(*place)) == pytest.approx(distance)


def test_scale_is_taken_out_first() -> None:
    """A feature that spreads twice as wide counts half."""
    wide = replace(GATE, arrays=replace(GATE.arrays, scale=np.array([2.0, 1, 1])))

    assert wide.distance(feature(3, 0, 0)) == pytest.approx(1)


def test_threshold_itself_is_accepted() -> None:
    """A film at the threshold is still read, one beyond it is not."""
    edge = feature(1, 0, 2)
    gate = replace(GATE, threshold=float(GATE.score(edge)))

    assert gate.accepts(edge)
    assert not gate.accepts(feature(1, 0, 2.01))


def test_feature_that_is_no_number_is_refused() -> None:
    """A broken feature is never taken for a film in scope, nor for any kind of thing."""
    broken = feature(np.nan, 0, 0)

    assert not GATE.accepts(broken)
    assert GATE.looks_like(broken) is None


def test_many_features_are_judged_in_one_call() -> None:
    """Whoever fits the threshold asks for all scores at once."""
    features = np.stack([feature(1, 0, 0), feature(1, 0, 2)])

    assert GATE.score(features) == pytest.approx([GATE.score(each) for each in features])


def test_one_view_cannot_make_up_for_the_other() -> None:
    """A film far from all others is refused even where the classifier is very sure that it is in scope."""
    sure = replace(GATE.arrays, bias=np.array([500.0, 0, 0]), spread=np.ones(2))

    assert ImageGate(sure, 3.0).score(feature(1, 0, 9)) == pytest.approx(9)


@pytest.mark.parametrize("view", [0, 1])
def test_each_view_refuses_by_itself(view: int) -> None:
    """What only the classifier or only the distance finds odd is refused."""
    spread = np.full(2, 1e9)
    spread[view] = 1.0
    gate = ImageGate(replace(GATE.arrays, spread=spread), 3.0)

    assert gate.accepts(feature(1, 0, 0))
    assert not gate.accepts(feature(6, 0, 0))


@pytest.mark.parametrize(
    ("place", "kind"),
    [((5, 0, 0), ADULT), ((1, 5, 0), TURNED), ((5, 4, 0), None), ((1, 0, 9), None), ((1, 0, 0), None)],
)
def test_kind_is_named_only_where_it_is_sure(place: tuple[float, ...], kind: str | None) -> None:
    """Between two kinds, or where only the distance speaks, nothing is named."""
    assert GATE.looks_like(feature(*place)) == kind


def test_classifier_looks_no_further_than_it_has_seen() -> None:
    """A line drawn on for a thousand deviations must not lead back into the scope."""
    assert GATE.logits(feature(1000, 0, 0)) == pytest.approx(GATE.logits(feature(9, 0, 0)))


def test_log_odds_are_of_all_kinds_together() -> None:
    """Two kinds with a third of the probability each make odds of two to one, and large logits do not overflow."""
    assert log_odds(np.array([[5.0, 5, 5], [900, 900, 900]])) == pytest.approx(np.log([2, 2]))


def test_gate_comes_back_from_its_file(tmp_path: Path) -> None:
    """What was saved in single precision judges as before and knows its kinds."""
    GATE.arrays.save(tmp_path / "scope.npz")

    loaded = ImageGate.load(tmp_path / "scope.npz", threshold=2.0)
    assert loaded.score(feature(2.5, 4, 1)) == pytest.approx(GATE.score(feature(2.5, 4, 1)), rel=1e-5)
    assert loaded.kinds == (ADULT, TURNED)


@pytest.mark.parametrize("name", FIELDS)
def test_missing_array_is_refused(tmp_path: Path, name: str) -> None:
    """A scope.npz of an older form is refused, and the sentence names what it should hold."""
    arrays = {each: getattr(GATE.arrays, each) for each in FIELDS if each != name}
    np.savez(tmp_path / "scope.npz", allow_pickle=False, **arrays)

    with pytest.raises(CheckpointError, match=f"has not all of .*{name}"):
        ImageGate.load(tmp_path / "scope.npz", 1.0)


@pytest.mark.parametrize("name", FIELDS)
def test_array_of_another_size_is_refused(tmp_path: Path, name: str) -> None:
    """Arrays that do not fit together are refused when they are loaded."""
    array = getattr(GATE.arrays, name)
    replace(GATE.arrays, **{name: np.concatenate([array, array])}).save(tmp_path / "scope.npz")

    with pytest.raises(CheckpointError, match="one width and one number of kinds"):
        ImageGate.load(tmp_path / "scope.npz", 1.0)


def test_every_kind_has_its_words() -> None:
    """No kind that a gate can know is without a sentence for the clinician."""
    assert set(LOOKS) == {"adult", "turned", "inverted", "other"}
