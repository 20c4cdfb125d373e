"""Pages of a search, and what is said of its total."""

from __future__ import annotations

import re
import uuid

import pytest

from tests.fhir_server.server import FhirServer, ids, links, matches

LINK = r"\?_getpages=(?P<id>[0-9a-f-]{36})&_getpagesoffset=7&_count=7&_pretty=true&_bundletype=searchset"


def test_next_link_leads_to_the_base(server: FhirServer) -> None:
    """A page is asked for at the base address by the id of the search, which is the Bundle's; no type in the path."""
    page = server.search(f"Observation?{server.of_patient}&_count=7")
    found = re.fullmatch(re.escape(server.base) + LINK, links(page)["next"])

    assert found is not None
    assert found["id"] == page["id"]


def test_pages_hold_every_match_once(server: FhirServer) -> None:
    """Following the links as they stand brings everything, and ends with the last match."""
    pages = server.all_pages(f"Observation?{server.of_patient}&_count=7&_sort=date")

    assert [len(matches(page)) for page in pages] == [7, 7, 7, 7, 2]
    assert [name for page in pages for name in ids(page)] == [f"obs-{day:02d}" for day in range(1, 31)]


def test_exactly_full_last_page_links_no_further(server: FhirServer) -> None:
    """14 matches in pages of 7 end at the second page."""
    assert len(server.all_pages(f"DocumentReference?{server.of_patient}&_count=7")) == 2


def test_further_pages_link_both_ways(server: FhirServer) -> None:
    """A page in the middle has links to itself, to the next and to the previous one."""
    first = server.search(f"Observation?{server.of_patient}&_count=7&_sort=date")
    second = server.search(links(first)["next"])

    assert (set(links(first)), set(links(second))) == ({"self", "next"}, {"self", "next", "previous"})
    assert ids(server.search(links(second)["previous"])) == ids(first)


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("", 200), ("/Observation", 400)])
def test_page_is_asked_for_at_the_base_only(server: FhirServer, path: str, status: int) -> None:
    """A slash behind the base changes nothing; a type there is an error."""
    url = links(server.search(f"Observation?{server.of_patient}&_count=7"))["next"]
    assert server.get(url.replace("?", f"{path}?")).status_code == status


def test_count_in_a_link_is_obeyed(server: FhirServer) -> None:
    """The size of a page may change on the way."""
    url = links(server.search(f"Observation?{server.of_patient}&_count=7"))["next"]
    assert len(matches(server.search(url.replace("_count=7", "_count=20")))) == 20


def test_page_beyond_the_end_is_empty(server: FhirServer) -> None:
    """Behind the last match there is no entry, and a link back."""
    url = links(server.search(f"Observation?{server.of_patient}&_count=7"))["next"]
    page = server.search(url.replace("offset=7", "offset=100"))

    assert "entry" not in page
    assert set(links(page)) == {"self", "previous"}


def test_search_that_is_not_known_is_gone(server: FhirServer) -> None:
    """An expired or made-up search id is 410, never 404 and never an empty page."""
    response = server.get(f"{server.base}?_getpages={uuid.uuid4()}&_getpagesoffset=7&_count=7")

    assert response.status_code == 410
    assert response.json()["resourceType"] == "OperationOutcome"


def test_links_come_from_the_host_header(server: FhirServer) -> None:
    """The address in links and fullUrl is the one that the caller used, or says it used."""
    if server.base.startswith("https:"):
        pytest.skip("a proxy in front of this server goes by the Host header itself")
    page = server.search(f"Observation?{server.of_patient}&_count=7", Host="ehr.example.org:81")
    addresses = [*links(page).values(), page["entry"][0]["fullUrl"]]

    assert all(address.startswith("http://ehr.example.org:81/") for address in addresses)


def test_forwarded_host_changes_no_link(server: FhirServer) -> None:
    """What a proxy says of the host is not looked at."""
    page = server.search(f"Observation?{server.of_patient}&_count=7", X_Forwarded_Host="ehr.example.org")
    assert links(page)["next"].startswith(server.base)


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("DocumentReference?_count=5", None),
        ("DocumentReference?_count=5&_total=accurate", 14),
        ("DocumentReference?_count=14", 14),
        ("DocumentReference?_count=20", 14),
        ("DiagnosticReport?_count=5", 13),
        ("Observation?_count=29", None),
        ("Observation?_count=30", 30),
        ("Observation?code=nosuch", 0),
    ],
)
def test_total_is_said_where_it_is_known(server: FhirServer, query: str, total: int | None) -> None:
    """More than 13 matches that do not fit on the page: no total, unless it is asked for."""
    assert server.search(f"{query}&{server.of_patient}").get("total") == total


@pytest.mark.parametrize("option", ["_summary=count", "_count=0"])
def test_number_alone_can_be_asked_for(server: FhirServer, option: str) -> None:
    """The answer holds the total and is marked as a part; no entries, no links."""
    page = server.search(f"Observation?{server.of_patient}&{option}")

    assert (page["total"], page["meta"]["tag"][0]["code"]) == (30, "SUBSETTED")
    assert not {"entry", "link"} & set(page)


def test_nothing_found_is_an_empty_bundle(server: FhirServer) -> None:
    """A patient who is not there has no results: 200, total 0, no entry."""
    page = server.search("Observation?patient=nobody-of-this-name")

    assert (page["total"], "entry" in page) == (0, False)


def test_count_above_the_maximum_is_cut(strict: FhirServer) -> None:
    """A page never holds more than the server allows; its own link keeps what was asked, the next one does not."""
    page = strict.search(f"Observation?{strict.of_patient}&_count=100000")

    assert len(matches(page)) == 5
    assert ("_count=100000" in links(page)["self"], "_count=5&" in links(page)["next"]) == (True, True)


def test_page_has_a_usual_size(strict: FhirServer) -> None:
    """Without `_count` the server chooses."""
    assert [len(matches(page)) for page in strict.all_pages(f"Observation?{strict.of_patient}")] == [5] * 6


def test_offset_pages_without_a_search_id(server: FhirServer) -> None:
    """With `_offset` the links name type, parameters and offset, and outlive a restart."""
    page = server.search(f"Observation?{server.of_patient}&_sort=date&_offset=10&_count=5")

    assert ids(page)[0] == "obs-11"
    assert links(page)["next"].startswith(f"{server.base}/Observation?_count=5&_offset=15&")
