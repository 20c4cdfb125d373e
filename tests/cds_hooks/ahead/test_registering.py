from __future__ import annotations

from typing import Any

import httpx
import pytest

from cds_hooks.ahead.access import OwnAccess
from cds_hooks.ahead.registering import Report, Task, carry_out
from cds_hooks.ahead.settings import WatchSettings
from cds_hooks.ahead.targets import targets_of
from cds_hooks.crypto import Vault
from fhir_adapter.subscriptions.interests import INTERESTS
from tests.cds_hooks.fakes import make_settings
from tests.fhir_adapter.builders import SERVER, settings
from tests.fhir_adapter.subscriptions.fake_server import SubscriptionServer

TOPICS = {interest.name: "https://ehr.example.org/topic" for interest in INTERESTS}


async def run(task: Task, server: SubscriptionServer, **watch: Any) -> list[Report]:
    """Do it on a server that is open."""
    wanted = make_settings(watch=WatchSettings(servers=(SERVER,), **watch))
    http = httpx.AsyncClient(transport=httpx.MockTransport(server))
    access = OwnAccess(http, settings(max_attempts=1))
    return [report async for report in carry_out(task, targets_of(wanted, Vault("s" * 40)), wanted, access)]


@pytest.mark.parametrize(
    ("version", "watch"),
    [
        ("4.0.1", {}),
        ("4.3.0", {}),
        ("4.0.1", {"topics": TOPICS}),
        ("4.3.0", {"topics": TOPICS}),
        ("5.0.0", {"topics": TOPICS}),
    ],
)
async def test_registering_is_idempotent(version: str, watch: dict[str, Any]) -> None:
    """In each FHIR version there is one Subscription for each interest, however often they are registered."""
    server = SubscriptionServer(version)
    for _ in range(2):
        reports = await run(Task.REGISTER, server, **watch)
    status = await run(Task.STATUS, server, **watch)

    assert len(server.held) == len(INTERESTS)
    assert [report.state for report in reports + status] == ["active"] * 2 * len(INTERESTS)


async def test_unregistering_takes_all_away() -> None:
    """Afterwards nothing is left, and doing it again is no error."""
    server = SubscriptionServer()
    await run(Task.REGISTER, server)
    first = await run(Task.UNREGISTER, server)
    again = await run(Task.UNREGISTER, server)

    assert server.held == {}
    assert ({report.state for report in first}, {report.state for report in again}) == ({"taken away"}, {"none"})
    assert all(report.ok for report in first + again)


async def test_missing_ones_are_not_as_they_should_be() -> None:
    """A status of none is told as such."""
    assert {(report.state, report.ok) for report in await run(Task.STATUS, SubscriptionServer())} == {("none", False)}


async def test_topic_that_is_missing_holds_up_no_other() -> None:
    """On R5 an interest without a topic is reported with a sentence, and the others are registered."""
    server = SubscriptionServer("5.0.0")
    reports = await run(Task.REGISTER, server, topics={"labs": "https://t"})

    assert [report.target.interest.name for report in reports if report.ok] == ["labs"]
    assert all("topic" in report.state for report in reports if not report.ok)


async def test_refusal_is_reported() -> None:
    """A server that takes no Subscriptions is reported for each, without an exception."""
    server = SubscriptionServer()
    server.refuses = 403
    reports = await run(Task.REGISTER, server)

    assert [report.ok for report in reports] == [False] * len(INTERESTS)
    assert all("refused" in report.state for report in reports)


async def test_delivery_that_fails_is_told() -> None:
    """An error that the server notes about its notifications is told; its words are not."""
    server = SubscriptionServer()
    await run(Task.REGISTER, server)
    for each in server.held.values():
        each["error"] = "connection refused by 10.0.0.1"
    (first, *_) = await run(Task.STATUS, server)

    assert (first.ok, first.state) == (False, "active, the server notes an error of delivery")
