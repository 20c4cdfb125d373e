from __future__ import annotations

from pathlib import Path

import pytest

from tests.inference.model.conftest import batch, model

__all__ = ["batch", "model"]

PAEDIATRIC = Path(__file__).parents[4] / "shared" / "data" / "chest-xray-paediatric"


@pytest.fixture
def paediatric() -> Path:
    """The folder of real radiographs, which is never part of the repository."""
    if not PAEDIATRIC.is_dir():
        pytest.skip("the radiographs are not here: ../shared/data/chest-xray-paediatric")
    return PAEDIATRIC
