"""Spoiled places of a hospital -> what became of the one chart it holds, and what was said about it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from fhir_adapter.build import build_record
from fhir_adapter.collect import collect_chart
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirError
from fhir_adapter.images.dicomweb import DicomWeb
from fhir_adapter.record import Gap, GapReason, PatientRecord
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.settings import FhirSettings
from tests.fhir_adapter.builders import ASKED_AT, FILM_UID, PATIENT_ID, SERIES_UID, STUDY_UID
from tests.fhir_adapter.hospital import SECOND_CHOICE, WHOLE, Spoil, hospital, pieces_of
from tests.fhir_adapter.rest.wire import Wire
from tests.fhir_adapter.spoils import MARKER, OTHER_ID, ROOM

TOKEN: Final = "tok-3f9a"
LONG_S: Final = 30.0
"""Seconds that nothing but a slow server takes."""


@dataclass(frozen=True)
class Place:
    """One part of the chart: what is not in the record where it is spoiled, and what the gap is of.

    `reason` where it is the same for all faults.
    """

    modality: str
    lost: frozenset[str] = frozenset()
    reason: GapReason | None = None
    optional: bool = False


def place(modality: str, *lost: str, **more: Any) -> Place:
    return Place(modality, frozenset(lost), **more)


VITALS: Final = ("Observation/hr-1", "Observation/rr-1")
FILM: Final = "ImagingStudy/study-1"
PLACES: Final[Mapping[str, Place]] = {
    "vitals": place("structured", *VITALS),
    "vitals page 2": place("structured", "Observation/rr-1", reason=GapReason.INCOMPLETE),
    "labs": place("structured", "Observation/crp-1", "Observation/wbc-1"),
    "notes": place("text", "DocumentReference/note-1"),
    "binary": place("text", "DocumentReference/note-1"),
    "reports": place("text", "DiagnosticReport/report-1", optional=True),
    "imaging": place("image", FILM),
    "endpoint": place("image", FILM),
    "film": place("image", FILM),
    "media": place("image", optional=True),
}


def without(*lost: str) -> dict[str, str]:
    """Return what the record says without some pieces; a photographed film stands in for the study's."""
    instead = SECOND_CHOICE if FILM in lost else {}
    return {source: said for source, said in [*WHOLE.items(), *instead.items()] if source not in lost}


IDS: Final = tuple(source.rpartition("/")[2] for source in (*WHOLE, *SECOND_CHOICE))
SECRETS: Final = (*IDS, OTHER_ID, MARKER, TOKEN, "127.0.0", "note-text", "pacs", STUDY_UID, SERIES_UID, FILM_UID)


@dataclass
class Outcome:
    """What became of one chart, and all that was said about it outside the record."""

    record: PatientRecord | None
    error: FhirError | None
    lines: str

    @property
    def reasons(self) -> set[tuple[str, GapReason]]:
        """Modality and reason of each gap."""
        return {(gap.modality, gap.reason) for gap in self.gaps}

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What the record says it lacks; nothing where there is none."""
        return self.record.gaps if self.record else ()

    @property
    def pieces(self) -> dict[str, str]:
        """What the record says."""
        return pieces_of(self.record) if self.record else {}

    @property
    def quoted(self) -> list[str]:
        """What identifies somebody, or was planted, and stands in a gap, an error or a log line."""
        said = " ".join([self.lines, str(self.error or ""), *map(str, self.gaps)])
        return [word for word in SECRETS if word in said]


async def read_chart(http: httpx.AsyncClient, server: Wire, collecting: Deadline, building: Deadline) -> PatientRecord:
    """Read the whole chart as a hook and its worker do."""
    archive = server.base.replace("/fhir", "/dicom-web")
    settings = FhirSettings(allowed_servers=(server.base, archive), max_bytes=ROOM, max_image_bytes=ROOM)
    client, web = FhirClient(http, server.base, SecretStr(TOKEN), settings), DicomWeb(http, settings)
    chart = await collect_chart(None, client, PATIENT_ID, collecting, asked_at=ASKED_AT)
    return await build_record(chart, client, web, ASKED_AT, building)


@dataclass
class ReadSpoiled:
    """Reads the chart with some places spoiled; what is logged meanwhile is in the outcome."""

    http: httpx.AsyncClient
    caplog: pytest.LogCaptureFixture

    async def __call__(
        self, spoils: Mapping[str, Spoil], collecting_s: float = LONG_S, building_s: float = LONG_S
    ) -> Outcome:
        """Run the server and read; the seconds are the two deadlines."""
        record, error = None, None
        with capture_logs() as logs, self.caplog.at_level(logging.WARNING):
            async with asyncio.timeout(120), hospital(spoils) as server:
                try:
                    record = await read_chart(
                        self.http, server, Deadline.after(collecting_s), Deadline.after(building_s)
                    )
                except FhirError as caught:
                    error = caught
        return Outcome(record, error, f"{logs} {self.caplog.text}")
