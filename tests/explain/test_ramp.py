"""Colours of the heat map."""

import numpy as np
import pytest

from explain.ramp import RAMP, hex_colour

# Linear sRGB seen with each colour vision deficiency at full severity (Machado, Oliveira and Fernandes 2009).
VISIONS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [(0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)]
    ),
    "deuteranopia": np.array(
        [(0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)]
    ),
    "tritanopia": np.array(
        [(1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)]
    ),
}


@pytest.mark.parametrize("vision", VISIONS)
def test_more_is_lighter_for_every_eye(vision: str) -> None:
    """Luminance rises along the ramp with every colour vision, and so on a grey print."""
    coded = RAMP[:, :3] / 255.0
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    luminance = (linear @ VISIONS[vision].T) @ np.array([0.2126, 0.7152, 0.0722])
    # Steps of 8 bits: single neighbours may tie.
    assert (np.diff(luminance[::8]) > 0).all()


def test_nothing_is_drawn_where_there_is_nothing() -> None:
    """Relevance 0 is wholly transparent, and opacity never falls as relevance rises."""
    alpha = RAMP[:, 3].astype(int)
    assert alpha[0] == 0
    assert (np.diff(alpha) >= 0).all()


def test_the_film_shows_through_at_the_maximum() -> None:
    """Even the strongest relevance leaves something of the film to be seen."""
    assert 0.5 < RAMP[-1, 3] / 255 < 0.95


def test_hex_colour_is_the_ramps() -> None:
    """The legend's colours are those of the map."""
    assert hex_colour(1.0) == "#{:02x}{:02x}{:02x}".format(*RAMP[-1, :3])
