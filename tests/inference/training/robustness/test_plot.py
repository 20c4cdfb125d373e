from __future__ import annotations

from xml.etree import ElementTree

import numpy as np

from inference.training.robustness.kind import STEPS
from inference.training.robustness.kinds import KINDS
from inference.training.robustness.plot import HEIGHT, LINES, STYLE, draw
from inference.training.robustness.run import METRICS, Curve, Point

SVG = "{http://www.w3.org/2000/svg}"


def made_up(value: float) -> Point:
    return Point(dict.fromkeys(METRICS, value), (value - 0.1, value + 0.1), np.array([value]))


def draw_all() -> ElementTree.Element:
    curves = [Curve(kind, tuple(made_up(0.9 - 0.1 * step) for step in range(STEPS))) for kind in KINDS]
    return ElementTree.fromstring(draw(curves, "A <title> & more"))


def test_every_kind_has_its_panel() -> None:
    """The plot is well-formed and names each kind, its unit and every strength."""
    words = [item.text for item in draw_all().iter(f"{SVG}text")]

    assert all(words.count(kind.name) == 1 and kind.unit in words for kind in KINDS)
    assert {f"{strength:g}" for kind in KINDS for strength in kind.strengths[1:]} <= set(words)
    assert "A <title> & more" in words


def test_values_stand_where_the_axis_says() -> None:
    """A value of 0.9 lies a tenth of the height below the top, at the left edge for step 0."""
    spots = {(item.get("cx"), item.get("cy")) for item in draw_all().iter(f"{SVG}circle")}

    assert ("0.0", f"{HEIGHT * 0.1:.1f}") in spots
    assert len(list(draw_all().iter(f"{SVG}circle"))) == len(KINDS) * len(LINES) * STEPS


def test_both_grounds_have_their_colours() -> None:
    """Every line has a colour for light and for dark ground."""
    light, dark = STYLE.split("@media (prefers-color-scheme: dark)")

    assert all(f"--{line.metric}:" in light and f"--{line.metric}:" in dark for line in LINES)
