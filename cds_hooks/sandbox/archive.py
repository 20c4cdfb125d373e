"""Where the sandbox keeps DICOM instances: in memory, found by their UIDs; it knows nothing of HTTP."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydicom import Dataset, dcmread

from cds_hooks.sandbox.films import as_file

BULK_FROM = 1024
"""Bytes from which a value is left out of the metadata."""


class NotArchived(Exception):
    """There is no such study, series or instance."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One DICOM instance.

    Attributes:
        file: the DICOM file, preamble included.
        metadata: DICOM JSON (PS3.18, annex F) without pixel data.
    """

    study: str
    series: str
    uid: str
    patient: str
    transfer_syntax: str
    file: bytes
    metadata: dict[str, Any]


class DicomArchive:
    """DICOM instances by study, series and instance UID."""

    def __init__(self) -> None:
        self._instances: dict[str, Instance] = {}
        self._lock = threading.Lock()

    def put(self, instance: Dataset | bytes) -> None:
        """Store one instance; one with the same SOP Instance UID is replaced.

        Raises:
            pydicom.errors.InvalidDicomError: the bytes are no DICOM file.
        """
        file = instance if isinstance(instance, bytes) else as_file(instance)
        dataset = dcmread(io.BytesIO(file), stop_before_pixels=True)
        stored = Instance(
            study=str(dataset.StudyInstanceUID),
            series=str(dataset.SeriesInstanceUID),
            uid=str(dataset.SOPInstanceUID),
            patient=str(dataset.get("PatientID", "")),
            transfer_syntax=str(dataset.file_meta.TransferSyntaxUID),
            file=file,
            metadata=dataset.to_json_dict(BULK_FROM, lambda _element: ""),
        )
        with self._lock:
            self._instances[stored.uid] = stored

    def find(self, study: str = "", series: str = "", instance: str = "", patient: str = "") -> list[Instance]:
        """Return the instances that meet every given UID and patient id."""
        with self._lock:
            held: Iterable[Instance] = list(self._instances.values())
        return [
            one
            for one in held
            if (not study or one.study == study)
            and (not series or one.series == series)
            and (not instance or one.uid == instance)
            and (not patient or one.patient == patient)
        ]

    def get(self, study: str, series: str = "", instance: str = "") -> list[Instance]:
        """Return the instances below a level of the hierarchy.

        Raises:
            NotArchived: there are none.
        """
        found = self.find(study, series, instance)
        if not found:
            raise NotArchived
        return found
