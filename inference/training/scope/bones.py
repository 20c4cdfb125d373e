"""Random numbers -> drawn films of other body parts: bright bones in grey flesh on a dark ground.

Nobody would take them for radiographs. They are simulated, and there only to show the gate what is no chest.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inference.training.scope.draw import SIDE, Picture, bar, clipped, disc, haze

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a limb lies: a place z of the drawing comes to `centre + turn * z`."""

    centre: complex
    turn: complex

    @classmethod
    def draw(cls, rng: Rng) -> Pose:
        """Lay a limb anywhere near the middle, turned by any angle."""
        size, angle = rng.uniform(0.8, 1.5), rng.uniform(0, 2 * np.pi)
        return cls(complex(*rng.uniform(-0.2, 0.2, 2)), size * np.exp(1j * angle))

    def at(self, place: complex) -> complex:
        """Return where a place of the drawing lies on the film."""
        return self.centre + self.turn * place

    def bone(self, start: complex, end: complex, radius: float) -> Picture:
        """Draw a long bone: dense at its rim, wider at its ends."""
        first, last, thick = self.at(start), self.at(end), radius * abs(self.turn)
        ends = disc(first, 1.35 * thick, 1.35 * thick) + disc(last, 1.35 * thick, 1.35 * thick)
        shaft = bar(first, last, thick) - 0.45 * bar(first, last, 0.55 * thick)
        return np.asarray(np.maximum(shaft, 0.75 * np.minimum(ends, 1)), np.float32)

    def flesh(self, start: complex, end: complex, radius: float) -> Picture:
        """Draw the soft tissue around a line."""
        return bar(self.at(start), self.at(end), radius * abs(self.turn))

    def lump(self, centre: complex, width: float, height: float) -> Picture:
        """Draw a short bone or a thick part."""
        size = abs(self.turn)
        return disc(self.at(centre), width * size, height * size, float(np.angle(self.turn)))


def expose(rng: Rng, flesh: Sequence[Picture], bones: Sequence[Picture]) -> Picture:
    """Lay bones into flesh and expose a film; 0..1."""
    ground = rng.uniform(0, 0.12)
    tissue = np.max(np.stack(flesh), 0) * rng.uniform(0.12, 0.4) * (1 + 0.08 * haze(rng, SIDE / 16))
    dense = np.minimum(np.sum(np.stack(bones), 0), 1.3) * rng.uniform(0.3, 0.6) * (1 + 0.1 * haze(rng, SIDE / 40))
    film = ground + tissue + dense
    return clipped(film + rng.uniform(0.005, 0.03) * haze(rng, 0.6))


def hand(rng: Rng) -> Picture:
    """Draw a hand: five rays, a wrist, the ends of the forearm."""
    pose, bones, flesh = Pose.draw(rng), [], []
    for angle, length in zip(np.radians([-48, -18, -4, 10, 26]), [0.7, 0.95, 1.0, 0.92, 0.75], strict=True):
        ray = -1j * np.exp(1j * (angle + rng.uniform(-0.05, 0.05))) * length
        joints = [0.12, 0.42, 0.66, 0.82, 0.94]
        bones += [pose.bone(a * ray, (b - 0.03) * ray, 0.032) for a, b in itertools.pairwise(joints)]
        flesh.append(pose.flesh(0.1 * ray, 0.95 * ray, 0.075))
    bones += [pose.lump(complex(x, y), 0.05, 0.045) for x in (-0.1, 0, 0.1) for y in (0.0, 0.09)]
    bones += [pose.bone(0.06 + 0.15j, 0.07 + 0.8j, 0.05), pose.bone(-0.07 + 0.16j, -0.07 + 0.8j, 0.04)]
    return expose(rng, [*flesh, pose.flesh(-0.3j, 0.8j, 0.2)], bones)


