"""The parts that a service is made of besides its settings; tests put others in their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from cds_hooks.pipeline import OpenPipeline, Pipeline
from cds_hooks.settings import ServiceSettings
from explain.attributes import SourceAttributes, read_attributes
from fhir_adapter.chart import Chart
from fhir_adapter.collect import collect_chart
from fhir_adapter.deadline import Deadline
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.settings import FhirSettings
from inference.checkpoint import Card, Checkpoint


class Collect(Protocol):
    """From prefetch and FHIR server to a chart; `fhir_adapter.collect.collect_chart` is one."""

    async def __call__(
        self,
        prefetch: Mapping[str, Any] | None,
        client: FhirClient | None,
        patient_id: str,
        deadline: Deadline,
        *,
        asked_at: datetime | None = None,
    ) -> Chart:
        """Collect the chart of one patient."""
        ...


NO_ATTRIBUTES: Final = SourceAttributes((), "No checkpoint was read.")


@dataclass(frozen=True, slots=True)
class Engine:
    """What answers.

    Attributes:
        card: model card of the checkpoint; its seal is part of every fingerprint.
        open_pipeline: opens the worker's half; called on the worker's loop.
        collect: the web's half.
        attributes: source attributes of the checkpoint, or why it has none.
    """

    card: Card
    open_pipeline: OpenPipeline
    collect: Collect = collect_chart
    attributes: SourceAttributes = NO_ATTRIBUTES


def open_engine(settings: ServiceSettings, fhir: FhirSettings) -> Engine:
    """Return the engine of the checkpoint that the settings name.

    The model itself is loaded by the worker; here only its card is read, and its files are checked.

    Raises:
        inference.checkpoint.CheckpointError: there is no usable checkpoint.
    """
    checkpoint = Checkpoint.load(settings.checkpoint)

    async def open_pipeline() -> Pipeline:
        from cds_hooks.mllm_pipeline import MllmPipeline  # noqa: PLC0415  # ONNX Runtime and pydicom are the worker's

        return await MllmPipeline.open(checkpoint, settings, fhir)

    attributes = read_attributes(checkpoint.folder, checkpoint.card)
    return Engine(checkpoint.card, open_pipeline, attributes=attributes)
