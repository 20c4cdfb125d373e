"""DocumentReferences and DiagnosticReports -> notes, newest first; what cannot be read becomes a gap.

Reports come behind all notes: the model was trained on one clinical note, and a report must not take its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fhir_adapter.deadline import Deadline
from fhir_adapter.deidentify.scrub import Scrubber
from fhir_adapter.errors import FhirError
from fhir_adapter.gaps import gap_of, merge_gaps
from fhir_adapter.notes.attachments import load
from fhir_adapter.notes.candidates import Candidate
from fhir_adapter.notes.choice import ITEM, attachments_of, choose_documents
from fhir_adapter.notes.compose import compose
from fhir_adapter.notes.forms import Reader
from fhir_adapter.notes.plaintext import tidy
from fhir_adapter.notes.reading import BEGINNING, Block, Reading
from fhir_adapter.notes.reports import choose_reports
from fhir_adapter.record import Gap, GapReason, Note
from fhir_adapter.references import source_of
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.shape import Resource, as_text

MAX_NOTES: Final = 10
"""Only the newest are read: the model takes one, and each may cost a request."""
MAX_REPORTS: Final = 5
TOGETHER: Final = 4
"""Documents that are fetched together: enough that one of them is a current note almost always."""
_AT_ONCE: Final = 2
"""Documents taken apart at the same time: each may need a process of its own."""

_Result = tuple[Note | None, tuple[Gap, ...]]


async def read_notes(
    documents: Sequence[Resource],
    reports: Sequence[Resource],
    patient: Resource,
    client: FhirClient | None,
    deadline: Deadline,
) -> tuple[tuple[Note, ...], tuple[Gap, ...]]:
    """Read the newest notes, then addenda, then reports; texts that lie in a Binary are fetched together.

    A few at a time, until a clinical note was read: the model takes one, and older ones bring nothing but work.

    `Note.text` is de-identified (`fhir_adapter.deidentify`). One text that is filed twice is one note.

    Args:
        documents: DocumentReferences of one patient.
        reports: DiagnosticReports of the same.
        patient: the Patient resource: whose identifiers are replaced, and whom a document must not contradict.
        client: fetches texts that lie in a Binary; None where there is no access.
        deadline: for fetching and reading.
    """
    chosen, undated, pictures = choose_documents(documents)
    fetched = frozenset(as_text(one.get("url")) for each in chosen for one in attachments_of(each.resource))
    reader = _Reader(patient, Scrubber.of(patient), client, deadline, asyncio.Semaphore(_AT_ONCE))
    candidates = [*chosen[:MAX_NOTES], *choose_reports(reports, fetched - {""})[:MAX_REPORTS]]
    results = await _read_until_one_is_read(reader, candidates)
    about = [_gap(ITEM, "it is not dated")] if undated else []
    about += [_gap(ITEM, "it is a scan: its pages are pictures")] if pictures else []
    notes = tuple(_once(note for note, _ in results if note is not None))
    return notes, merge_gaps(*(gaps for _, gaps in results), tuple(about))


async def _read_until_one_is_read(reader: _Reader, candidates: Sequence[Candidate]) -> list[_Result]:
    results: list[_Result] = []
    for start in range(0, len(candidates), TOGETHER):
        wave = candidates[start : start + TOGETHER]
        results += await asyncio.gather(*(reader.read(candidate) for candidate in wave))
        if any(note is not None and note.kind == "note" for note, _ in results):
            break
    return results


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the notes of one patient."""

    patient: Resource
    scrubber: Scrubber
    client: FhirClient | None
    deadline: Deadline
    free: asyncio.Semaphore

    async def read(self, candidate: Candidate) -> _Result:
        """Read the first attachment that can be read; the gap is that of the best form."""
        if candidate.text:
            return await self._note(candidate, Reading((Block(tidy(candidate.text)),)))
        failed: list[Gap] = []
        for attachment in candidate.attachments:
            if self.client is None and not attachment.get("data"):
                failed.append(Gap("text", candidate.item, GapReason.NO_ACCESS, "its text lies on the FHIR server"))
                continue
            try:
                reading = await self._open(attachment)
            except FhirError as error:
                failed.append(gap_of(error, "text", candidate.item))
            except ValueError as error:
                failed.append(_gap(candidate.item, str(error)))
            else:
                if not reading.empty:
                    return await self._note(candidate, reading)
                failed.append(_gap(candidate.item, "it is empty"))
        return None, tuple(failed[:1]) or (_gap(candidate.item, "it is in a form that is not read here"),)

    async def _open(self, attachment: Resource) -> Reading:
        data, content_type = await load(
            attachment, self.client, self.deadline, patient_id=as_text(self.patient.get("id"))
        )
        async with self.free:
            reader = Reader(self.patient, self.deadline.remaining())
            return await asyncio.to_thread(reader.read, data, content_type)

    async def _note(self, candidate: Candidate, reading: Reading) -> tuple[Note, tuple[Gap, ...]]:
        text, sections, cut = await asyncio.to_thread(compose, reading.blocks, self.scrubber)
        lost = reading.lost or (BEGINNING if cut else "")
        title = self.scrubber.scrub(candidate.title)
        source = source_of(candidate.resource)
        note = Note(text, title, candidate.written_at, source, candidate.kind, sections)
        return note, (Gap("text", candidate.item, GapReason.INCOMPLETE, lost),) if lost else ()


def _once(notes: Iterator[Note]) -> Iterator[Note]:
    """Yield notes without those that say what one before them says; layout does not count."""
    seen = set[str]()
    for note in notes:
        words = "".join(note.text.split()).lower()
        if words not in seen:
            seen.add(words)
            yield note


def _gap(item: str, detail: str) -> Gap:
    return Gap("text", item, GapReason.UNREADABLE, detail)
