import asyncio
from datetime import UTC, datetime

import httpx
import pytest
from structlog.testing import capture_logs

from fhir_adapter.collect import collect_chart
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import ChartUnavailable, FhirMalformed, ForeignPatient
from fhir_adapter.images.endpoints import ADDRESS
from fhir_adapter.prefetch import MOST_GIVEN
from fhir_adapter.record import Gap, GapReason
from fhir_adapter.rest.client import FhirClient
from tests.fhir_adapter.builders import (
    ASKED_AT,
    PATIENT_ID,
    SERVER,
    FakeFhir,
    Json,
    answer,
    bundle,
    client_of,
    document,
    endpoint,
    never,
    observation,
    outcome,
    patient,
    quantity,
    settings,
    soon,
    study,
)

LABS = "Observation?patient=child-1&category=laboratory&date=ge2026-11-21&_sort=-date&_count=100"
VITALS = LABS.replace("laboratory", "vital-signs")
SUBJECT = {"reference": f"Patient/{PATIENT_ID}"}
WHOLE: Json = {
    "patient": patient(),
    "vitals": bundle(observation("8867-4", id="hr-1")),
    "labs": bundle(observation()),
    "notes": bundle(document()),
    "reports": bundle(),
    "imaging": bundle(study(endpoint=[])),
}


def make_server(**changes: object) -> FakeFhir:
    """A server that holds the whole chart."""
    answers: dict[str, object] = {
        f"Patient/{PATIENT_ID}": patient(),
        LABS: WHOLE["labs"],
        VITALS: WHOLE["vitals"],
        "DocumentReference": WHOLE["notes"],
        "DiagnosticReport": WHOLE["reports"],
        "ImagingStudy": bundle(study()),
        "Media": bundle(),
        "Endpoint/pacs": endpoint(),
    }
    return FakeFhir({**answers, **changes})


def without(*keys: str, **changes: object) -> Json:
    return {key: value for key, value in {**WHOLE, **changes}.items() if key not in keys}


