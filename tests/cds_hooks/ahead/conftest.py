from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.cds_hooks.ahead import ward as module
from tests.cds_hooks.ahead.ward import Site, Ward


@pytest.fixture
def ward() -> Iterator[Ward]:
    """Return a FHIR server with one patient and one result."""
    with module.ward() as ward:
        yield ward


@pytest_asyncio.fixture
async def site(ward: Ward) -> AsyncIterator[Site]:
    """Return a service that watches it for everybody, step by step."""
    async with module.site(ward) as site:
        yield site
