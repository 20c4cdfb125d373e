"""The first sample patient many times over, each with an id, numbers and a film of its own: nothing is cached."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from pydicom import Dataset

from cds_hooks.sandbox.cases import Case, Reading, load_cases
from cds_hooks.sandbox.films import FOLDER
from cds_hooks.sandbox.patients import Samples, build_samples


def bench_id(number: int) -> str:
    """Return the id of a patient of the benchmark."""
    return f"bench-{number:04d}"


def bench_patients(count: int, dicomweb: str, *, films: Path = FOLDER) -> Samples:
    """Build so many patients; arguments and errors as for `sample_patients`."""
    original = load_cases()[0]
    now = datetime.now(UTC)
    made = [build_samples([_copy(original, number)], now, dicomweb, films=films) for number in range(count)]
    entries = [entry for samples in made for entry in samples.bundle["entry"]]
    instances = [instance for samples in made for instance in samples.instances]
    for number, instance in enumerate(instances):
        _add_noise(instance, number)
    return Samples({"resourceType": "Bundle", "type": "transaction", "entry": entries}, tuple(instances))


def _copy(case: Case, number: int) -> Case:
    """Return a case with its own id and slightly other numbers."""
    readings = tuple(_shifted(reading, number) for reading in case.readings)
    return case.model_copy(update={"id": bench_id(number), "readings": readings, "prior": None})


def _shifted(reading: Reading, number: int) -> Reading:
    """Return a reading that differs by up to half a percent."""
    return reading.model_copy(update={"value": round(reading.value * (1 - number % 50 / 10_000), 3)})


def _add_noise(instance: Dataset, number: int) -> None:
    """Change every grey value by at most one."""
    pixels = instance.pixel_array.astype(np.int16)
    pixels += np.random.default_rng(number).integers(-1, 2, pixels.shape, dtype=np.int16)
    instance.PixelData = pixels.clip(0, 255).astype(np.uint8).tobytes() + b"\0" * (pixels.size % 2)
