from collections.abc import Sequence

import httpx
import pytest

from fhir_adapter.rest.bundles import read_page
from fhir_adapter.rest.paging import Walk
from fhir_adapter.shape import Resource
from tests.fhir_adapter.builders import (
    SERVER,
    FakeFhir,
    Json,
    answer,
    bundle,
    client_of,
    observation,
    outcome,
    settings,
    soon,
)

BASE = httpx.URL(SERVER)
NEXT = f"{SERVER}?_getpages=abc&_getpagesoffset=5"


def walk_over(*pages: Json, size: int = 0, **changes: object) -> Walk:
    walk = Walk(BASE, settings(**changes))
    for page in pages:
        walk.add(read_page(page, "Observation", "Observation"), size)
    return walk


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("http://inner:8080/fhir?_getpages=abc&x=%7C", f"{SERVER}?_getpages=abc&x=%7C"),
        ("https://ehr.example.org:443:443/fhir?_getpages=abc", f"{SERVER}?_getpages=abc"),
        ("http://ehr.example.org/fhir/Observation?page=2", f"{SERVER}/Observation?page=2"),
        (NEXT, NEXT),
    ],
)
def test_link_to_another_host_is_followed_at_our_own_when_told_so(link: str, target: str) -> None:
    """With FHIR_REROOT_LINKS only scheme, host and port are taken from the base; path and query stay."""
    found = walk_over(bundle(observation(), next_url=link), reroot_links=True).read_on()

    assert found is not None
    assert (str(found), found.host) == (target, "ehr.example.org")


@pytest.mark.parametrize(
    "link",
    [
        "http://inner:8080/other?_getpages=abc",
        "http://inner/fhir/../admin",
        "http://inner/fhir/%2e%2e/admin",
        "ftp://inner/fhir?_getpages=abc",
        "?_getpages=abc",
        "//inner/fhir?_getpages=abc",
        "http://[/fhir",
        "http://inner/fhir?näme",
    ],
)
def test_link_to_another_path_is_never_followed(link: str) -> None:
    """What lies outside the path of our base is another application's, whatever its host is called."""
    assert walk_over(bundle(observation(), next_url=link), reroot_links=True).read_on() is None


@pytest.mark.parametrize("changes", [{"max_pages": 1}, {"max_resources": 2}, {"max_search_bytes": 10}])
def test_each_limit_ends_the_search_incomplete(changes: dict[str, object]) -> None:
    """Pages, resources and bytes of one search are limited, each by a setting."""
    walk = walk_over(bundle(observation(id="a"), observation(id="b"), next_url=NEXT), size=10, **changes)

    assert walk.read_on() is None
    assert (len(walk.result().resources), walk.result().complete, walk.result().enough) == (2, False, False)


def with_outcome(severity: str) -> Json:
    page = bundle(observation())
    issue = {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": "incomplete"}]}
    page["entry"].append({"resource": issue, "search": {"mode": "outcome"}})
    return page


SUBSETTED = {"tag": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}]}


@pytest.mark.parametrize(
    ("page", "complete"),
    [
        (with_outcome("error"), False),
        (with_outcome("fatal"), False),
        (with_outcome("warning"), True),
        (with_outcome("information"), True),
        ({**bundle(observation()), "issues": outcome()}, False),
        (bundle(observation(meta=SUBSETTED)), False),
        ({**bundle(), "total": 7, "meta": SUBSETTED}, False),
        ({**bundle(observation()), "link": [{"relation": "next", "url": 5}]}, False),
        ({**bundle(observation()), "link": [{"relation": "next", "url": None}]}, True),
        ({**bundle(observation()), "link": [{"relation": "next", "url": ""}]}, True),
        ({**bundle(), "total": 7}, True),
        ({"resourceType": "Bundle", "type": "searchset", "total": 0}, True),
        ({**bundle(observation()), "total": 5}, True),
    ],
)
def test_what_the_server_left_out_is_told(page: Json, complete: bool) -> None:  # noqa: FBT001 - a table
    """An error among the entries and the tag SUBSETTED mean that something is missing; the total means nothing."""
    assert walk_over(page).result().complete is complete


