from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cds_hooks.second_look import step_back


def niceness() -> int:
    """Return that of this thread."""
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts niceness for each thread")
def test_thread_of_checks_steps_back_alone() -> None:
    """The kernel prefers every other thread of the process to that of the checks, and treats those as before."""
    before = niceness()
    with ThreadPoolExecutor(1, initializer=step_back) as checking:
        stepped = checking.submit(niceness).result()

    assert stepped > before or before == 19
    assert niceness() == before
