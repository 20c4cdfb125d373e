"""Random numbers -> drawn pictures as other scanners give them: CT, MR, ultrasound, scintigraphy. All simulated."""

from __future__ import annotations

import numpy as np

from inference.training.scope.draw import SIDE, Picture, bar, box, clipped, disc, fan, haze, soften

Rng = np.random.Generator


def _grained(rng: Rng, picture: Picture, deviation: float) -> Picture:
    return clipped(picture + deviation * haze(rng, rng.uniform(0.4, 1.2)))


def ct_chest(rng: Rng) -> Picture:
    """Draw an axial slice through a chest: a fat rim, two black lungs, a vertebra."""
    width, height, down = rng.uniform(0.65, 0.9), rng.uniform(0.45, 0.65), rng.uniform(-0.1, 0.1)
    centre = down * 1j
    body = 0.3 * disc(centre, width, height) + 0.2 * disc(centre, 0.93 * width, 0.9 * height)
    lungs = disc(centre - 0.5 * width, 0.3 * width, 0.62 * height) + disc(
        centre + 0.5 * width, 0.3 * width, 0.6 * height
    )
    vessels = np.clip(haze(rng, 3) - 1.4, 0, 1) * 0.4 * lungs
    spine = disc(centre + 0.62j * height, 0.11, 0.1) + bar(centre + 0.7j * height, centre + 0.92j * height, 0.03)
    picture = body * (1 - np.minimum(lungs, 1)) + vessels + 0.4 * np.minimum(spine, 1)
    return _grained(rng, picture, rng.uniform(0.01, 0.05))


def ct_head(rng: Rng) -> Picture:
    """Draw an axial slice through a head: a bright ring, grey brain, dark ventricles."""
    width, height, angle = rng.uniform(0.5, 0.7), rng.uniform(0.65, 0.85), rng.uniform(-0.3, 0.3)
    ring = disc(0j, width, height, angle) - disc(0j, width - 0.06, height - 0.06, angle)
    brain = disc(0j, width - 0.06, height - 0.06, angle) * (rng.uniform(0.3, 0.5) + 0.02 * haze(rng, 5))
    ventricles = disc(-0.09 - 0.05j, 0.05, 0.2, 0.2) + disc(0.09 - 0.05j, 0.05, 0.2, -0.2)
    return _grained(rng, ring + brain - 0.2 * ventricles, rng.uniform(0.01, 0.04))


def mr_head(rng: Rng) -> Picture:
    """Draw an MR slice through a head: bright scalp, dark bone, folded brain."""
    width, height = rng.uniform(0.5, 0.75), rng.uniform(0.6, 0.85)
    scalp = disc(0j, width, height) - disc(0j, width - 0.05, height - 0.05)
    brain = disc(0j, width - 0.12, height - 0.12)
    folds = rng.uniform(0.3, 0.6) + 0.15 * np.tanh(2 * haze(rng, rng.uniform(4, 8)))
    picture = rng.uniform(0.5, 0.9) * scalp + brain * folds
    uneven = 1 + 0.2 * haze(rng, SIDE / 6)
    return _grained(rng, np.asarray(picture * uneven, np.float32), rng.uniform(0.01, 0.05))


def us_sector(rng: Rng) -> Picture:
    """Draw a sector of speckle with dark cysts on black."""
    apex = complex(rng.uniform(-0.15, 0.15), rng.uniform(-1.1, -0.85))
    seen = fan(apex, rng.uniform(0.05, 0.3), rng.uniform(1.5, 1.9), rng.uniform(0.45, 0.8))
    return _echo(rng, seen, speckle=rng.uniform(1.0, 2.5))


def _echo(rng: Rng, seen: Picture, speckle: float) -> Picture:
    """Fill what a probe sees with tissue under Rayleigh-like speckle."""
    tissue = np.clip(0.35 + 0.2 * haze(rng, rng.uniform(12, 30)), 0.03, 1)
    for _ in range(rng.integers(0, 3)):
        width, height = rng.uniform(0.08, 0.25, 2)
        hole = disc(complex(*rng.uniform(-0.5, 0.5, 2)), width, height, rng.uniform(0, 3))
        tissue = tissue * (1 - 0.9 * hole)
    grains = np.hypot(haze(rng, speckle), haze(rng, speckle)) / 1.25
    return clipped(seen * tissue * grains)


