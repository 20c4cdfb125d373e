"""The sample patients, through the whole pipeline -> how far their narratives can be traced."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx
from pydantic import HttpUrl

if TYPE_CHECKING:
    from cds_hooks.sandbox.hospital import Sandbox
    from explain.check.figures import Counts, NarrativeCase
    from explain.check.resources import Resource
    from explain.evidence import Explanation
    from explain.tested import Tested
    from fhir_adapter.record import PatientRecord
    from inference.backends import Backend
    from inference.checkpoint import Checkpoint
    from inference.contract import ModelInputs, ModelOutputs
    from inference.prediction import Prediction

    Answered = tuple[ModelInputs, ModelOutputs, Prediction, Explanation]
    LookAgain = Callable[[ModelInputs, ModelOutputs, Prediction, Explanation], Tested]

URL: Final = "http://sandbox.invalid"
"""Nothing listens there: the sandbox is called in process."""
LIMIT_S: Final = 600.0


def check_demo_narratives(
    checkpoint: Checkpoint, look_again: LookAgain | None = None, *, films: Path | None = None
) -> tuple[float, float, Counts]:
    """Return `claims_traced`, `tampering_found` and the counts behind them, over the sample patients.

    Args:
        checkpoint: judges them.
        look_again: the second tier, such as `explain.second` on this checkpoint; the claims that it leaves are then
            checked besides those that come with the answer.
        films: folder of their films; None for those that ship.

    Raises:
        FilmMissing: a film of the samples is not installed.
        BackendError: the checkpoint's graph cannot be run here.
    """
    from explain.check.figures import narrative_figures

    return narrative_figures(asyncio.run(explain_samples(checkpoint, look_again, films=films)))


async def explain_samples(
    checkpoint: Checkpoint, look_again: LookAgain | None = None, *, films: Path | None = None
) -> list[NarrativeCase]:
    """Return the sample patients, judged and explained, each with its chart; and once more after the second tier."""
    from starlette.applications import Starlette

    from cds_hooks.sandbox.films import FOLDER
    from cds_hooks.sandbox.hospital import Sandbox
    from inference.backends import open_backend

    now = datetime.now(UTC)
    sandbox = Sandbox.with_samples(URL, now=now, films=films or FOLDER)
    transport = httpx.ASGITransport(Starlette(routes=sandbox.routes()))
    backend = await asyncio.to_thread(open_backend, checkpoint, None, threads=1)
    try:
        async with httpx.AsyncClient(transport=transport) as http:
            ids = [patient["id"] for patient in sandbox.resources.all_of("Patient")]
            records = [await _record(http, sandbox, patient_id, now) for patient_id in ids]
        answered = [_answered(checkpoint, backend, record, now) for record in records]
    finally:
        backend.close()
    charts = [_chart_of(sandbox, patient_id) for patient_id in ids]
    pairs = zip(answered, charts, strict=True)
    return [case for answer, chart in pairs for case in _cases(answer, chart, look_again, now)]


async def _record(http: httpx.AsyncClient, sandbox: Sandbox, patient_id: str, now: datetime) -> PatientRecord:
    """Collect and read one chart, as a hook and its worker do."""
    from fhir_adapter.build import build_record
    from fhir_adapter.collect import collect_chart
    from fhir_adapter.deadline import Deadline
    from fhir_adapter.images.dicomweb import DicomWeb
    from fhir_adapter.rest.client import FhirClient
    from fhir_adapter.settings import FhirSettings

    settings, deadline = FhirSettings(allowed_servers=(HttpUrl(URL),)), Deadline.after(LIMIT_S)
    client = FhirClient(http, sandbox.fhir_url, None, settings)
    chart = await collect_chart(None, client, patient_id, deadline, asked_at=now)
    return await build_record(chart, client, DicomWeb(http, settings, client.base_url), now, deadline)


def _answered(checkpoint: Checkpoint, backend: Backend, record: PatientRecord, now: datetime) -> Answered:
    """Encode, predict and explain one record, as the pipeline does."""
    from explain.explainer import explain
    from inference.encode import Encoder
    from inference.predict import Predictor

    inputs = Encoder(checkpoint).encode(record, now)
    prediction, outputs = Predictor(checkpoint, backend).predict(inputs, record, now)
    return inputs, outputs, prediction, explain(record, inputs, outputs, prediction, checkpoint.card)


def _cases(answer: Answered, chart: Resource, look_again: LookAgain | None, now: datetime) -> Iterator[NarrativeCase]:
    """Yield a case as it was answered, and as the second tier leaves it; out of scope there is nothing to test."""
    from explain.check.figures import NarrativeCase
    from explain.settled import with_tested
    from inference.prediction import Verdict

    _, _, prediction, explanation = answer
    yield NarrativeCase(prediction, explanation, chart, now)
    if look_again is not None and prediction.verdict is not Verdict.OUT_OF_SCOPE:
        tested = look_again(*answer)
        retold = with_tested(prediction, explanation, tested)
        yield NarrativeCase(prediction, retold, chart, now)


def _chart_of(sandbox: Sandbox, patient_id: str) -> Resource:
    """Return a Bundle of everything the sandbox holds of a patient, with its versions."""
    owner = {"reference": f"Patient/{patient_id}"}
    held = [sandbox.resources.read("Patient", patient_id)]
    for kind in ("Observation", "DocumentReference", "ImagingStudy"):
        held += [one for one in sandbox.resources.all_of(kind) if one.get("subject") == owner]
    held += [one for one in sandbox.resources.all_of("Binary") if one.get("securityContext") == owner]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in held]}
