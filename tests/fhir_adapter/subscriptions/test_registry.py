from __future__ import annotations

import dataclasses

import httpx
import pytest
from pydantic import SecretStr

from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirError, FhirRefused, FhirRejected, FhirTimeout, FhirUnavailable
from fhir_adapter.rest.capabilities import FhirVersion
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.subscriptions.interests import Interest
from fhir_adapter.subscriptions.registry import Registry, Standing
from fhir_adapter.subscriptions.resources import Wanted, build_subscription
from tests.fhir_adapter.builders import SERVER, answer, bundle, never, settings, soon
from tests.fhir_adapter.subscriptions.fake_server import SubscriptionServer, endpoint_of

TOPIC = "https://ehr.example.org/SubscriptionTopic/results"
WANTED = Wanted(
    Interest("labs", "Observation"), "https://cds.example.org/notifications/abc", SecretStr("s3cret"), TOPIC
)
OTHER = dataclasses.replace(WANTED, endpoint="https://other.example.org/x")


@pytest.mark.parametrize("version", list(FhirVersion))
async def test_registering_twice_makes_one(version: FhirVersion) -> None:
    """It is made where it is missing and replaced under its id where it is there, in each version."""
    server = SubscriptionServer()
    first = await server.registry().register(WANTED, version, soon())
    second = await server.registry().register(WANTED, version, soon())

    assert first == second == Standing(("s1",), "active")
    assert server.written == ["POST Subscription", "PUT Subscription/s1"]


async def test_surplus_ones_are_taken_away() -> None:
    """Where it is there twice, one is kept."""
    server = SubscriptionServer()
    for own_id in ("s2", "s1"):
        server.held[own_id] = {**build_subscription(WANTED, FhirVersion.R4), "id": own_id}
    before = await server.registry().standing(WANTED, soon())
    await server.registry().register(WANTED, FhirVersion.R4, soon())

    assert (before.ids, list(server.held)) == (("s1", "s2"), ["s1"])


@pytest.mark.parametrize("filters", [True, False])
async def test_those_of_others_stay(filters: bool) -> None:  # noqa: FBT001
    """Only what sends to our address is ours, also on a server that does not filter by it."""
    server = SubscriptionServer()
    server.filters = filters
    await server.registry().register(OTHER, FhirVersion.R4, soon())
    await server.registry().register(WANTED, FhirVersion.R5, soon())
    gone = await server.registry().unregister(WANTED, soon())

    assert (gone, [endpoint_of(each) for each in server.held.values()]) == (1, [OTHER.endpoint])


async def test_nothing_there_is_said() -> None:
    """No Subscription has no status, and taking away none is no error."""
    registry = SubscriptionServer().registry()

    assert await registry.standing(WANTED, soon()) == Standing()
    assert await registry.unregister(WANTED, soon()) == 0


async def test_error_of_delivery_is_noticed() -> None:
    """What a server notes about its failed deliveries shows, without its words."""
    server = SubscriptionServer()
    held = {**build_subscription(WANTED, FhirVersion.R4), "id": "s1", "status": "error", "error": "Socket Error 10060"}
    server.held["s1"] = held

    assert await server.registry().standing(WANTED, soon()) == Standing(("s1",), "error", failing=True)


async def test_write_is_authorized() -> None:
    """Each write carries our own access and says what it is."""
    server = SubscriptionServer()
    await server.registry().register(WANTED, FhirVersion.R4, soon())
    (write,) = [request for request in server.requests if request.method == "POST"]

    assert write.headers["authorization"] == "Bearer own"
    assert write.headers["content-type"] == "application/fhir+json"


@pytest.mark.parametrize(
    ("status", "error"), [(302, FhirRejected), (403, FhirRefused), (422, FhirRejected), (503, FhirUnavailable)]
)
async def test_refused_write_is_an_error(status: int, error: type[FhirError]) -> None:
    """What a server does not take is an error of its kind, and a redirect is not followed."""
    server = SubscriptionServer()
    server.refuses = status
    with pytest.raises(error):
        await server.registry().register(WANTED, FhirVersion.R4, soon())
    assert server.held == {}


async def test_silent_server_ends_at_the_deadline() -> None:
    """A server that takes the write and says nothing is given up in time."""
    found = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer(bundle())))
    silent = httpx.AsyncClient(transport=httpx.MockTransport(never))

    async def headers(_: object) -> dict[str, str]:
        return {}

    registry = Registry(silent, FhirClient(found, SERVER, None, settings()), headers)
    with pytest.raises(FhirTimeout):
        await registry.register(WANTED, FhirVersion.R4, Deadline.after(0.05))
