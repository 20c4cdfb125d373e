import asyncio

import httpx
import pytest

from fhir_adapter.deadline import Deadline
from fhir_adapter.notes.documents import MAX_NOTES, TOGETHER, read_notes
from fhir_adapter.notes.forms import LARGEST
from fhir_adapter.notes.plaintext import MAX_BYTES
from fhir_adapter.notes.reading import MAX_CHARS
from fhir_adapter.record import Gap, GapReason, Note
from fhir_adapter.rest.client import FhirClient
from tests.fhir_adapter.builders import (
    SERVER,
    FakeFhir,
    Json,
    answer,
    attachment,
    client_of,
    document,
    never,
    outcome,
    patient,
    settings,
    soon,
)
from tests.fhir_adapter.notes.samples import pdf

IN_BINARY = {"contentType": "text/plain", "url": "Binary/n1"}
Read = tuple[tuple[Note, ...], tuple[Gap, ...]]


async def read(documents: list[Json], client: FhirClient | None, deadline: Deadline) -> Read:
    """Read documents of the usual patient, who has no reports."""
    return await read_notes(documents, (), patient(), client, deadline)


async def test_note_is_read_with_its_source() -> None:
    """A current note becomes plain text with title, date and version."""
    (note,), gaps = await read([document()], None, soon())

    assert (note.text, note.title, note.written_at.isoformat()) == (
        "Cough since Monday.",
        "Admission note",
        "2026-11-24T09:00:00+00:00",
    )
    assert (str(note.source), gaps) == ("DocumentReference/note-1/_history/1", ())


@pytest.mark.parametrize(
    "changes",
    [{"status": "superseded"}, {"status": "entered-in-error"}, {"status": None}, {"docStatus": "entered-in-error"}],
)
async def test_withdrawn_note_is_dropped(changes: Json) -> None:
    """A note that was replaced or entered in error never reaches the model."""
    assert await read([document(**changes)], None, soon()) == ((), ())


@pytest.mark.parametrize("status", ["preliminary", "final", "amended", None])
async def test_note_in_any_other_state_is_read(status: str | None) -> None:
    """A preliminary note is what a clinician has at the bedside."""
    assert len((await read([document(docStatus=status)], None, soon()))[0]) == 1


async def test_notes_come_newest_first() -> None:
    """The newest note stands first, whatever the order of the server."""
    days = ["2026-11-22", "2026-11-24", "2026-11-23"]

    notes, _ = await read([document(attachment(f"Day {day[-2:]}"), id=day, date=day) for day in days], None, soon())

    assert [note.written_at.day for note in notes] == [24, 23, 22]


async def test_older_notes_are_not_fetched_where_a_newer_one_is_read() -> None:
    """A hundred notes do not become a hundred requests: the first few, where one of them can be read."""
    server = FakeFhir({"Binary/n1": answer(b"Cough", content_type="text/plain")})
    documents = [document(IN_BINARY, id=str(n)) for n in range(MAX_NOTES + 5)]

    await read(documents, client_of(server), soon())

    assert len(server.requests) == TOGETHER


async def test_older_notes_are_fetched_where_no_newer_one_is_read() -> None:
    """Notes that cannot be read lead to older ones, though not to all there are."""
    server = FakeFhir({})
    documents = [document(IN_BINARY, id=str(n)) for n in range(MAX_NOTES + 5)]

    await read(documents, client_of(server), soon())

    assert len(server.requests) == MAX_NOTES


@pytest.mark.parametrize(
    ("changes", "day"),
    [
        ({"date": None, "context": {"period": {"start": "2026-11-20", "end": "2026-11-21"}}}, 21),
        ({"date": None, "content": [{"attachment": attachment(creation="2026-11-19")}]}, 19),
        ({"date": None, "meta": {"lastUpdated": "2026-11-18T00:00:00Z"}}, 18),
    ],
)
async def test_note_is_dated_by_the_best_date_it_has(changes: Json, day: int) -> None:
    """Without its own date a note is dated by the time of service, its creation or its last change."""
    (note,), _ = await read([document(**changes)], None, soon())

    assert note.written_at.day == day