def forearm(rng: Rng) -> Picture:
    """Draw two slender bones side by side."""
    pose, gap = Pose.draw(rng), rng.uniform(0.08, 0.14)
    bones = [pose.bone(gap - 1.2j, gap * 0.8 + 1.2j, 0.055), pose.bone(-gap - 1.2j, -gap * 1.1 + 1.2j, 0.05)]
    return expose(rng, [pose.flesh(-1.3j, 1.3j, rng.uniform(0.22, 0.36))], bones)


def thigh(rng: Rng) -> Picture:
    """Draw one thick bone in much flesh."""
    pose, bend = Pose.draw(rng), rng.uniform(-0.15, 0.15)
    return expose(rng, [pose.flesh(-1.4j, bend + 1.4j, rng.uniform(0.3, 0.5))], [pose.bone(-1.3j, bend + 1.3j, 0.095)])


def knee(rng: Rng) -> Picture:
    """Draw two bones that meet, a kneecap and the thin bone beside the shin."""
    pose = Pose.draw(rng)
    bones = [pose.bone(-1.3j, -0.1j, 0.1), pose.bone(0.08j, 1.3j, 0.09), pose.bone(0.17 + 0.2j, 0.17 + 1.3j, 0.035)]
    bones += [pose.lump(-0.07j, 0.2, 0.11), pose.lump(0.1j, 0.19, 0.09), pose.lump(-0.2j, 0.09, 0.1)]
    return expose(rng, [pose.flesh(-1.3j, 1.3j, rng.uniform(0.26, 0.38))], bones)


def foot(rng: Rng) -> Picture:
    """Draw a foot from above: five short toes, an arch, a heel."""
    pose, bones, flesh = Pose.draw(rng), [], []
    for place in range(5):
        x = -0.22 + 0.11 * place
        radius = 0.045 if place == 0 else 0.028
        root, ball, tip = complex(0.5 * x, -0.1), complex(x, -0.5), complex(1.15 * x, -0.85 + 0.06 * place)
        bones += [pose.bone(root, ball, radius), pose.bone(ball - 0.05j, (ball + tip) / 2, radius * 0.9)]
        bones.append(pose.bone((ball + tip) / 2 - 0.03j, tip, radius * 0.8))
        flesh.append(pose.flesh(root, tip, 0.08))
    bones += [pose.lump(complex(x, y), 0.08, 0.06) for x, y in [(-0.1, 0), (0.06, 0), (-0.04, 0.14), (0.06, 0.14)]]
    bones.append(pose.lump(0.42j, 0.13, 0.22))
    return expose(rng, [*flesh, pose.flesh(-0.3j, 0.45j, 0.23)], bones)


def elbow(rng: Rng) -> Picture:
    """Draw an arm bent at the elbow."""
    pose, angle = Pose.draw(rng), rng.uniform(0.9, 2.2)
    lower = np.exp(1j * angle) * -1j
    side = lower * 1j * 0.09
    bones = [pose.bone(1.3j, 0.06j, 0.085), pose.lump(0.04j, 0.15, 0.09)]
    bones += [pose.bone(0.08 * lower + side, 1.3 * lower + side, 0.055)]
    bones += [pose.bone(0.02 * lower - side, 1.3 * lower - side, 0.06)]
    width = rng.uniform(0.22, 0.3)
    return expose(rng, [pose.flesh(0j, 1.3j, width), pose.flesh(0j, 1.3 * lower, width)], bones)


def skull(rng: Rng) -> Picture:
    """Draw a skull from the front: a bright rim, orbits, a jaw."""
    pose = Pose.draw(rng)
    vault = pose.lump(-0.1j, 0.5, 0.58)
    rim = vault - 0.75 * pose.lump(-0.1j, 0.44, 0.52)
    orbits = pose.lump(-0.2 + 0.1j, 0.13, 0.11) + pose.lump(0.2 + 0.1j, 0.13, 0.11)
    jaw = pose.flesh(-0.3 + 0.45j, 0.62j, 0.09) + pose.flesh(0.3 + 0.45j, 0.62j, 0.09)
    return expose(rng, [pose.lump(0j, 0.56, 0.68), vault], [rim, 0.8 * np.minimum(jaw, 1), 0.35 * vault - 0.3 * orbits])