async def test_whole_prefetch_asks_the_server_nothing() -> None:
    """What was prefetched is not fetched again."""
    server = make_server()

    chart = await collect_chart(WHOLE, client_of(server), PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert server.requests == []
    assert [each["id"] for each in chart.observations] == ["hr-1", "crp-1"]
    assert (chart.documents, chart.studies, chart.gaps) == ((document(),), (study(endpoint=[]),), ())


async def test_only_missing_keys_are_fetched() -> None:
    """A key that is absent is fetched, and nothing else."""
    server = make_server()

    chart = await collect_chart(without("labs"), client_of(server), PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert [str(request.url).removeprefix(SERVER + "/") for request in server.requests] == [LABS]
    assert observation() in chart.observations


async def test_chart_without_prefetch_is_fetched_whole() -> None:
    """A client that prefetches nothing gets the same chart, endpoints included."""
    server = make_server()

    chart = await collect_chart(None, client_of(server), PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert server.asked == [
        "DiagnosticReport",
        "DocumentReference",
        "Endpoint",
        "ImagingStudy",
        "Media",
        "Observation",
        "Observation",
        "Patient",
    ]
    assert (chart.patient, chart.endpoints, chart.gaps) == (patient(), (endpoint(),), ())


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (outcome("exception"), GapReason.FAILED),
        (outcome("forbidden"), GapReason.REFUSED),
    ],
)
async def test_what_the_client_could_not_give_is_not_asked_again(value: object, reason: GapReason) -> None:
    """An OperationOutcome is an answer: no second question, and a gap that says which."""
    server = make_server()

    chart = await collect_chart(without(labs=value), client_of(server), PATIENT_ID, soon())

    assert server.requests == []
    assert chart.gaps == (Gap("structured", "laboratory results", reason),)


async def test_null_is_what_an_empty_bundle_is() -> None:
    """A client that has none says so by `null`: no second question, and the chart of a server that found nothing."""
    server = make_server()
    null, empty = [
        await collect_chart(without(labs=value, notes=value), client_of(server), PATIENT_ID, soon())
        for value in (None, bundle())
    ]

    assert server.requests == []
    assert (null, null.gaps) == (empty, ())


async def test_prefetch_that_says_it_is_not_whole_is_a_gap() -> None:
    """What a client gives with an error among the entries is used, and that something is left out is told."""
    labs = bundle(observation())
    labs["entry"].append({"resource": outcome(), "search": {"mode": "outcome"}})

    chart = await collect_chart({**WHOLE, "labs": labs}, None, PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert observation() in chart.observations
    assert chart.gaps == (Gap("structured", "laboratory results", GapReason.INCOMPLETE),)


async def test_absent_key_without_access_is_a_gap() -> None:
    """Without access to the server a missing part stays missing, and the gap says why."""
    chart = await collect_chart(without("notes"), None, PATIENT_ID, soon())

    assert [(gap.modality, gap.reason) for gap in chart.gaps] == [("text", GapReason.NO_ACCESS)]
    assert "no access" in chart.gaps[0].reason.value


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (answer(outcome(), 403), GapReason.REFUSED),
        (answer(outcome(), 404), GapReason.MISSING),
        (answer(outcome(), 500), GapReason.FAILED),
        (answer(outcome(), 400), GapReason.FAILED),
        (answer(b"<html>", content_type="text/html"), GapReason.UNREADABLE),
    ],
)
async def test_failing_part_leaves_the_others(response: httpx.Response, reason: GapReason) -> None:
    """One part that cannot be read is a gap; the rest of the chart is there."""
    server = make_server(DocumentReference=response)

    chart = await collect_chart(None, client_of(server), PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert [(gap.modality, gap.item, gap.reason) for gap in chart.gaps] == [("text", "clinical notes", reason)]
    assert len(chart.observations) == 2


async def test_silent_server_leaves_a_gap_when_the_deadline_passes() -> None:
    """What does not arrive in time is a gap that says so."""
    client = FhirClient(httpx.AsyncClient(transport=httpx.MockTransport(never)), SERVER, None, settings())

    chart = await collect_chart(without("labs"), client, PATIENT_ID, Deadline.after(0.01))

    assert chart.gaps == (Gap("structured", "laboratory results", GapReason.TIMEOUT),)


async def test_missing_parts_are_asked_for_at_once() -> None:
    """All missing parts are under way together: no question waits for another's answer."""
    arrived: list[str] = []
    everyone = asyncio.Event()

    async def wait_for_all(request: httpx.Request) -> httpx.Response:
        arrived.append(request.url.path)
        if len(arrived) == 5:
            everyone.set()
        await everyone.wait()
        return make_server()(request)

    client = FhirClient(httpx.AsyncClient(transport=httpx.MockTransport(wait_for_all)), SERVER, None, settings())
    chart = await collect_chart(None, client, PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert chart.gaps == ()


@pytest.mark.parametrize("prefetched", [None, outcome("exception")])
async def test_no_patient_means_no_chart(prefetched: object) -> None:
    """A client that has no Patient gives nothing to answer about, and the server is not asked behind its back."""
    server = make_server()

    with pytest.raises(ChartUnavailable):
        await collect_chart(without(patient=prefetched), client_of(server), PATIENT_ID, soon())
    assert server.requests == []


@pytest.mark.parametrize(
    ("status", "reason"), [(403, GapReason.REFUSED), (410, GapReason.MISSING), (500, GapReason.FAILED)]
)
async def test_patient_that_cannot_be_read_means_no_chart(status: int, reason: GapReason) -> None:
    """The reason of the refusal is kept for the answer."""
    server = make_server(**{f"Patient/{PATIENT_ID}": answer(outcome(), status)})

    with pytest.raises(ChartUnavailable) as caught:
        await collect_chart(None, client_of(server), PATIENT_ID, soon())
    assert caught.value.reason is reason


async def test_prefetch_of_another_patient_is_refused() -> None:
    """A mix-up in the request is the client's to mend: nothing is collected."""
    with pytest.raises(ForeignPatient, match=r"^labs: "):
        await collect_chart(without(labs=bundle(observation(subject={}))), None, PATIENT_ID, soon())


async def test_malformed_prefetch_is_refused() -> None:
    """A value of the wrong type is an error, not a gap."""
    with pytest.raises(FhirMalformed, match=r"^prefetch\.labs"):
        await collect_chart(without(labs="?"), None, PATIENT_ID, soon())


async def test_server_that_sends_another_patient_is_not_believed() -> None:
    """A search that returns somebody else's result is discarded whole, and the log names no one."""
    server = make_server(**{LABS: bundle(observation(), observation(id="x", subject={"reference": "Patient/other"}))})

    with capture_logs() as logged:
        chart = await collect_chart(None, client_of(server), PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert [each["id"] for each in chart.observations] == ["hr-1"]
    assert chart.gaps[0].reason is GapReason.FAILED
    assert logged == [
        {"event": "part_not_collected", "part": "labs", "error": "ForeignPatient", "log_level": "warning"}
    ]


async def test_read_patient_must_be_the_one_asked_for() -> None:
    """A server that answers with another Patient ends the matter."""
    server = make_server(**{f"Patient/{PATIENT_ID}": patient(id="other")})

    with pytest.raises(ForeignPatient):
        await collect_chart(None, client_of(server), PATIENT_ID, soon())


async def test_prefetched_page_is_read_on() -> None:
    """A prefetched Bundle with a next link is followed on the client's own server."""
    first = bundle(observation(id="a"), next_url=f"{SERVER}?page=2")
    server = make_server(**{"?page=2": bundle(observation(id="b"))})

    chart = await collect_chart(without(labs=first), client_of(server), PATIENT_ID, soon())

    assert [each["id"] for each in chart.observations] == ["hr-1", "a", "b"]
    assert chart.gaps == ()


@pytest.mark.parametrize("url", ["https://evil.example.org/fhir?page=2", f"{SERVER}?page=gone"])
async def test_prefetched_page_that_cannot_be_read_on_is_incomplete(url: str) -> None:
    """What was given is kept, and the gap says that there was more."""
    chart = await collect_chart(
        without(labs=bundle(observation(), next_url=url)), client_of(make_server()), PATIENT_ID, soon()
    )

    assert observation() in chart.observations
    assert chart.gaps == (Gap("structured", "laboratory results", GapReason.INCOMPLETE),)


async def test_prefetched_page_without_access_is_incomplete() -> None:
    """Without access the rest of a page cannot be read."""
    first = bundle(observation(), next_url=f"{SERVER}?page=2")

    chart = await collect_chart(without(labs=first), None, PATIENT_ID, soon())

    assert chart.gaps == (Gap("structured", "laboratory results", GapReason.INCOMPLETE),)


async def test_result_in_both_categories_counts_once() -> None:
    """A result that is filed as vital sign and as laboratory result is one result."""
    chart = await collect_chart(without(vitals=bundle(observation())), None, PATIENT_ID, soon())

    assert chart.observations == (observation(),)


async def test_missing_endpoint_is_no_reason_to_fail() -> None:
    """Where the archive's address cannot be read, the studies are still collected, and the chart says why."""
    server = make_server(**{"Endpoint/pacs": answer(outcome(), 500)})

    chart = await collect_chart(None, client_of(server), PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert (chart.studies, chart.endpoints) == ((study(),), ())
    assert chart.gaps == (Gap("image", ADDRESS, GapReason.FAILED),)


async def test_date_bounds_count_back_from_the_question() -> None:
    """A chart asked about as of a day is searched as of that day."""
    server = make_server()

    await collect_chart(
        without("labs"), client_of(server), PATIENT_ID, soon(), asked_at=datetime(2020, 3, 2, tzinfo=UTC)
    )

    assert server.requests[0].url.params["date"] == "ge2020-02-28"


@pytest.mark.parametrize("patient_id", ["", "..", "a/b", "child 1"])
async def test_context_patient_must_be_an_id(patient_id: str) -> None:
    """An id that is none is refused before anything is asked."""
    server = make_server()

    with pytest.raises(ValueError, match=r"context\.patientId"):
        await collect_chart(None, client_of(server), patient_id, soon())
    assert server.requests == []


def many(count: int, code: str = "8867-4") -> list[Json]:
    """So many heart rates, each with its id."""
    return [observation(code, id=f"o{number}", valueQuantity=quantity(120, "/min")) for number in range(count)]


class LongChart(FakeFhir):
    """A server with more vital signs than anybody reads, which answers a search by code with what it was given."""

    def __init__(self, by_code: Json | httpx.Response) -> None:
        first = bundle(*many(100), next_url=f"{SERVER}?page=2")
        super().__init__({f"Patient/{PATIENT_ID}": patient(), VITALS: first, LABS: bundle(), "ImagingStudy": bundle()})
        self.by_code = by_code

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        if "code" not in request.url.params:
            return super().__call__(request)
        self.requests.append(request)
        return self.by_code if isinstance(self.by_code, httpx.Response) else answer(self.by_code)

    @property
    def codes(self) -> list[set[str]]:
        """The codes of each search by code."""
        return [set(one.url.params["code"].split(",")) for one in self.requests if "code" in one.url.params]


async def test_as_many_as_asked_for_are_enough() -> None:
    """The hundredth result ends the reading, and what is not among them is searched for by its code."""
    server = LongChart(bundle(observation()))

    chart = await collect_chart(None, client_of(server), PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert f"{SERVER}?page=2" not in {str(request.url) for request in server.requests}
    assert (len(chart.observations), [gap for gap in chart.gaps if gap.modality == "structured"]) == (101, [])


async def test_second_look_asks_for_what_was_not_seen() -> None:
    """The search by code names the quantities that the newest results do not show, and no other."""
    server = LongChart(bundle())

    await collect_chart(None, client_of(server), PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert len(server.codes) == 1
    assert "1988-5" in server.codes[0]
    assert "8867-4" not in server.codes[0]


async def test_endless_results_of_one_kind_are_told() -> None:
    """Where even the search by code brings more than is read, the record says that only the newest were looked at."""
    more = bundle(*many(100, "1988-5"), next_url=f"{SERVER}?page=3")
    server = LongChart(more)

    chart = await collect_chart(None, client_of(server), PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert len(server.codes) == 2
    assert Gap("structured", "measurements", GapReason.NEWEST_ONLY) in chart.gaps


@pytest.mark.parametrize(
    "by_code",
    [answer(outcome(), 500), answer(b"<html>", content_type="text/html"), answer({"resourceType": "Patient"})],
)
async def test_failed_second_look_leaves_the_newest(by_code: httpx.Response) -> None:
    """What was read stays, and the record says that there is more."""
    chart = await collect_chart(None, client_of(LongChart(by_code)), PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert len(chart.observations) == 100
    assert Gap("structured", "measurements", GapReason.NEWEST_ONLY) in chart.gaps


async def test_second_look_at_somebody_else_is_discarded() -> None:
    """A server that ignores the patient in the search by code is not believed."""
    foreign = bundle(observation(id="x", subject={"reference": "Patient/other"}))

    chart = await collect_chart(None, client_of(LongChart(foreign)), PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert "x" not in {each["id"] for each in chart.observations}


async def test_prefetch_that_was_cut_is_fetched_again() -> None:
    """A Bundle with fewer entries than its total and no next link is not the whole: the key is fetched."""
    cut = bundle(observation(id="a")) | {"total": 2}
    server = make_server(**{LABS: bundle(observation(id="a"), observation(id="b"))})

    chart = await collect_chart(without(labs=cut), client_of(server), PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert [each["id"] for each in chart.observations] == ["hr-1", "a", "b"]
    assert [str(request.url).removeprefix(SERVER + "/") for request in server.requests] == [LABS]


async def test_prefetch_that_was_cut_is_told_where_nothing_can_be_fetched() -> None:
    """Without access what is there is used, and the record says that it is not all."""
    cut = bundle(observation()) | {"total": 2}

    chart = await collect_chart(without(labs=cut), None, PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert chart.gaps == (Gap("structured", "laboratory results", GapReason.INCOMPLETE),)


@pytest.mark.parametrize("total", [1, 0, None, "5", -1, True, 2.5])
async def test_total_that_says_nothing_new_is_passed_over(total: object) -> None:
    """A total that is reached, absent or no number does not make a given Bundle incomplete."""
    given = bundle(observation()) | {"total": total}

    chart = await collect_chart(without(labs=given), None, PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert chart.gaps == ()


async def test_more_than_asked_for_is_enough_whatever_the_total() -> None:
    """A Bundle with as many as the template asks for is not read on, but what it does not show is searched by code."""
    given, server = bundle(*many(100)) | {"total": 5000}, LongChart(bundle())

    chart = await collect_chart(without(vitals=given), client_of(server), PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert chart.gaps == ()
    assert len(server.codes) == 1


async def test_more_than_asked_for_may_hide_others() -> None:
    """Where nothing can be searched, the record says that only the newest were looked at."""
    given = bundle(*many(100)) | {"total": 5000}

    chart = await collect_chart(without(vitals=given), None, PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert chart.gaps == (Gap("structured", "measurements", GapReason.NEWEST_ONLY),)


FAILED_IN_PART = {"resource": outcome("exception"), "search": {"mode": "outcome"}}


async def test_prefetch_that_tells_of_a_failure_is_fetched_again() -> None:
    """A Bundle with an OperationOutcome of severity error among its entries is not the whole."""
    given = bundle(observation(id="a"))
    given["entry"].append(FAILED_IN_PART)
    server = make_server(**{LABS: bundle(observation(id="a"), observation(id="b"))})

    fetched = await collect_chart(without(labs=given), client_of(server), PATIENT_ID, soon(), asked_at=ASKED_AT)
    alone = await collect_chart(without(labs=given), None, PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert [each["id"] for each in fetched.observations] == ["hr-1", "a", "b"]
    assert alone.gaps == (Gap("structured", "laboratory results", GapReason.INCOMPLETE),)


@pytest.mark.parametrize(("key", "item"), [("labs", "laboratory results"), ("reports", "diagnostic reports")])
@pytest.mark.parametrize(("status", "reason"), [(403, GapReason.INCOMPLETE), (500, GapReason.INCOMPLETE)])
async def test_what_was_given_stays_where_the_rest_cannot_be_had(
    key: str, item: str, status: int, reason: GapReason
) -> None:
    """A failure to complete a key does not take away what the client sent."""
    one = observation(id="a") if key == "labs" else {"resourceType": "DiagnosticReport", "id": "a", "subject": SUBJECT}
    refused = answer(outcome(), status)
    server = make_server(**{LABS: refused, "DiagnosticReport": refused})

    chart = await collect_chart(
        without(**{key: bundle(one) | {"total": 2}}), client_of(server), PATIENT_ID, soon(), asked_at=ASKED_AT
    )

    assert one in chart.observations + chart.reports
    assert [(gap.item, gap.reason) for gap in chart.gaps] == [(item, reason)]


async def test_oversize_prefetch_is_cut_to_the_newest() -> None:
    """Of more than can be read in a hook's time the newest stay, and the record says so."""
    old = [observation(id=f"o{number}", effectiveDateTime="2026-11-22T08:00:00Z") for number in range(MOST_GIVEN)]
    given = bundle(*old, observation(id="new", effectiveDateTime="2026-11-24T08:00:00Z"))

    chart = await collect_chart(without(labs=given), None, PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert "new" in {each["id"] for each in chart.observations}
    assert len(chart.observations) == MOST_GIVEN + 1
    assert chart.gaps == (Gap("structured", "measurements", GapReason.NEWEST_ONLY),)


@pytest.mark.parametrize("kind", ["DiagnosticReport", "Media"])
@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_part_that_a_server_does_not_offer_is_no_gap(kind: str, status: int) -> None:
    """Many servers have no reports or media, or do not open them to us: a card need not say so."""
    server = make_server(**{kind: answer(outcome(), status)})

    chart = await collect_chart(None, client_of(server), PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert chart.gaps == ()


async def test_part_that_a_server_offers_and_cannot_give_is_a_gap() -> None:
    """A server that fails over its reports may have some."""
    server = make_server(DiagnosticReport=answer(outcome(), 500))

    chart = await collect_chart(None, client_of(server), PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert chart.gaps == (Gap("text", "diagnostic reports", GapReason.FAILED),)


async def test_media_are_asked_for_only_where_no_study_was_sent_along() -> None:
    """A client that sent a study along has told where the film is."""
    server = make_server()
    await collect_chart(without("labs"), client_of(server), PATIENT_ID, soon(), asked_at=ASKED_AT)
    for nothing in (bundle(), None):
        await collect_chart(without(imaging=nothing), client_of(server), PATIENT_ID, soon(), asked_at=ASKED_AT)

    assert server.asked == ["Media", "Media", "Observation"]