async def endless_search(enough: int | None) -> tuple[int, bool, bool, int]:
    """Search a server without end; return what was found, the two flags, and how often it was asked."""
    asked: list[httpx.Request] = []

    def endless(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answer(bundle(observation(id=str(len(asked))), next_url=f"{SERVER}?offset={len(asked)}"))

    def has_enough(found: Sequence[Resource]) -> bool:
        return enough is not None and len(found) >= enough

    found = await client_of(endless, max_pages=4).search("Observation", {"patient": "a"}, soon(), enough=has_enough)
    return len(found.resources), found.complete, found.enough, len(asked)


@pytest.mark.parametrize(
    ("enough", "result"), [(1, (1, False, True, 1)), (3, (3, False, True, 3)), (None, (4, False, False, 4))]
)
async def test_search_ends_when_there_is_enough(enough: int | None, result: tuple[int, bool, bool, int]) -> None:
    """Who has enough reads no further, and can tell that from a search that was cut off."""
    assert await endless_search(enough) == result


async def test_last_page_makes_a_search_complete_whether_or_not_it_was_enough() -> None:
    """Where there is nothing more, nothing was left."""
    client = client_of(lambda _: answer(bundle(observation())))
    found = await client.search("Observation", {"patient": "a"}, soon(), enough=lambda _: True)

    assert (found.complete, found.enough) == (True, False)


async def test_enough_of_a_part_is_not_enough() -> None:
    """Where the server left something out, having enough cannot be known."""
    page = bundle(observation(), next_url=NEXT)
    page["entry"].append({"resource": outcome(), "search": {"mode": "outcome"}})
    found = await client_of(lambda _: answer(page)).search(
        "Observation", {"patient": "a"}, soon(), enough=lambda _: True
    )

    assert (found.complete, found.enough) == (False, False)


class Forgetful:
    """A server that forgets searches before these requests, as HAPI does at a restart."""

    def __init__(self, *forgets_at: int) -> None:
        self.forgets_at, self.asked = forgets_at, 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer with one of three pages."""
        self.asked += 1
        if self.asked in self.forgets_at:
            return answer(outcome(), 410)
        page = int(request.url.params.get("page", "1"))
        link = f"{SERVER}?page={page + 1}" if page < 3 else ""
        return answer(bundle(observation(id=str(page)), next_url=link))


@pytest.mark.parametrize(
    ("forgets_at", "found", "complete", "asked"),
    [
        ((), ["1", "2", "3"], True, 3),
        ((2,), ["1", "2", "3"], True, 5),
        ((3,), ["1", "2", "3"], True, 6),
        ((3, 4), ["1", "2"], False, 4),
        ((3, 5), ["1", "2"], False, 5),
        ((2, 4), ["1"], False, 4),
    ],
)
async def test_forgotten_search_is_begun_again_once(
    forgets_at: tuple[int, ...],
    found: list[str],
    complete: bool,  # noqa: FBT001 - a table
    asked: int,
) -> None:
    """A 410 on a page begins the search anew; a second one leaves the better of the two, incomplete."""
    server = Forgetful(*forgets_at)
    result = await client_of(server).search("Observation", {"patient": "a"}, soon())

    assert [each["id"] for each in result.resources] == found
    assert (result.complete, server.asked) == (complete, asked)


async def test_forgotten_prefetch_cannot_be_begun_again() -> None:
    """Of a prefetched page only the link is known, so a 410 leaves it incomplete."""
    server = Forgetful(1)
    page = read_page(bundle(observation(), next_url=f"{SERVER}?page=2"), "Observation", "Observation")
    result = await client_of(server).follow("Observation", page, soon())

    assert (len(result.resources), result.complete, server.asked) == (1, False, 1)


async def test_parts_that_were_asked_for_are_no_loss() -> None:
    """A search for some elements brings resources that say so of themselves, and is complete all the same."""
    server = FakeFhir({"Observation": bundle(observation(meta=SUBSETTED))})
    found = await client_of(server).search("Observation", {"patient": "a", "_elements": "id"}, soon())

    assert found.complete
