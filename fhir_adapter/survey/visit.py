"""One visit to a site: what was asked for, and what has been learnt so far. The checks share it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

import httpx
from pydantic import SecretStr

from fhir_adapter.chart import Chart
from fhir_adapter.deadline import Deadline
from fhir_adapter.record import PatientRecord
from fhir_adapter.references import is_fhir_id
from fhir_adapter.rest.bundles import Page
from fhir_adapter.rest.capabilities import Capabilities
from fhir_adapter.settings import BackendClient, FhirSettings
from fhir_adapter.survey.asking import Asker, Reply
from fhir_adapter.survey.needs import NOBODY


@dataclass(frozen=True, slots=True)
class Target:
    """What to look at.

    Attributes:
        base_url: base of the FHIR server.
        token: bearer token, or None.
        patient_id: whose record is read; empty reads nobody's.
        any_patient: whether the doctor may choose somebody when no patient is named.
        dicomweb_url: DICOMweb root to look at; empty takes what the records name, or FHIR_DICOMWEB_URL.
        client: our registration, to get a token of our own by SMART Backend Services; None where a token is given.
        wanted: keys of the quantities that are wanted from a record; empty for all that can be read.
    """

    base_url: str
    token: SecretStr | None = None
    patient_id: str = ""
    any_patient: bool = False
    dicomweb_url: str = ""
    client: BackendClient | None = None
    wanted: tuple[str, ...] = ()


@dataclass(slots=True)
class Visit:
    """What the checks share; each fills in what it learns.

    Attributes:
        target: what to look at.
        asker: asks the server.
        http: for the readers of this package, which ask for themselves.
        settings: what the operator has set.
        asked_at: the moment of the visit, with its zone.
        token: what is sent, once known; None for none.
        scope: what the token endpoint says that it covers; empty where nobody says.
        patient_id: whose record is read, once known; empty for nobody's.
        metadata: what `[base]/metadata` answered.
        reached: whether the server answered HTTP at all.
        capabilities: what the server says of itself.
        pages: first page of each search without its date bound, by key.
        links_elsewhere: whether next links lead to another address than the base.
        chart, record: the patient's, once read.
    """

    target: Target
    asker: Asker
    http: httpx.AsyncClient
    settings: FhirSettings
    asked_at: datetime
    token: SecretStr | None = None
    scope: str = ""
    patient_id: str = ""
    metadata: Reply = field(default_factory=lambda: Reply(0, "it was not asked for"))
    reached: bool = False
    capabilities: Capabilities | None = None
    pages: dict[str, Page] = field(default_factory=dict)
    links_elsewhere: bool = False
    chart: Chart | None = None
    record: PatientRecord | None = None

    @property
    def base_url(self) -> str:
        """Base of the FHIR server, without a slash at its end."""
        return self.asker.base_url

    @property
    def deadline(self) -> Deadline:
        """When everything must be done."""
        return self.asker.deadline

    @property
    def today(self) -> date:
        """The day that date bounds count back from (UTC)."""
        return self.asked_at.date()

    @property
    def subject(self) -> str:
        """Whom to search for: the patient, or nobody where none was named."""
        return self.patient_id or NOBODY


def open_visit(
    target: Target, http: httpx.AsyncClient, settings: FhirSettings, asked_at: datetime, within: Deadline
) -> Visit:
    """Begin a visit.

    Raises:
        ValueError: the token cannot be one, or the patient's id is no FHIR id.
    """
    if target.patient_id and not is_fhir_id(target.patient_id):
        raise ValueError("the patient's id is no FHIR id")
    asker = Asker(http, target.base_url, target.token, within)
    return Visit(target, asker, http, settings, asked_at, token=target.token, patient_id=target.patient_id)
