"""Hook call -> Case: the chart collected while the hook waits, or left to the worker where the server is too slow."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cds_hooks.access import open_client, read_grant
from cds_hooks.fingerprint import fingerprint
from cds_hooks.log import get_logger
from cds_hooks.parts import Parts
from cds_hooks.pipeline import Case
from cds_hooks.protocol import HookRequest
from cds_hooks.refusals import refusal_of_chart
from cds_hooks.store.states import Question
from fhir_adapter.auth.grant import Grant
from fhir_adapter.chart import Chart
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import ChartUnavailable, FhirError
from fhir_adapter.record import GapReason
from fhir_adapter.rest.client import FhirClient

COLLECT_SHARE: Final = 0.8
"""Part of the budget that may go into fetching: the rest is for the model, or at least for saying that it runs."""
UNCHECKED_FOR: Final = timedelta(minutes=5)
"""How long a result may be reused whose inputs only the worker had the time to fetch: that they are still the same
cannot be told from the request."""
log = get_logger()


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook call on its way through."""

    request: HookRequest
    request_id: str
    asked_at: datetime
    deadline: Deadline

    @property
    def server(self) -> str | None:
        """Base address of the client's FHIR server."""
        return str(self.request.fhir_server).rstrip("/") if self.request.fhir_server else None

    @property
    def grant(self) -> Grant | None:
        """What it grants us there."""
        return read_grant(self.request.fhir_authorization, self.asked_at)


async def collect_case(parts: Parts, hook: Hook) -> Case:
    """Collect the chart and return the case.

    Raises:
        Refusal: the data are another patient's, cannot be had, or lie on a server that is not allowed.
    """
    began = time.perf_counter()
    try:
        client = open_client(parts.http, hook.server, hook.grant, parts.fhir)
        chart = await _chart(parts, hook, client)
    except FhirError as error:
        log.warning("chart_refused", error=type(error).__name__, duration_ms=since(began))
        raise refusal_of_chart(error) from None
    log.info("chart_collected" if chart else "chart_left_to_worker", duration_ms=since(began))
    return Case(
        patient_id=hook.request.context.patient_id,
        fhir_server=hook.server if client else None,
        grant=hook.grant if client else None,
        chart=chart,
        prefetch=hook.request.prefetch,
        asked_at=hook.asked_at,
    )


async def _chart(parts: Parts, hook: Hook, client: FhirClient | None) -> Chart | None:
    """Return the chart, or None when a part of it did not come in time."""
    deadline = Deadline.after(hook.deadline.remaining() * COLLECT_SHARE)
    request = hook.request
    try:
        chart = await parts.engine.collect(
            request.prefetch, client, request.context.patient_id, deadline, asked_at=hook.asked_at
        )
    except ChartUnavailable as error:
        if error.reason is GapReason.TIMEOUT:
            return None
        raise
    return None if any(gap.reason is GapReason.TIMEOUT for gap in chart.gaps) else chart


def question_of(parts: Parts, case: Case, patient: str) -> Question:
    """Return what the job of a case is about; `patient` is the keyed hash."""
    reusable_for = parts.settings.result_lifetime
    return Question(
        fingerprint(case, parts.engine.card.seal, parts.store.vault),
        patient,
        reusable_for if case.chart else min(UNCHECKED_FOR, reusable_for),
        case.to_json,
    )


def since(began: float) -> float:
    """Return the milliseconds since a reading of `time.perf_counter`."""
    return round((time.perf_counter() - began) * 1000, 1)
