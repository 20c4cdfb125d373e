from __future__ import annotations

import pytest

from inference.backends import Backend, open_backend
from inference.checkpoint import Checkpoint
from inference.encode import Encoder
from inference.predict import Predictor
from tests.inference.tiny_checkpoint import make_checkpoint


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A sealed checkpoint with a graph that has learned nothing."""
    return make_checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def backend(tiny: Checkpoint) -> Backend:
    """The tiny graph in this process."""
    return open_backend(tiny, triton_url=None)


@pytest.fixture
def encoder(tiny: Checkpoint) -> Encoder:
    return Encoder(tiny)


@pytest.fixture
def predictor(tiny: Checkpoint, backend: Backend) -> Predictor:
    return Predictor(tiny, backend)
