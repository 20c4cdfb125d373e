from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from cds_hooks.ahead.access import OwnAccess
from cds_hooks.ahead.looking import LONGEST_S, Lookout
from cds_hooks.ahead.settings import WatchSettings
from cds_hooks.ahead.targets import Target, targets_of
from cds_hooks.ahead.whom import Whom
from cds_hooks.settings import ServiceSettings
from cds_hooks.store.opening import Store, open_store
from cds_hooks.store.tables import watches
from fhir_adapter.subscriptions.news import CLOCKS_DIFFER
from tests.cds_hooks.conftest import HandClock
from tests.cds_hooks.fakes import make_settings
from tests.cds_hooks.samples import ASKED_AT, PATIENT_ID
from tests.fhir_adapter.builders import SERVER, Json, answer, bundle, outcome, settings

MINUTE = timedelta(minutes=1)


class Wire:
    """A server whose next answers are told to it."""

    def __init__(self) -> None:
        self.resources: list[Json] = []
        self.status = 200
        self.bounds: list[datetime] = []
        self.next_url = ""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer what it holds, whatever the bound; it has no lists."""
        if "_lastUpdated" not in request.url.params:
            return answer(outcome(), 403)
        self.bounds.append(datetime.fromisoformat(request.url.params["_lastUpdated"].removeprefix("ge")))
        if self.status != 200:
            return answer(outcome(), self.status)
        return answer(bundle(*self.resources, next_url=self.next_url))

    def stores(self, number: int, at: datetime, version: int = 1) -> None:
        """Hold one result more."""
        meta = {"versionId": str(version), "lastUpdated": at.isoformat()}
        subject = {"reference": f"Patient/{PATIENT_ID}"}
        self.resources.append({"resourceType": "Observation", "id": f"o-{number}", "meta": meta, "subject": subject})


class Post:
    """A lookout over one target, its server and its clock."""

    def __init__(self, clock: HandClock, chance: float = 1.0, **watch: Any) -> None:
        self.clock, self.wire = clock, Wire()
        self.settings: ServiceSettings = make_settings(
            watch=WatchSettings(**{"servers": (SERVER,), "whom": "all", "quiet_s": 0.0, "keep_fresh": "PT0S", **watch})
        )
        self.store: Store = open_store(self.settings, clock)
        self.store.database.create_tables()
        self.targets: tuple[Target, ...] = targets_of(self.settings, self.store.vault)
        self.target = next(each for each in self.targets if each.interest.name == "labs")
        fhir = settings(max_attempts=1, max_pages=1)
        http = httpx.AsyncClient(transport=httpx.MockTransport(self.wire))
        access = OwnAccess(http, fhir)
        whom = Whom(self.settings.watch, self.store, access)
        self.lookout = Lookout(self.settings, self.store, access, whom, chance=lambda: chance)

    async def look(self) -> bool:
        """Look when it is time."""
        return await self.lookout.look(self.target)

    def due(self) -> int:
        """Count the patients who are due, and see to them."""
        count = 0
        while (due := self.store.ahead.take()) is not None:
            self.store.ahead.finish(due, None)
            count += 1
        return count

    def next_in(self) -> timedelta:
        """Return how long it is to the next look."""
        with self.store.database.read() as connection:
            found: datetime = connection.execute(watches.select()).one().next_at
        return found - self.clock.now


@pytest.fixture
def post(clock: HandClock) -> Iterator[Post]:
    """Return a lookout that polls."""
    post = Post(clock)
    yield post
    post.store.close()


async def test_news_make_a_patient_due(post: Post) -> None:
    """A result that is found is noted for its patient."""
    post.wire.stores(1, ASKED_AT)

    assert await post.look()
    assert post.due() == 1


async def test_it_is_looked_when_it_is_time(post: Post) -> None:
    """Between two polls the server is left alone."""
    looked = [await post.look(), await post.look()]
    post.clock.turn(MINUTE)

    assert [*looked, await post.look()] == [True, False, True]


async def test_what_was_seen_is_no_news(post: Post) -> None:
    """The overlap brings the same results again: only a new version of one, or another one, is news."""
    post.wire.stores(1, ASKED_AT)
    dues = []
    for _ in range(3):
        await post.look()
        dues.append(post.due())
        post.clock.turn(MINUTE)
    post.wire.stores(1, ASKED_AT, version=2)
    await post.look()

    assert (dues, post.due()) == ([1, 0, 0], 1)


async def test_look_begins_behind_the_newest_seen(post: Post) -> None:
    """The mark is the server's own time of the newest result, less the overlap, whatever our clock says."""
    stored_at = ASKED_AT + timedelta(seconds=7)
    post.wire.stores(1, stored_at)
    await post.look()
    post.clock.turn(10 * MINUTE)
    await post.look()

    assert post.wire.bounds == [ASKED_AT - MINUTE, stored_at - MINUTE]


