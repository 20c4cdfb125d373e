"""Every way in which a chart gets worse, one row each in the module of its modality.

To add one: a function and a row there; figures and plot follow.
"""

from __future__ import annotations

from typing import Final

from inference.training.robustness.degrade_image import IMAGE_KINDS
from inference.training.robustness.degrade_note import NOTE_KINDS
from inference.training.robustness.degrade_values import VALUE_KINDS
from inference.training.robustness.kind import Kind

KINDS: Final[tuple[Kind, ...]] = (*IMAGE_KINDS, *NOTE_KINDS, *VALUE_KINDS)
