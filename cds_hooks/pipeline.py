"""What a worker does with a case: the interface, and the case as it is handed on.

The real one is `mllm_pipeline`. This module imports neither the model nor FHIR readers: the web process needs it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import orjson

from cds_hooks.judgement import Judgement
from explain.tested import Tested
from fhir_adapter.auth.grant import Grant
from fhir_adapter.chart import Chart
from fhir_adapter.deadline import Deadline


@dataclass(frozen=True, slots=True)
class Case:
    """One question about one patient.

    Attributes:
        patient_id: FHIR id.
        fhir_server: base URL of the client's server, or None where only prefetched data may be used.
        grant: what the hook granted there, None where it granted nothing.
        chart: what was collected, or None where the server was too slow for the hook: the worker collects then.
        prefetch: what the client sent along, needed only without a chart.
        asked_at: moment of the hook, with its time zone.
        own_access: True for a case that no hook asked about: the worker reads with this service's own access.
    """

    patient_id: str
    fhir_server: str | None
    grant: Grant | None
    chart: Chart | None
    prefetch: Mapping[str, Any] | None
    asked_at: datetime
    own_access: bool = False

    def to_json(self) -> bytes:
        """Return the case as JSON, token and all: seal it at once."""
        return orjson.dumps(
            {
                "patient_id": self.patient_id,
                "fhir_server": self.fhir_server,
                "grant": self.grant.to_content() if self.grant else None,
                "chart": orjson.Fragment(self.chart.to_json()) if self.chart else None,
                "prefetch": self.prefetch if self.chart is None else None,
                "asked_at": self.asked_at,
                "own_access": self.own_access,
            }
        )

    @classmethod
    def from_json(cls, data: bytes) -> Case:
        """Read what `to_json` wrote."""
        content = orjson.loads(data)
        chart, grant = content["chart"], content["grant"]
        return cls(
            content["patient_id"],
            content["fhir_server"],
            Grant.from_content(grant) if grant else None,
            Chart.from_json(orjson.dumps(chart)) if chart else None,
            content["prefetch"],
            datetime.fromisoformat(content["asked_at"]),
            content["own_access"],
        )


class Pipeline(Protocol):
    """From a case to its judgement; one for the life of a worker, on its event loop."""

    async def judge(self, case: Case, deadline: Deadline) -> Judgement:
        """Judge one case.

        Raises:
            fhir_adapter.errors.FhirError: there is no chart to judge.
            inference.backends.BackendError: the model gives no answer.
        """
        ...

    async def check(self, inputs: bytes, pause: Callable[[], None]) -> Tested:
        """Run the second tier of one result, in a thread of its own.

        Args:
            inputs: `Judgement.check` of that result.
            pause: to be called, in that thread, before every piece of work; it may wait, and ends the check by raising.

        Raises:
            inference.backends.BackendError: the graph cannot be run here.
            ValueError: the inputs are of another version.
        """
        ...

    async def healthy(self) -> bool:
        """Say whether the model answers now, by asking it."""
        ...

    async def close(self) -> None:
        """Give back what is held."""
        ...


OpenPipeline = Callable[[], Awaitable[Pipeline]]
