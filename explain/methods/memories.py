"""One case -> what the encoders made of it, with film or note taken away, for runs of the fusion alone."""

from __future__ import annotations

import numpy as np

from explain.methods.inputs import CheckInputs
from inference.calibrate import DoubleArray
from inference.contract import FloatArray, Tensor
from inference.explore import Chart, Explorer, Memory


def remember(case: CheckInputs, explorer: Explorer, *, image: bool = True, text: bool = True) -> Memory:
    """Run the encoders once, the learned absent token in place of what is not kept."""
    arrays = dict(case.arrays)
    if not image:
        arrays[Tensor.IMAGE_PRESENT] = np.zeros_like(arrays[Tensor.IMAGE_PRESENT])
    if not text:
        arrays[Tensor.TEXT_PRESENT] = np.zeros_like(arrays[Tensor.TEXT_PRESENT])
    if not arrays[Tensor.TEXT_PRESENT].any():
        # One absent token says what a row of them does: the fusion reads the first only.
        arrays[Tensor.TOKENS] = np.zeros_like(arrays[Tensor.TOKENS])
    return explorer.memory(arrays)


def fuse(explorer: Explorer, memory: Memory, case: CheckInputs, kept: FloatArray) -> DoubleArray:
    """Answer with only some of the structured inputs: `kept` (B, SLOTS), 1 or 0; probabilities (B, CLASSES)."""
    present = kept * case.arrays[Tensor.VALUE_PRESENT]
    chart = Chart(present * case.arrays[Tensor.VALUES], present, present * case.arrays[Tensor.VALUE_AGE])
    return explorer.fused(memory, chart)
