from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina


@pytest.fixture(autouse=True)
def no_pauses() -> Iterator[None]:
    """Let retries follow at once: no test waits."""
    with stamina.set_testing(True, attempts=10, cap=True):
        yield
