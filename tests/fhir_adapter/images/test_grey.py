import numpy as np
import pytest

from fhir_adapter.images.grey import FloatArray, Window, to_grey

VALUES = np.linspace(0, 1000, 6400, dtype=np.float32).reshape(80, 80)


@pytest.mark.parametrize(
    ("window", "value", "grey"),
    [
        (Window(500, 200, "LINEAR"), 499.5, 0.5),
        (Window(500, 201, "LINEAR"), 399.5, 0.0),
        (Window(500, 201, "LINEAR"), 599.5, 1.0),
        (Window(500, 200, "LINEAR_EXACT"), 500, 0.5),
        (Window(500, 200, "LINEAR_EXACT"), 450, 0.25),
        (Window(500, 200, "SIGMOID"), 500, 0.5),
        (Window(500, 200, "SIGMOID"), 1e9, 1.0),
        (Window(500, 200, "SIGMOID"), -1e9, 0.0),
    ],
)
def test_window_follows_the_standard(window: Window, value: float, grey: float) -> None:
    """The three functions of PS3.3 C.11.2.1 map their center to one half and their ends to black and white."""
    assert window.apply(np.array([value], dtype=np.float32))[0] == pytest.approx(grey, abs=1e-6)


@pytest.mark.parametrize(
    "window", [None, Window(500, 0), Window(500, 1), Window(500, -5), Window(float("nan"), 5), Window(90_000, 10)]
)
def test_window_that_shows_nothing_is_not_used(window: Window | None) -> None:
    """Without a window, or with one that leaves a black or white square, the picture is stretched."""
    grey = to_grey(VALUES, None, window, 0)

    assert (grey.min(), grey.max()) == (0, 1)
    assert np.quantile(grey, 0.5) == pytest.approx(0.5, abs=0.01)


def test_window_that_makes_sense_is_used() -> None:
    """A window that shows the picture sets its contrast."""
    assert np.mean(to_grey(VALUES, None, Window(500, 400), 0) == 0) == pytest.approx(0.3, abs=0.01)


def test_eight_bit_picture_is_shown_as_it_is() -> None:
    """An 8-bit picture without a window is ready for display: it is divided, not stretched."""
    dull: FloatArray = np.full((40, 40), 51, dtype=np.float32)

    assert to_grey(dull, None, None, 255) == pytest.approx(np.full((40, 40), 0.2))


def test_marker_does_not_set_the_contrast() -> None:
    """One very bright marker in the corner leaves the lung its greys."""
    marked = VALUES.copy()
    marked[:2, :2] = 60_000

    assert to_grey(marked, None, None, 0)[40, 40] == pytest.approx(0.5, abs=0.02)


def test_padding_does_not_set_the_contrast() -> None:
    """Pixels outside the picture do not count for black and white."""
    padding = np.zeros((80, 80), dtype=bool)
    padding[:, :40] = True
    values = np.where(padding, np.float32(-2000), VALUES)

    assert to_grey(values, padding, None, 0)[40, 41:] == pytest.approx(
        to_grey(VALUES, None, None, 0)[40, 41:], abs=0.02
    )


def test_empty_picture_is_black() -> None:
    """A picture of one value has no contrast to stretch."""
    assert not to_grey(np.full((40, 40), 7, dtype=np.float32), None, None, 0).any()