async def test_undated_note_is_a_gap() -> None:
    """A note of no date may be of any illness."""
    assert await read([document(date=None)], None, soon()) == (
        (),
        (Gap("text", "clinical note", GapReason.UNREADABLE, "it is not dated"),),
    )


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (attachment(data="%%%"), "its base64 is broken"),
        (attachment(data="Q29"), "its base64 is broken"),
        (attachment(data="ä"), "its base64 is broken"),
        (attachment(data=5), "it has no content"),
        (attachment(b"\xff\xfe", "text/plain; charset=utf-8"), "it is not in the character set it names"),
        (attachment("  \n "), "it is empty"),
        (attachment(content_type="application/msword"), "it is in a form that is not read here"),
        (attachment("<p>Cough<script>", "text/html"), "its markup is broken"),
        (attachment("x" * (MAX_BYTES + 1)), "it is too long"),
        (attachment(data="A" * 3 * LARGEST), "it is too long"),
        (5, "it is in a form that is not read here"),
    ],
)
async def test_note_that_cannot_be_read_is_a_gap(content: Json, detail: str) -> None:
    """Whatever is wrong with a note, the gap says what, and never quotes it."""
    assert await read([document(content)], None, soon()) == (
        (),
        (Gap("text", "clinical note", GapReason.UNREADABLE, detail),),
    )


async def test_base64_may_hold_line_breaks() -> None:
    """Base64 is often wrapped at 76 characters."""
    wrapped = attachment()
    wrapped["data"] = wrapped["data"][:8] + "\r\n " + wrapped["data"][8:]

    assert len((await read([document(wrapped)], None, soon()))[0]) == 1


async def test_plain_text_stands_before_html() -> None:
    """Of two forms of one note the one that loses nothing is read."""
    both = document(attachment("<p>page</p>", "text/html"), attachment("plain"))

    assert (await read([both], None, soon()))[0][0].text == "plain"


async def test_second_form_is_read_where_the_first_fails() -> None:
    """A broken attachment does not hide a sound one."""
    both = document(attachment(data="%%%"), attachment("<p>page</p>", "text/html"))

    (note,), gaps = await read([both], None, soon())

    assert (note.text, gaps) == ("page", ())


@pytest.mark.parametrize(
    "response",
    [
        answer(b"Cough", content_type="text/plain;charset=utf-8"),
        answer(b"Cough", content_type="application/octet-stream"),
        answer({"resourceType": "Binary", "contentType": "text/plain", "data": "Q291Z2g="}),
    ],
    ids=["raw", "unknown type", "resource"],
)
async def test_text_in_a_binary_is_fetched(response: httpx.Response) -> None:
    """A note whose text lies in a Binary is fetched, in whichever of its forms it comes."""
    server = FakeFhir({"Binary/n1": response})

    (note,), gaps = await read([document(IN_BINARY)], client_of(server), soon())

    assert (note.text, gaps) == ("Cough", ())


async def test_character_set_of_the_server_is_used() -> None:
    """The reference says what the document is; the server says in which character set it sends it."""
    latin = answer("39 °C".encode("latin-1"), content_type="text/plain; charset=iso-8859-1")

    (note,), _ = await read([document(IN_BINARY)], client_of(FakeFhir({"Binary/n1": latin})), soon())

    assert note.text == "39 °C"


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (answer(b"<h1>Sign in</h1>", content_type="text/html"), GapReason.UNREADABLE),
        (answer(outcome(), 403), GapReason.REFUSED),
        (answer(outcome(), 404), GapReason.MISSING),
        (answer(outcome(), 502), GapReason.FAILED),
        (answer({"resourceType": "Binary", "data": "%%%"}), GapReason.UNREADABLE),
    ],
)
async def test_binary_that_cannot_be_fetched_is_a_gap(response: httpx.Response, reason: GapReason) -> None:
    """A log-in page is not a note, and a refusal is told as one."""
    notes, gaps = await read([document(IN_BINARY)], client_of(FakeFhir({"Binary/n1": response})), soon())

    assert (notes, [gap.reason for gap in gaps]) == ((), [reason])


async def test_text_on_another_server_is_not_fetched() -> None:
    """A reference may point anywhere; the token stays where it belongs."""
    elsewhere = {"contentType": "text/plain", "url": "https://files.example.org/n1.txt"}
    server = FakeFhir({})

    notes, gaps = await read([document(elsewhere)], client_of(server), soon())

    assert (notes, server.requests) == ((), [])
    assert "not on the list of allowed servers" in gaps[0].detail


async def test_text_without_access_is_a_gap() -> None:
    """Without access to the server, a note that lies there is out of reach, not refused and not broken."""
    _, gaps = await read([document(IN_BINARY)], None, soon())

    assert [gap.reason for gap in gaps] == [GapReason.NO_ACCESS]


