from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from fhir_adapter.errors import FhirRefused
from fhir_adapter.subscriptions.interests import Interest
from fhir_adapter.subscriptions.news import Change, News, change_of, find_news, patients_of
from tests.fhir_adapter.builders import SERVER, Json, answer, bundle, client_of, observation, outcome, soon

LABS = Interest("labs", "Observation", (("category", "laboratory"),))
SINCE = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
OVERLAP = timedelta(seconds=60)
SECOND = timedelta(seconds=1)


def stored(number: int, at: datetime = SINCE, patient: str = "child-1") -> Json:
    """A result as `_elements` leaves it."""
    return {
        "resourceType": "Observation",
        "id": f"o-{number}",
        "meta": {"versionId": "1", "lastUpdated": at.isoformat(timespec="milliseconds")},
        "subject": {"reference": f"Patient/{patient}"},
    }


class Server:
    """Answers searches by `_lastUpdated`, sorted, in pages of two."""

    def __init__(self, *resources: Json, refuses: str = "") -> None:
        self.resources = resources
        self.refuses = refuses
        self.asked: list[dict[str, list[str]]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one page."""
        asked = parse_qs(request.url.query.decode())
        self.asked.append(asked)
        if self.refuses in asked:
            return answer(outcome("not-supported"), 400)
        bound = datetime.fromisoformat(asked["_lastUpdated"][0].removeprefix("ge"))
        found = [each for each in self.resources if datetime.fromisoformat(each["meta"]["lastUpdated"]) >= bound]
        start = int(asked.get("page", ["0"])[0])
        more = f"{SERVER}/Observation?{httpx.QueryParams({**request.url.params, 'page': str(start + 2)})}"
        return answer(bundle(*found[start : start + 2], next_url=more if start + 2 < len(found) else ""))


async def look(server: Server, since: datetime = SINCE, **changes: Any) -> News:
    return await find_news(client_of(server, **changes), LABS, since, OVERLAP, soon())


async def test_search_is_narrow_sorted_and_looks_back() -> None:
    """Asked for are the interest's filters, from a little before the last moment, oldest first, subjects only."""
    server = Server()
    await look(server)

    assert server.asked == [
        {
            "category": ["laboratory"],
            "_lastUpdated": ["ge2026-11-24T08:59:00.000Z"],
            "_sort": ["_lastUpdated"],
            "_count": ["100"],
            "_elements": ["id,meta,subject"],
        }
    ]


async def test_news_come_from_all_pages() -> None:
    """Pages are followed; each change has its version, patient and moment."""
    news = await look(Server(*(stored(number, SINCE + number * SECOND) for number in range(5))))

    assert [change.version for change in news.changes] == [f"Observation/o-{n}/_history/1" for n in range(5)]
    assert (news.complete, news.next_since(SINCE)) == (True, SINCE + 4 * SECOND)


async def test_page_limit_goes_on_next_time() -> None:
    """More than the page limit is not lost: the next look begins at the newest that was read."""
    news = await look(Server(*(stored(number, SINCE + number * SECOND) for number in range(9))), max_pages=2)

    assert (len(news.changes), news.complete, news.next_since(SINCE)) == (4, False, SINCE + 3 * SECOND)


async def test_overlap_that_fills_a_look_does_not_stop_it() -> None:
    """Where the time looked back on alone holds more than a look can take, it is left out, or nothing would come on."""
    early = [stored(number, SINCE - SECOND) for number in range(6)]
    news = await look(Server(*early, stored(7, SINCE + SECOND)), max_pages=2)

    assert [change.version for change in news.changes] == ["Observation/o-7/_history/1"]


async def test_more_than_a_look_at_one_moment_is_passed_over() -> None:
    """A bulk load with one moment for all cannot hold up what comes after it for ever."""
    news = await look(Server(*(stored(number) for number in range(9))), max_pages=2)

    assert SINCE < news.next_since(SINCE) <= SINCE + timedelta(milliseconds=1)


@pytest.mark.parametrize("changes", [(), (Change("v", "p", None),), (Change("v", "p", SINCE - SECOND),)])
def test_time_never_goes_back(changes: tuple[Change, ...]) -> None:
    """Nothing new, or only what was seen in the overlap, leaves the next look where this one began."""
    assert News(changes, complete=True).next_since(SINCE) == SINCE


def test_moment_in_the_future_tells_nothing_of_the_time() -> None:
    """A change that was stored in the year 2999 is news, and the next look begins at the newest before it."""
    future = Change("v2", "p2", SINCE.replace(year=2999))
    news = News((Change("v1", "p1", SINCE + SECOND), future), complete=True).up_to(SINCE + OVERLAP)

    assert patients_of(news.changes) == ("p1", "p2")
    assert news.next_since(SINCE) == SINCE + SECOND


@pytest.mark.parametrize(("seconds", "complete"), [(60, False), (61, True)])
def test_look_that_came_to_the_future_is_complete(seconds: int, *, complete: bool) -> None:
    """Changes are sorted: behind one of the future there are only others of it, which nobody need hurry for."""
    news = News((Change("v", "p", SINCE + seconds * SECOND),), complete=False)

    assert news.up_to(SINCE + 60 * SECOND).complete == complete


async def test_server_that_shortens_nothing_is_asked_for_everything() -> None:
    """A server that refuses `_elements` is asked without it."""
    news = await look(Server(stored(1), refuses="_elements"))

    assert patients_of(news.changes) == ("child-1",)


async def test_refusal_is_an_error() -> None:
    """No right to search is not the same as no news."""
    with pytest.raises(FhirRefused):
        await find_news(client_of(lambda _: answer(outcome(), 403)), LABS, SINCE, OVERLAP, soon())


@pytest.mark.parametrize(
    ("changes", "patient"),
    [
        ({"subject": {"reference": "Group/1"}}, ""),
        ({"subject": {"reference": "https://other.example/fhir/Patient/1"}}, ""),
        ({"subject": {"reference": f"{SERVER}/Patient/1"}}, "1"),
        ({"subject": {"reference": "Patient/.."}}, ""),
        ({"subject": {"identifier": {"value": "7"}}}, ""),
        ({"subject": "Patient/1"}, ""),
        ({"meta": None}, "child-1"),
        ({}, "child-1"),
    ],
)
def test_only_patients_of_this_server_are_news(changes: Json, patient: str) -> None:
    """A subject that is no patient here, or cannot be told, concerns nobody."""
    assert change_of(observation(**changes), SERVER).patient_id == patient


def test_each_patient_once() -> None:
    """Thirty results of a panel are news of one patient."""
    changes = [Change(str(number), patient, None) for number, patient in enumerate(["b", "a", "", "b"])]

    assert patients_of(changes) == ("b", "a")
