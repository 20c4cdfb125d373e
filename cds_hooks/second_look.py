"""What is kept of an answered case -> its check, by running variants of it through the checkpoint's own graph.

Opened when it is first needed, also where Triton answers: the graph is cut from the checkpoint's file, and runs here.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Final

from explain.second import CheckInputs, check_case
from explain.tested import Tested
from inference.bank import Bank
from inference.checkpoint import Checkpoint
from inference.explore import Explorer

NICENESS: Final = 10
"""What the kernel takes from the thread of a check where others want the core: Linux counts for each thread apart."""


class SecondLook:
    """The second tier of one checkpoint; to be used from one thread."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._explorer: Explorer | None = None
        self._bank: Bank | None = None

    def check(self, inputs: bytes, pause: Callable[[], None]) -> Tested:
        """Check one answer.

        Args:
            inputs: of `CheckInputs.to_bytes`.
            pause: called before each run of the graph.

        Raises:
            BackendError: the graph cannot be run here.
            CheckpointError: its bank cannot be read.
            ValueError: the inputs are of another version or checkpoint.
        """
        case = CheckInputs.from_bytes(inputs)
        pause()
        if self._explorer is None:
            self._bank = Bank.load(self._checkpoint.folder)
            self._explorer = Explorer(self._checkpoint, pause=pause)
        self._explorer.pause = pause
        return check_case(case, self._explorer, self._bank)


def step_back() -> None:
    """Let the calling thread run behind all others, of this process and of the host, for the rest of its life."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)