async def test_silent_server_costs_no_more_than_the_deadline() -> None:
    """A text that does not arrive in time is a gap."""
    client = FhirClient(httpx.AsyncClient(transport=httpx.MockTransport(never)), SERVER, None, settings())

    _, gaps = await read([document(IN_BINARY)], client, Deadline.after(0.01))

    assert [gap.reason for gap in gaps] == [GapReason.TIMEOUT]


async def test_texts_are_fetched_together() -> None:
    """No note waits for another one's text."""
    arrived, both = [], asyncio.Event()

    async def wait_for_both(request: httpx.Request) -> httpx.Response:
        arrived.append(request)
        if len(arrived) == 2:
            both.set()
        await both.wait()
        return answer(request.url.path.encode(), content_type="text/plain")

    client = FhirClient(httpx.AsyncClient(transport=httpx.MockTransport(wait_for_both)), SERVER, None, settings())
    notes, _ = await read([document({**IN_BINARY, "url": f"Binary/{name}"}, id=name) for name in "ab"], client, soon())

    assert len(notes) == 2


async def test_very_long_note_is_cut_and_said_to_be() -> None:
    """The beginning of a very long note is read, and the gap says that there was more."""
    (note,), gaps = await read([document(attachment("word " * (MAX_CHARS // 4)))], None, soon())

    assert len(note.text) == MAX_CHARS
    assert [gap.reason for gap in gaps] == [GapReason.INCOMPLETE]


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"type": {"coding": [{"display": "Progress note"}]}}, "Progress note"),
        ({"type": None, "description": "Ward round"}, "Ward round"),
        ({"type": [], "description": 5}, "Clinical note"),
    ],
)
async def test_note_always_has_a_title(changes: Json, title: str) -> None:
    """The title is the type's text or display, the description, or just that it is a note."""
    (note,), _ = await read([document(**changes)], None, soon())

    assert note.title == title


async def test_note_is_deidentified() -> None:
    """What names the patient or anybody else is gone before a note leaves the adapter, from its title too."""
    named = patient(name=[{"family": "Kowalska", "given": ["Emma"]}])
    letter = document(attachment("Emma was seen on 24/11/2026 by Dr. Smith."), type={"text": "Letter on Emma"})

    (note,), _ = await read_notes([letter], (), named, None, soon())

    assert (note.text, note.title) == ("[name] was seen on [date] by Dr. [name].", "Letter on [name]")


async def test_one_text_filed_twice_is_one_note() -> None:
    """The newest of equal texts stays; blanks and case do not make a difference."""
    twice = [document(id="a", date="2026-11-23"), document(attachment("COUGH\n since  Monday."), id="b")]

    (note,), _ = await read(twice, None, soon())

    assert note.source.reference == "DocumentReference/b"


async def test_scanned_notes_are_one_gap() -> None:
    """A hundred scans are said once."""
    category = [{"coding": [{"system": "http://hl7.org/fhir/us/core/CodeSystem/x", "code": "clinical-note"}]}]
    scan = document({"contentType": "image/png", "url": "Binary/p"}, category=category)

    notes, gaps = await read([{**scan, "id": str(n)} for n in range(100)], None, soon())

    assert (notes, [gap.detail for gap in gaps]) == ((), ["it is a scan: its pages are pictures"])


async def test_what_a_form_leaves_out_is_a_gap() -> None:
    """A PDF of which some pages are pictures is read, and the gap says so."""
    (note,), (gap,) = await read([document(attachment(pdf("Cough", ""), "application/pdf"))], None, soon())

    assert (note.text, gap.reason) == ("Cough", GapReason.INCOMPLETE)
    assert gap.detail == "some of its pages are pictures"


async def test_note_in_a_binary_of_another_patient_is_a_gap() -> None:
    """A Binary whose rights are those to somebody else is discarded."""
    data = attachment("Cough")["data"]
    theirs = {"reference": "Patient/child-2"}
    binary = {"resourceType": "Binary", "contentType": "text/plain", "data": data, "securityContext": theirs}

    notes, (gap,) = await read([document(IN_BINARY)], client_of(FakeFhir({"Binary/n1": binary})), soon())

    assert (notes, gap.reason) == ((), GapReason.FAILED)
    assert "somebody else" in gap.detail
