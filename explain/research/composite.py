"""Figures of a check -> one number, which is void where the maps do not depend on what the model learned.

The geometric mean of four parts, each 0..1, so that one zero sinks it:

F  faithfulness: of each modality the gain of the shipped method over chance (comprehensiveness less sufficiency), as a
   share of what the best of all methods gains that are measured here; geometric mean of the three.
L  localisation: the rate of hits on planted evidence in the film, above the better of its controls, as a share of what
   was left to win.
R  robustness: the lower of the rank correlations under noise and under 8 bits, mean over the modalities.
N  narrative: the share of claims that an independent checker traces to their evidence.

Void: after forgetting all weights, the maps of a modality still correlate with those before by more than `GATE` above
what chance gives (two orders of few values are alike by chance; of a film's patches hardly).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from inference.figures import Figure

PARTS: Final = ("faithfulness", "localisation", "robustness", "narrative")
CONTROLS: Final = ("planted.image.random", "planted.image.centre")
GATE: Final = 0.3
"""S = 1 - rank correlation must be above 0.7."""


def share_of(gain: float, reference: float) -> float:
    """Return a gain as a share of the reference's, 0..1; 0 where either is none."""
    return float(np.clip(gain / reference, 0, 1)) if reference > 0 and gain > 0 else 0.0


def above_chance(rate: float, control: float) -> float:
    """Return a rate above a control's as a share of what was left to win, 0..1."""
    return float(np.clip((rate - control) / (1 - control), 0, 1)) if control < 1 else 0.0


def geometric_mean(values: Sequence[float]) -> float:
    """Return the geometric mean of numbers of 0 or more."""
    return float(np.prod(values) ** (1 / len(values)))


def survives(forgotten: Mapping[str, float], chance: Mapping[str, float]) -> list[str]:
    """Return the modalities whose maps survive forgetting, by mean absolute rank correlation, and by chance's."""
    return [name for name, found in forgotten.items() if found - chance[name] > GATE]


def composite_figures(parts: Sequence[float], surviving: Sequence[str], n: int) -> list[Figure]:
    """Return the composite with its parts; a void one is 0 and says so in `composite.void`, since JSON has no NaN.

    Args:
        parts: F, L, R and N, each 0..1.
        surviving: modalities whose maps survive forgetting.
        n: cases that judged.
    """
    value = 0.0 if surviving else geometric_mean(parts)
    found = [Figure("composite", value, "1", n), Figure("composite.void", float(bool(surviving)), "1", n)]
    return found + [Figure(f"composite.{name}", part, "1", n) for name, part in zip(PARTS, parts, strict=True)]


def localisation_of(figures: Mapping[str, float]) -> float | None:
    """Return L from the figures of planted evidence by name; None where none was planted in films."""
    if "planted.image" not in figures:
        return None
    controls = [figures[name] for name in CONTROLS if name in figures]
    return above_chance(figures["planted.image"], max(controls, default=0.0))
