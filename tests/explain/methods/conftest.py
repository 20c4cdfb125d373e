from __future__ import annotations

import pytest

from inference.checkpoint import Checkpoint
from tests.inference.tiny_checkpoint import make_checkpoint


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A sealed checkpoint with a graph that has learned nothing; sets hold what has 0.4 or more."""
    return make_checkpoint(tmp_path_factory.mktemp("tiny"))
