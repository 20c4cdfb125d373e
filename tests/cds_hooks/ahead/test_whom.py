from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from cds_hooks.ahead import whom as module
from cds_hooks.ahead.access import OwnAccess
from cds_hooks.ahead.settings import WatchSettings
from cds_hooks.ahead.whom import Whom, members_of
from cds_hooks.store.audit import Entry, What
from cds_hooks.store.opening import Store
from fhir_adapter.errors import FhirGone
from tests.fhir_adapter.builders import SERVER, FakeFhir, settings, soon

GROUP = {
    "resourceType": "Group",
    "id": "ward-3",
    "member": [{"entity": {"reference": "Patient/a"}}, {"entity": {"reference": "Patient/b"}, "inactive": True}],
}


def rule(store: Store, server: FakeFhir | None = None, **changes: Any) -> Whom:
    transport = httpx.MockTransport(server or FakeFhir({}))
    access = OwnAccess(httpx.AsyncClient(transport=transport), settings())
    return Whom(WatchSettings(**changes), store, access)


async def test_opened_are_known_by_their_hash(store: Store) -> None:
    """The default: patients for whom a hook was answered lately, on this server, known by keyed hash alone."""
    for patient in (store.vault.mark("patient", SERVER, "a"), store.vault.mark("patient", "https://other", "b")):
        store.upkeep.record(Entry(What.HOOK_ANSWERED, patient=patient))

    assert await rule(store).wanted(SERVER, ("a", "b", "c"), soon()) == {"a"}


async def test_opened_long_ago_is_not_wanted(store: Store, clock: Callable[[], Any]) -> None:
    """A chart that was opened before the time that is set does not count any more."""
    store.upkeep.record(Entry(What.HOOK_ANSWERED, patient=store.vault.mark("patient", SERVER, "a")))
    clock.turn(timedelta(days=8))  # type: ignore[attr-defined]

    assert await rule(store).wanted(SERVER, ("a",), soon()) == frozenset()


async def test_all_are_wanted_where_the_site_says_so(store: Store) -> None:
    """`all` asks nobody."""
    assert await rule(store, whom="all").wanted(SERVER, ("a", "b"), soon()) == {"a", "b"}


async def test_listed_are_read_from_their_server(store: Store) -> None:
    """`list`: those who are on one of the lists of that server, which is read once in a while only."""
    server = FakeFhir({"Group/ward-3": GROUP, "List/today": {"resourceType": "List", "id": "today"}})
    chosen = rule(store, server, whom="list", lists="Group/ward-3, List/today")
    found = [await chosen.wanted(SERVER, ("a", "b", "c"), soon()) for _ in range(2)]

    assert found == [{"a"}, {"a"}]
    assert server.asked == ["Group", "List"]


async def test_list_is_read_again_after_a_while(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who was put on the list later is found."""
    monkeypatch.setattr(module, "LIST_FOR_S", 0.0)
    server = FakeFhir({"Group/ward-3": GROUP})
    chosen = rule(store, server, whom="list", lists="Group/ward-3")
    await chosen.wanted(SERVER, ("c",), soon())
    server.answers["Group/ward-3"] = {**GROUP, "member": [{"entity": {"reference": "Patient/c"}}]}

    assert await chosen.wanted(SERVER, ("c",), soon()) == {"c"}


async def test_missing_list_is_an_error(store: Store) -> None:
    """A list that is not there is not an empty one."""
    with pytest.raises(FhirGone):
        await rule(store, whom="list", lists="Group/ward-3").wanted(SERVER, ("a",), soon())


async def test_nobody_needs_no_list(store: Store) -> None:
    """Without news nothing is read."""
    server = FakeFhir({})

    assert await rule(store, server, whom="list", lists="Group/ward-3").wanted(SERVER, (), soon()) == frozenset()
    assert server.requests == []


@pytest.mark.parametrize(
    ("resource", "members"),
    [
        ({}, set()),
        ({"member": "x", "entry": [{"item": 3}, {}]}, set()),
        ({"member": [{"entity": {"reference": "Practitioner/a"}}, {"entity": {"reference": "Patient/.."}}]}, set()),
        ({"member": [{"entity": {"reference": f"{SERVER}/Patient/a"}}]}, {"a"}),
        ({"member": [{"entity": {"reference": "https://other.example/Patient/a"}}]}, set()),
        (
            {"entry": [{"item": {"reference": "Patient/a"}}, {"item": {"reference": "Patient/b"}, "deleted": True}]},
            {"a"},
        ),
        (GROUP, {"a"}),
    ],
)
def test_members_are_patients_who_are_still_on_it(resource: dict[str, Any], members: set[str]) -> None:
    """Group and List in R4 to R5; who was taken off, is no patient or is of another server is no member."""
    assert members_of(resource, SERVER) == members