def ct_abdomen(rng: Rng) -> Picture:
    """Draw an axial slice through an abdomen on its table: liver, kidneys, gas."""
    width, height = rng.uniform(0.7, 0.9), rng.uniform(0.5, 0.68)
    body = 0.22 * disc(0j, width, height) + 0.28 * disc(0j, 0.85 * width, 0.82 * height)
    liver = disc(-0.45 * width - 0.1j, 0.35 * width, 0.55 * height, 0.3)
    kidneys = disc(-0.4 * width + 0.35j * height, 0.1, 0.12) + disc(0.42 * width + 0.35j * height, 0.1, 0.12)
    gas = disc(complex(rng.uniform(0, 0.3), -0.25), 0.12, 0.07)
    spine = disc(0.5j * height, 0.12, 0.11)
    table = bar(-0.9 + (height + 0.1) * 1j, 0.9 + (height + 0.1) * 1j, 0.015)
    picture = body + 0.12 * liver + 0.2 * kidneys + 0.45 * spine - 0.45 * gas + 0.3 * table
    return _grained(rng, clipped(picture), rng.uniform(0.01, 0.05))


def mr_spine(rng: Rng) -> Picture:
    """Draw a sagittal MR slice: a column of vertebrae, a cord, fat at the back."""
    slope, picture = rng.uniform(-0.1, 0.1), 0.15 * box(0j, 0.8, 1.2)
    for place in np.arange(-1, 1.1, 0.27):
        picture = picture + rng.uniform(0.3, 0.4) * box(complex(slope * place, place), 0.16, 0.1, slope)
        picture = picture + 0.15 * box(complex(slope * place, place + 0.135), 0.15, 0.025)
    cord = bar(0.27 - slope - 1.2j, 0.27 + slope + 1.2j, 0.07)
    fat = bar(0.75 - 1.2j, 0.7 + 1.2j, 0.12)
    picture = picture + rng.uniform(0.2, 0.6) * cord + rng.uniform(0.4, 0.8) * fat
    return _grained(rng, clipped(picture * (1 + 0.15 * haze(rng, 40))), 0.03)


def us_linear(rng: Rng) -> Picture:
    """Draw the rectangle of a linear probe, layered along its depth, with the scale beside it."""
    half = complex(rng.uniform(0.45, 0.8), rng.uniform(0.6, 0.85))
    layers = 0.6 + 0.4 * np.sin(np.linspace(0, rng.uniform(15, 40), SIDE))[:, None] * np.ones(SIDE)
    seen = box(complex(rng.uniform(-0.15, 0.1), 0), half.real, half.imag) * layers
    marks = sum((bar(0.92 + 1j * y, 0.96 + 1j * y, 0.008) for y in np.arange(-0.8, 0.9, 0.2)), np.zeros((SIDE, SIDE)))
    return clipped(_echo(rng, seen.astype(np.float32), rng.uniform(0.8, 2)) + 0.8 * marks)


def scintigram(rng: Rng) -> Picture:
    """Draw a whole body as gamma counts: blurred, grainy, black where nothing is taken up."""
    shape = disc(-0.8j, 0.12, 0.14) + box(-0.3j, 0.18, 0.38) + bar(-0.12 + 0.1j, -0.16 + 0.95j, 0.08)
    shape = shape + bar(0.12 + 0.1j, 0.16 + 0.95j, 0.08) + bar(-0.25 - 0.55j, -0.38 + 0.15j, 0.05)
    shape = np.minimum(shape + bar(0.25 - 0.55j, 0.38 + 0.15j, 0.05), 1) * np.clip(0.5 + 0.3 * haze(rng, 6), 0.05, 2)
    counts = rng.poisson(np.clip(soften(shape.astype(np.float32), 2), 0, None) * rng.uniform(4, 15))
    return clipped(counts / rng.uniform(8, 15))
