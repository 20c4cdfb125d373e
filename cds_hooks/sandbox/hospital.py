"""The sandbox as one object: its FHIR resources, its films, and the ASGI routes that serve them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from pydicom import Dataset
from starlette.routing import BaseRoute, Mount

from cds_hooks.sandbox.archive import DicomArchive
from cds_hooks.sandbox.dicomweb import dicomweb_app
from cds_hooks.sandbox.fhir import ServerOptions, fhir_routes
from cds_hooks.sandbox.films import FOLDER
from cds_hooks.sandbox.patients import Samples, sample_patients
from cds_hooks.sandbox.resources import Resource, ResourceStore

FHIR_PATH = "/fhir"
DICOMWEB_PATH = "/dicom-web"


class Sandbox:
    """A small hospital.

    Attributes:
        url: where it is served, such as `http://127.0.0.1:8000`; the Endpoint of its films is made from it.
        resources: its FHIR resources.
        archive: its DICOM instances.
        fhir_options: what its FHIR server asks for and lets be done; by default it is read-only and open.
    """

    def __init__(self, url: str, fhir_options: ServerOptions | None = None) -> None:
        self.url = url.rstrip("/")
        self.fhir_options = fhir_options or ServerOptions()
        self.resources = ResourceStore()
        self.archive = DicomArchive()

    @classmethod
    def with_samples(cls, url: str, *, now: datetime | None = None, films: Path = FOLDER) -> Sandbox:
        """Return a sandbox that holds the seven sample patients around a moment (default: this one).

        Raises:
            FilmMissing: a film of the samples is not installed.
        """
        sandbox = cls(url)
        sandbox.add_samples(sample_patients(now or datetime.now(UTC), sandbox.dicomweb_url, films=films))
        return sandbox

    @property
    def fhir_url(self) -> str:
        """Base URL of the FHIR server."""
        return self.url + FHIR_PATH

    @property
    def dicomweb_url(self) -> str:
        """Base URL of the DICOMweb server."""
        return self.url + DICOMWEB_PATH

    def add_samples(self, samples: Samples) -> None:
        """Store sample patients and their films."""
        self.add_bundle(samples.bundle, samples.instances)

    def add_bundle(self, bundle: Resource, instances: Iterable[Dataset | bytes] = ()) -> None:
        """Store the resources of a Bundle, each with its own id, and DICOM instances (datasets or files).

        Raises:
            ValueError: a resource has no id, or is of a type that is not served.
            pydicom.errors.InvalidDicomError: an instance is no DICOM file.
        """
        self.resources.put_bundle(bundle)
        for instance in instances:
            self.archive.put(instance)

    def routes(self) -> list[BaseRoute]:
        """Return the FHIR and the DICOMweb server as routes of an ASGI application."""
        return [
            *fhir_routes(FHIR_PATH, self.resources, self.fhir_options),
            Mount(DICOMWEB_PATH, dicomweb_app(self.archive)),
        ]
