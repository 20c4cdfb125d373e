"""Searches that bring what they should not: data of somebody else, oddities, pages that lead nowhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Final

import pytest

from fhir_adapter.record import GapReason
from tests.fhir_adapter.builders import PATIENT_ID, bundle
from tests.fhir_adapter.builders import outcome as a_failure
from tests.fhir_adapter.hospital import WHOLE, Spoil, breathing
from tests.fhir_adapter.outcomes import FILM, PLACES, VITALS, ReadSpoiled, without
from tests.fhir_adapter.spoils import (
    MARKER,
    OTHER_ID,
    also,
    changed,
    each_with,
    framed,
    one_more,
    page_one,
    relabelled,
    rewritten,
    sends,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHER: Final = {"reference": f"Patient/{OTHER_ID}", "display": MARKER}
ELSEWHERE: Final = {"reference": f"https://{MARKER.lower()}.example.org/fhir/Patient/{PATIENT_ID}"}
FOREIGN: Final[Mapping[str, Spoil]] = {
    "all of another patient": each_with(subject=OTHER),
    "one of another patient among them": one_more(id=MARKER, subject=OTHER),
    "one of the same id on another server": one_more(id=MARKER, subject=ELSEWHERE),
    "one of nobody": one_more(id=MARKER, subject=None),
    "one with a list for a subject": one_more(id=MARKER, subject=[{"reference": f"Patient/{PATIENT_ID}"}]),
    "two subjects, of which the last counts": rewritten(
        b'"subject":', b'"subject":{"reference":"Patient/child-1"},"subject":{"reference":"Patient/child-2"},"was":'
    ),
    "another Patient among them": also({"resource": {"resourceType": "Patient", "id": OTHER_ID}}),
}
SEARCHED: Final[Mapping[str, tuple[str, ...]]] = {
    "vitals": VITALS,
    "vitals page 2": VITALS,
    "labs": tuple(PLACES["labs"].lost),
    "notes": tuple(PLACES["notes"].lost),
    "reports": tuple(PLACES["reports"].lost),
    "imaging": (FILM,),
    "media": (),
}
"""Places that are searches, with all that such a search brings."""


@pytest.mark.parametrize("fault", FOREIGN)
@pytest.mark.parametrize("name", SEARCHED)
async def test_search_with_data_of_somebody_else_is_discarded_whole(
    name: str, fault: str, read_spoiled: ReadSpoiled
) -> None:
    """A server that mixes patients up is not trusted with the rest of that search; others are not touched by it."""
    outcome = await read_spoiled({name: FOREIGN[fault]})

    assert (outcome.error, outcome.pieces) == (None, without(*SEARCHED[name]))
    assert (outcome.reasons, outcome.quoted) == ({(PLACES[name].modality, GapReason.FAILED)}, [])


HARMLESS: Final[Mapping[str, Spoil]] = {
    "unknown types": also(
        {"resource": {"resourceType": "Quux", "id": MARKER}}, {"resource": {"resourceType": 5, "id": [MARKER]}}
    ),
    "entries without a resource": also({}, {"fullUrl": MARKER}, {"resource": None}),
    "everything twice": changed(lambda found: {**found, "entry": found["entry"] * 2}),
    "a total that is wrong": changed(lambda found: {**found, "total": 100_000}),
    "links of any shape": changed(lambda found: {**found, "link": [*found["link"], 5, {"relation": ["next"]}]}),
    "a byte order mark": framed("X-Spoiled: yes", lambda body: b"\xef\xbb\xbf" + body),
    "an older media type": relabelled("application/json+fhir; charset=utf-8"),
    "a key twice": rewritten(b'{"resourceType":"Bundle"', b'{"resourceType":"Patient","resourceType":"Bundle"'),
    "no compression, said so": framed("Content-Encoding: identity"),
}


@pytest.mark.parametrize("fault", HARMLESS)
@pytest.mark.parametrize("name", SEARCHED)
async def test_oddity_that_hides_nothing_costs_nothing(name: str, fault: str, read_spoiled: ReadSpoiled) -> None:
    """What is odd and leaves no doubt is read past."""
    outcome = await read_spoiled({name: HARMLESS[fault]})

    assert (outcome.error, outcome.pieces, outcome.gaps) == (None, dict(WHOLE), ())


def endless() -> Spoil:
    """A next page after each page."""
    pages = count(3)
    return lambda sound: sends(bundle(breathing(), next_url=f"{sound.origin}/fhir?page={next(pages)}"))


BREATHING: Final = "Observation/rr-1"
PAGING: Final[Mapping[str, tuple[str, Callable[[], Spoil], tuple[str, ...]]]] = {
    "an empty page with a next link": (
        "vitals",
        lambda: lambda sound: sends(bundle(next_url=f"{sound.origin}/fhir?page=2")),
        VITALS,
    ),
    "a link to itself": (
        "vitals page 2",
        lambda: lambda sound: sends(bundle(breathing(), next_url=f"{sound.origin}/fhir?page=2")),
        (),
    ),
    "pages without end": ("vitals page 2", endless, ()),
    "a link to another path": ("vitals", lambda: page_one("{origin}/admin"), (BREATHING,)),
    "a link up the path": ("vitals", lambda: page_one("{origin}/fhir/%2e%2e/admin"), (BREATHING,)),
    "a link with a password": ("vitals", lambda: page_one("http://user:pass@127.0.0.1/fhir"), (BREATHING,)),
    "a link that is none": ("vitals", lambda: page_one("http://["), (BREATHING,)),
    "a link without an address": (
        "vitals",
        lambda: changed(lambda found: {**found, "link": [{"relation": "next", "url": 5}]}),
        (BREATHING,),
    ),
    "an error among the entries": (
        "vitals",
        lambda: also({"resource": {**a_failure(), "text": MARKER}, "search": {"mode": "outcome"}}),
        (),
    ),
    "parts of resources": ("vitals", lambda: each_with(meta={"tag": [{"code": "SUBSETTED"}], "versionId": "1"}), ()),
}
"""By name: the place, what spoils it, and what is not in the record."""


@pytest.mark.parametrize("fault", PAGING)
async def test_search_that_is_not_whole_says_so(fault: str, read_spoiled: ReadSpoiled) -> None:
    """Where pages lead nowhere or never end, what was read is used, and that there is more is told."""
    name, spoil, lost = PAGING[fault]

    outcome = await read_spoiled({name: spoil()})

    assert (outcome.error, outcome.pieces) == (None, without(*lost))
    assert (outcome.reasons, outcome.quoted) == ({("structured", GapReason.INCOMPLETE)}, [])
