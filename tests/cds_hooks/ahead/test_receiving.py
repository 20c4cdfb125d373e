from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from cds_hooks.ahead.receiving import READ_MOST
from cds_hooks.ahead.targets import Target
from cds_hooks.store.tables import watches
from fhir_adapter.subscriptions.notifications import Kind, Notification
from tests.cds_hooks.ahead.ward import Site
from tests.cds_hooks.samples import PATIENT_ID, make_observation

CRP = "Observation/crp-1"
EMPTY = Notification(Kind.EVENT, complete=False)


def labs(site: Site) -> Target:
    """Return the target of laboratory results."""
    return next(each for each in site.watching.targets.values() if each.interest.name == "labs")


async def tell(site: Site, *notifications: Notification) -> None:
    """Post notifications about laboratory results, and follow them."""
    for notification in notifications:
        assert site.watching.put(labs(site), notification)
    await site.watching.follow()


def event(number: int | None = None, *focuses: str, first: int | None = None) -> Notification:
    return Notification(Kind.EVENT, focuses or (CRP,), last=number, first=number if first is None else first)


def noted(site: Site) -> int:
    """Count the patients with news."""
    return len(site.rows())


def hurried(site: Site) -> bool:
    """Say whether the next look at laboratory results is to begin now."""
    now = site.parts.store.clock()
    return any(row.id == labs(site).id and row.next_at <= now for row in site.rows(watches))


@pytest_asyncio.fixture(autouse=True)
async def all_is_quiet(site: Site) -> None:
    """Begin where the server has been looked at, and nobody is waited for."""
    await site.watching.look()
    while await site.watching.compute():
        pass
    assert (noted(site), hurried(site)) == (0, False)


async def test_event_notes_the_patient_of_the_resource(site: Site) -> None:
    """The resource that is named is read from its server, and its patient has news; no search is needed."""
    await tell(site, event(1))

    assert (noted(site), hurried(site)) == (1, False)


@pytest.mark.parametrize(
    ("focuses", "stored"),
    [
        ((f"Patient/{PATIENT_ID}",), {}),
        (("Observation/nobody",), {}),
        (("https://other.example/fhir/Observation/crp-1",), {}),
        (("Observation/../../metadata",), {}),
        ((CRP,), {"category": [{"coding": [{"code": "vital-signs"}]}]}),
        ((CRP,), {"subject": {"reference": "Group/1"}}),
    ],
    ids=["other type", "deleted", "other server", "no id", "other category", "no patient"],
)
async def test_what_was_not_asked_for_concerns_nobody(site: Site, focuses: tuple[str, ...], stored: Any) -> None:
    """Only resources of what was subscribed to, on the server that it was subscribed at, are news."""
    site.ward.add(make_observation(**stored))
    await tell(site, event(1, *focuses))

    assert (noted(site), hurried(site)) == (0, False)


async def test_absolute_reference_to_the_server_counts(site: Site) -> None:
    """Servers write references with or without their base."""
    await tell(site, event(1, f"{site.ward.base}/{CRP}", CRP))

    assert noted(site) == 1


async def test_empty_notification_makes_the_look_begin(site: Site) -> None:
    """R4 says only that something changed: what, the search tells at once."""
    await tell(site, EMPTY)

    assert (noted(site), hurried(site)) == (0, True)


@pytest.mark.parametrize(
    "next_one",
    [
        event(3),
        Notification(Kind.HEARTBEAT, last=2, first=3),
        Notification(Kind.STATUS, last=2, first=3),
        event(4, first=3),
    ],
    ids=["event", "heartbeat", "status", "several"],
)
async def test_missed_event_makes_the_look_begin(site: Site, next_one: Notification) -> None:
    """A number that was passed over was lost on the way: the search brings it."""
    await tell(site, Notification(Kind.HANDSHAKE, last=0, first=1), event(1))
    before = hurried(site)
    await tell(site, next_one)

    assert (before, hurried(site)) == (False, True)


@pytest.mark.parametrize(
    "next_one",
    [
        event(2),
        Notification(Kind.HEARTBEAT, last=1, first=2),
        event(3, first=2),
        Notification(Kind.HANDSHAKE, last=0, first=1),
    ],
)
async def test_unbroken_numbers_need_no_look(site: Site, next_one: Notification) -> None:
    """The next number, a heartbeat without events and a new beginning have missed nothing."""
    await tell(site, event(1), next_one)

    assert not hurried(site)


async def test_notification_sent_again_is_followed_once(site: Site) -> None:
    """A server that had no answer sends the same event again: it reads and changes nothing."""
    await tell(site, event(1))
    asked = len(site.ward.guard.tokens)
    await tell(site, event(1), event(1))

    assert len(site.ward.guard.tokens) == asked


async def test_resource_that_cannot_be_read_makes_the_look_begin(site: Site) -> None:
    """News that cannot be followed now is not lost: the search finds it when the server is back."""
    site.ward.guard.down = True
    await tell(site, event(1))

    assert hurried(site)


async def test_many_resources_are_searched_for(site: Site) -> None:
    """More than a few tens are not read one by one."""
    asked = len(site.ward.guard.tokens)
    await tell(site, event(1, *(f"Observation/o-{number}" for number in range(READ_MOST + 1))))

    assert (hurried(site), len(site.ward.guard.tokens)) == (True, asked)
