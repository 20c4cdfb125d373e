"""The real pipeline: chart -> record -> M-LLM -> explanation."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Self

import httpx

from cds_hooks.access import open_client
from cds_hooks.judgement import Judgement
from cds_hooks.pipeline import Case
from cds_hooks.second_look import SecondLook, step_back
from cds_hooks.settings import ServiceSettings
from explain.evidence import Explanation
from explain.explainer import explain
from explain.image import draw_films
from explain.second import check_inputs
from explain.tested import Tested
from fhir_adapter.build import build_record
from fhir_adapter.collect import collect_chart
from fhir_adapter.deadline import Deadline
from fhir_adapter.gaps import TRANSIENT
from fhir_adapter.images.dicomweb import DicomWeb
from fhir_adapter.record import PatientRecord
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.transport import open_http
from fhir_adapter.settings import FhirSettings
from inference.backends import Backend, open_backend
from inference.checkpoint import Checkpoint
from inference.contract import ModelInputs, ModelOutputs
from inference.encode import Encoder
from inference.predict import Predictor
from inference.prediction import Prediction, Verdict


class MllmPipeline:
    """One checkpoint on one backend, with the HTTP connections of a worker; see `pipeline.Pipeline`."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        backend: Backend,
        http: httpx.AsyncClient,
        fhir: FhirSettings,
        settings: ServiceSettings,
    ) -> None:
        self._checkpoint = checkpoint
        self._backend = backend
        self._http = http
        self._fhir = fhir
        self._encoder = Encoder(checkpoint)
        self._predictor = Predictor(checkpoint, backend)
        self._checks = settings.checks
        self._second = SecondLook(checkpoint)
        self._compute = ThreadPoolExecutor(settings.worker_threads, thread_name_prefix="model")
        self._drawing = ThreadPoolExecutor(settings.worker_threads, thread_name_prefix="drawing")
        # Apart, so that no answer waits for a check, nor one check for another half done.
        self._checking = ThreadPoolExecutor(1, thread_name_prefix="check", initializer=step_back)

    @classmethod
    async def open(cls, checkpoint: Checkpoint, settings: ServiceSettings, fhir: FhirSettings) -> Self:
        """Load the graph, or connect to Triton; must be called on the loop that will judge.

        Raises:
            BackendError: there is no usable model.
        """
        backend = await asyncio.to_thread(open_backend, checkpoint, settings.triton_url, threads=settings.model_threads)
        await asyncio.to_thread(_warm_up)
        return cls(checkpoint, backend, open_http(fhir), fhir, settings)

    async def judge(self, case: Case, deadline: Deadline) -> Judgement:
        """Judge one case.

        Raises:
            FhirError: there is no chart to judge.
            BackendError: the model gives no answer.
        """
        began = time.perf_counter()
        client = open_client(self._http, case.fhir_server, case.grant, self._fhir, own=case.own_access)
        record = await self._record(case, client, deadline)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._compute, self._conclude, case, record, began)

    async def _record(self, case: Case, client: FhirClient | None, deadline: Deadline) -> PatientRecord:
        chart = case.chart
        if chart is None:
            chart = await collect_chart(case.prefetch, client, case.patient_id, deadline, asked_at=case.asked_at)
        base, access = (client.base_url, client.access) if client else ("", None)
        dicomweb = DicomWeb(self._http, self._fhir, base, access)
        return await build_record(chart, client, dicomweb, case.asked_at, deadline)

    def _conclude(self, case: Case, record: PatientRecord, began: float) -> Judgement:
        from cds_hooks.suggestion import draft_condition  # noqa: PLC0415  # see _warm_up

        inputs = self._encoder.encode(record, case.asked_at)
        # Beside the model, not behind it: most of drawing is compressing, which leaves Python to others.
        pictures = self._drawing.submit(draw_films, inputs.film, record.prior)
        asked = time.perf_counter()
        prediction, outputs = self._predictor.predict(inputs, record, case.asked_at)
        answered = time.perf_counter()
        explanation = explain(record, inputs, outputs, prediction, self._checkpoint.card, pictures.result())
        draft = draft_condition(prediction, explanation, case.patient_id, case.asked_at)
        return Judgement(
            prediction,
            explanation,
            draft,
            model_ms=1000 * (answered - asked),
            job_ms=1000 * (time.perf_counter() - began),
            check=self._for_check(inputs, outputs, prediction, explanation),
            lasting=not any(gap.reason in TRANSIENT for gap in inputs.gaps),
        )

    def _for_check(
        self, inputs: ModelInputs, outputs: ModelOutputs, prediction: Prediction, explanation: Explanation
    ) -> bytes | None:
        """Return what the second tier needs; out of scope there is no answer to check."""
        if not self._checks or prediction.verdict is Verdict.OUT_OF_SCOPE:
            return None
        return check_inputs(inputs, outputs, prediction, explanation).to_bytes()

    async def check(self, inputs: bytes, pause: Callable[[], None]) -> Tested:
        """Run the second tier of one result, see `pipeline.Pipeline.check`.

        Raises:
            BackendError: the graph cannot be run here.
            ValueError: the inputs are of another version or checkpoint.
        """
        return await asyncio.get_running_loop().run_in_executor(self._checking, self._second.check, inputs, pause)

    async def healthy(self) -> bool:
        """Say whether the model answers now, by asking it about nobody."""
        return await asyncio.to_thread(self._backend.healthy)

    async def close(self) -> None:
        """Give back connections, threads and the model."""
        await self._http.aclose()
        for pool in (self._compute, self._drawing, self._checking):
            pool.shutdown(wait=False, cancel_futures=True)
        self._backend.close()


def _warm_up() -> None:
    """Import what is slow to import, before somebody waits for it."""
    import cds_hooks.suggestion  # noqa: F401, PLC0415
    import fhir_adapter.images.dicom  # noqa: F401, PLC0415