async def test_moment_in_the_future_does_not_end_looking(post: Post) -> None:
    """One result that says it was stored in the year 2999 is news once, and what comes after it is found."""
    post.wire.stores(1, ASKED_AT.replace(year=2999))
    dues = []
    for _ in range(4):
        await post.look()
        dues.append(post.due())
        if len(dues) == 2:
            post.wire.stores(2, ASKED_AT + MINUTE)
        post.clock.turn(MINUTE)

    assert (dues, post.wire.bounds) == ([1, 0, 1, 0], [ASKED_AT - MINUTE] * 3 + [ASKED_AT])


async def test_mark_in_the_future_is_not_kept(post: Post) -> None:
    """Where a faulty moment, or our own clock, has set the mark far ahead already, it comes back to the present."""
    await post.look()
    with post.store.database.write() as connection:
        connection.execute(watches.update().values(since=ASKED_AT.replace(year=2999)))
    post.clock.turn(MINUTE)
    await post.look()

    assert post.wire.bounds[-1] == post.clock.now + CLOCKS_DIFFER - MINUTE


async def test_long_pause_is_not_caught_up_with(post: Post) -> None:
    """After days of standing still, results that would be too old before anyone looks are passed over."""
    await post.look()
    post.clock.turn(timedelta(days=3))
    await post.look()

    assert post.wire.bounds[-1] == post.clock.now - post.settings.result_lifetime - MINUTE


async def test_cut_look_goes_on_at_once(post: Post) -> None:
    """Where there was more than one look can take, the next one does not wait."""
    post.wire.stores(1, ASKED_AT + MINUTE)
    post.wire.next_url = f"{SERVER}/Observation?page=2"
    await post.look()

    assert await post.look()


@pytest.mark.parametrize("status", [429, 500, 403])
async def test_failures_make_pauses_longer(post: Post, status: int) -> None:
    """A server that fails is asked half as often each time, up to a longest pause; one success ends that."""
    post.wire.status = status
    pauses = []
    for _ in range(9):
        assert await post.look()
        pauses.append(post.next_in().total_seconds())
        post.clock.turn(post.next_in())
    post.wire.status = 200
    await post.look()

    assert pauses[:3] == [60, 120, 240]
    assert (pauses[-1], post.next_in()) == (LONGEST_S, MINUTE)


async def test_pauses_are_spread(clock: HandClock) -> None:
    """Replicas and servers do not come back all at once: chance takes up to half of the pause away."""
    post = Post(clock, chance=0.0)
    post.wire.status = 503
    await post.look()

    assert post.next_in() == MINUTE / 2


async def test_told_server_is_asked_seldom(clock: HandClock) -> None:
    """Where Subscriptions tell, a search only catches up with what got lost."""
    post = Post(clock, by="subscription")
    await post.look()

    assert post.next_in() == timedelta(minutes=15)


async def test_unreadable_list_fails_the_look(clock: HandClock) -> None:
    """Where it cannot be told who is wanted, the news are not lost: the same look is made again later."""
    post = Post(clock, whom="list", lists="Group/ward-3")
    post.wire.stores(1, ASKED_AT)
    await post.look()
    post.clock.turn(MINUTE)
    await post.look()

    assert post.wire.bounds == [ASKED_AT - MINUTE] * 2
