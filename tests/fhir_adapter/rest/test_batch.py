import httpx
import orjson
import pytest
from pydantic import SecretStr

from fhir_adapter.auth.grant import Grant, GrantAccess
from fhir_adapter.errors import (
    FhirError,
    FhirGone,
    FhirMalformed,
    FhirRefused,
    FhirRejected,
    FhirUnavailable,
    NotCovered,
)
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.paging import SearchResult
from fhir_adapter.rest.requests import Request
from tests.fhir_adapter.builders import (
    SERVER,
    Json,
    answer,
    bundle,
    client_of,
    endpoint,
    observation,
    outcome,
    patient,
    settings,
    soon,
    study,
)

PATIENT = Request.read_of("Patient", "child-1")
LABS = Request.search_of("Observation", {"patient": "child-1", "category": "laboratory"})
PAGE_2 = f"{SERVER}?_getpages=abc"


def entry(resource: object = None, status: object = "200 OK") -> Json:
    return {"response": {"status": status}} | ({} if resource is None else {"resource": resource})


def batch_response(*entries: object, **changes: object) -> Json:
    return {"resourceType": "Bundle", "type": "batch-response", "entry": list(entries), **changes}


class Batches:
    """A server that answers every batch with the same, and other questions with one page."""

    def __init__(self, batch: object) -> None:
        self.batch, self.requests = batch, list[httpx.Request]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        self.requests.append(request)
        if request.method == "POST":
            return self.batch if isinstance(self.batch, httpx.Response) else answer(self.batch)
        return answer(bundle(observation(id="b")))


async def test_one_request_asks_for_all() -> None:
    """Reads and searches go out in one batch, with the token; later pages of a search are followed."""
    server = Batches(batch_response(entry(patient()), entry(bundle(observation(id="a"), next_url=PAGE_2))))
    found = await client_of(server).batch([PATIENT, LABS], soon())

    sent = server.requests[0]
    assert found == (patient(), SearchResult((observation(id="a"), observation(id="b")), complete=True))
    assert [str(request.url) for request in server.requests] == [SERVER, PAGE_2]
    assert (sent.headers["authorization"], sent.headers["content-type"]) == ("Bearer abc", "application/fhir+json")
    assert [each["request"] for each in orjson.loads(sent.content)["entry"]] == [
        {"method": "GET", "url": "Patient/child-1"},
        {"method": "GET", "url": "Observation?patient=child-1&category=laboratory"},
    ]


@pytest.mark.parametrize(
    ("answered", "error"),
    [
        (entry(outcome(), "404 Not Found"), FhirGone),
        (entry(outcome(), "410"), FhirGone),
        (entry(None, "403 Forbidden"), FhirRefused),
        (entry(None, "400 Bad Request"), FhirRejected),
        (entry(None, "503 Busy"), FhirUnavailable),
        (entry(None, "204 No Content"), FhirMalformed),
        (entry(patient(), ""), FhirMalformed),
        (entry(patient(), "OK"), FhirMalformed),
        (entry(patient(), 200), FhirMalformed),
        (entry(None), FhirMalformed),
        (entry(patient(id="child-2")), FhirMalformed),
        (entry(observation(id="child-1")), FhirMalformed),
        (entry([]), FhirMalformed),
        ("text", FhirMalformed),
        ({}, FhirMalformed),
    ],
)
async def test_failing_entry_is_an_error_of_its_own(answered: object, error: type[FhirError]) -> None:
    """What one entry met is its outcome; the others have theirs."""
    server = Batches(batch_response(answered, entry(bundle(observation()))))
    found = await client_of(server).batch([PATIENT, LABS], soon())

    assert isinstance(found[0], error)
    assert isinstance(found[1], SearchResult)


@pytest.mark.parametrize("found", [bundle(study()), {"resourceType": "Bundle", "entry": 5}, outcome(), endpoint()])
async def test_answer_to_another_search_is_noticed(found: Json) -> None:
    """Only the order tells whose an answer is, so what can be compared is compared."""
    (result,) = await client_of(Batches(batch_response(entry(found)))).batch([LABS], soon())

    assert isinstance(result, FhirMalformed)


@pytest.mark.parametrize(
    "content",
    [
        batch_response(),
        batch_response(entry(patient()), entry(patient()), entry(patient())),
        batch_response(entry(patient()), entry(bundle()), type="searchset"),
        batch_response(entry=None),
        batch_response(entry={}),
        outcome(),
    ],
)
async def test_batch_of_another_length_is_of_no_use(content: Json) -> None:
    """Where answers cannot be told apart none of them is used."""
    with pytest.raises(FhirMalformed):
        await client_of(Batches(content)).batch([PATIENT, LABS], soon())


@pytest.mark.parametrize(("status", "error"), [(404, FhirGone), (405, FhirRejected), (501, FhirUnavailable)])
async def test_server_without_batch_is_told(status: int, error: type[FhirError]) -> None:
    """Where the server takes no batch the caller gets an error and can ask one by one."""
    with pytest.raises(error):
        await client_of(Batches(answer(outcome(), status))).batch([PATIENT], soon())


async def test_what_the_token_does_not_cover_is_not_sent() -> None:
    """Each entry is checked against the scopes; only the covered ones go out."""
    server = Batches(batch_response(entry(patient())))
    access = GrantAccess(Grant(SecretStr("abc"), scope="patient/Patient.rs"))
    client = FhirClient(httpx.AsyncClient(transport=httpx.MockTransport(server)), SERVER, access, settings())
    found = await client.batch([LABS, PATIENT, LABS], soon())

    assert [type(each) for each in found] == [NotCovered, dict, NotCovered]
    assert len(orjson.loads(server.requests[0].content)["entry"]) == 1


async def test_batch_of_nothing_is_not_sent() -> None:
    """No question, no request."""
    server = Batches(batch_response())

    assert await client_of(server).batch([], soon()) == ()
    assert server.requests == []
