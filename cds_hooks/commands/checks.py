"""The checks of `mllm-cds doctor`: each one thing that the service needs, said in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import httpx
from pydantic import HttpUrl, ValidationError
from sqlalchemy.exc import SQLAlchemyError

from cds_hooks.commands.findings import Report, print_json, print_line
from cds_hooks.commands.stopping import setting_errors
from cds_hooks.jobs import JobQueue, QueueDown, make_celery
from cds_hooks.settings import ServiceSettings
from cds_hooks.store.database import SchemaOutdated
from cds_hooks.store.opening import open_store
from fhir_adapter.media_types import FHIR_JSON
from fhir_adapter.settings import FhirSettings
from fhir_adapter.survey.findings import Finding, Verdict
from inference.backends import BackendError, open_backend
from inference.checkpoint import Checkpoint, CheckpointError

TIMEOUT_S: Final = 5.0


def run_checks(*, as_json: bool = False) -> bool:
    """Print one line a check, or all of them as JSON, and tell whether all passed."""
    found: list[Finding] = []
    for finding in findings():
        found.append(finding)
        if not as_json:
            print_line(finding)
    if as_json:
        print_json(Report(found, works=all(finding.ok for finding in found)))
    return all(finding.ok for finding in found)


def _told(part: str, *, ok: bool, sentence: str) -> Finding:
    return Finding(part, Verdict.OK if ok else Verdict.FAILED, sentence)


def findings() -> Iterator[Finding]:
    """Yield what each check found, as soon as it is known; without settings nothing else can be checked."""
    try:
        settings, fhir = ServiceSettings(), FhirSettings()
    except ValidationError as error:
        yield from (_told("settings", ok=False, sentence=sentence) for sentence in setting_errors(error))
        return
    yield _told("settings", ok=True, sentence=_describe(settings))
    yield _check_model(settings)
    yield _check_database(settings)
    yield _check_broker(settings)
    yield from _check_fhir(fhir)


def _describe(settings: ServiceSettings) -> str:
    """Return the choices that matter most."""
    worker = "worker inside" if settings.embedded else "worker apart"
    return f"{settings.public_url}, {worker}, answers within {settings.answer_within_s:g} s"


def _check_model(settings: ServiceSettings) -> Finding:
    """Load the checkpoint and ask the model about nobody."""
    where = f"on Triton at {settings.triton_url}" if settings.triton_url else "in this process"
    try:
        checkpoint = Checkpoint.load(settings.checkpoint)
        backend = open_backend(checkpoint, settings.triton_url, threads=settings.model_threads)
        try:
            answered = backend.healthy()
        finally:
            backend.close()
    except (CheckpointError, BackendError) as error:
        return _told("model", ok=False, sentence=str(error))
    sentence = f"{checkpoint.identity} {where}"
    return _told("model", ok=answered, sentence=sentence if answered else f"{sentence} gives no answer: see its log")


def _check_database(settings: ServiceSettings) -> Finding:
    """Open the database, which creates its tables when they are missing."""
    kind = settings.database.partition(":")[0]
    try:
        store = open_store(settings)
        try:
            store.database.create_tables()
        finally:
            store.close()
    except SchemaOutdated as error:
        return _told("database", ok=False, sentence=str(error))
    except (SQLAlchemyError, OSError, ValueError) as error:
        sentence = f"{kind} cannot be used ({type(error).__name__}): check CDS_DATABASE_URL and CDS_STATE_DIR"
        return _told("database", ok=False, sentence=sentence)
    return _told("database", ok=True, sentence=kind)


def _check_broker(settings: ServiceSettings) -> Finding:
    """Connect to the broker."""
    if settings.embedded:
        return _told("broker", ok=True, sentence="in memory, no server needed")
    queue = JobQueue(make_celery(settings, "doctor"))
    try:
        queue.check()
    except QueueDown as error:
        return _told("broker", ok=False, sentence=str(error))
    finally:
        queue.close()
    return _told("broker", ok=True, sentence="Redis answers")


def _check_fhir(fhir: FhirSettings) -> Iterator[Finding]:
    """Ask every allowed server what it is."""
    if not fhir.allowed_servers:
        yield _told("FHIR", ok=True, sentence="no server allowed (FHIR_ALLOWED_SERVERS): only prefetched data is used")
    for server in fhir.allowed_servers:
        yield _check_server(server)


def _check_server(server: HttpUrl) -> Finding:
    """Read the CapabilityStatement of a FHIR server, or a QIDO-RS answer of a DICOMweb server."""
    base = str(server).rstrip("/")
    for path, media, describe in _PROBES:
        try:
            response = httpx.get(f"{base}/{path}", headers={"Accept": media}, timeout=TIMEOUT_S)
            if response.is_success and (found := describe(response)):
                return _told("FHIR", ok=True, sentence=f"{base}: {found}")
        except httpx.HTTPError as error:
            return _told("FHIR", ok=False, sentence=f"{base} does not answer ({type(error).__name__})")
        except ValueError:
            continue
    # A server that asks for a token is there; the token comes with each hook.
    if response.status_code in (401, 403):
        return _told("FHIR", ok=True, sentence=f"{base} answers and asks for a token")
    return _told("FHIR", ok=False, sentence=f"{base} is neither FHIR nor DICOMweb (HTTP {response.status_code})")


def _fhir_version(response: httpx.Response) -> str:
    """Return the FHIR version that a CapabilityStatement names."""
    body = response.json()
    return f"FHIR {body['fhirVersion']}" if isinstance(body, dict) and "fhirVersion" in body else ""


_PROBES: Final[tuple[tuple[str, str, Callable[[httpx.Response], str]], ...]] = (
    ("metadata", FHIR_JSON, _fhir_version),
    ("studies?limit=1", "application/dicom+json", lambda response: "DICOMweb" if response.json() is not None else ""),
)
