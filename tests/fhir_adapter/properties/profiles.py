"""How many examples a property is tried on: a few hundred with every test run, ten thousand when asked.

HYPOTHESIS_PROFILE=deep python -m pytest tests/fhir_adapter/properties
"""

from __future__ import annotations

import os
from typing import Final

from hypothesis import HealthCheck, settings

_PROFILES: Final = {
    # The same examples every time: a test run fails for what was changed, not for its luck.
    "quick": settings(max_examples=300, derandomize=True),
    "deep": settings(max_examples=10_000, derandomize=False, print_blob=True),
}
PROFILE: Final = settings(
    _PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "quick")],
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
