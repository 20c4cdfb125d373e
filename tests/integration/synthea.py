"""The six Synthea patients of `../shared/data`: as they were written, and as a transaction with fixed ids."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson

Json = dict[str, Any]
FOLDER: Final = Path(__file__).parents[3] / "shared" / "data" / "fhir-r4-synthea"
NAMES: Final = ("1017080", "1101723", "1118937", "1232783", "1335712", "1485575")
CHILD: Final = "1232783"
CRP: Final = "1988-5"
"""Of all that these patients have, only an acute illness makes somebody measure it."""


def why_not() -> str:
    """Return why the records are not there, or an empty string."""
    missing = [name for name in NAMES if not (FOLDER / f"{name}.json").is_file()]
    return f"no Synthea records: {FOLDER} lacks {', '.join(missing)}" if missing else ""


@cache
def bundle(name: str) -> Json:
    """Return one patient's Bundle as Synthea wrote it: POSTs whose references are `urn:uuid`."""
    content: Json = orjson.loads((FOLDER / f"{name}.json").read_bytes())
    return content


def resources(name: str) -> list[Json]:
    """Return the resources of one patient."""
    return [entry["resource"] for entry in bundle(name)["entry"]]


def patient_id(name: str) -> str:
    """Return the id of the patient."""
    (found,) = [one["id"] for one in resources(name) if one["resourceType"] == "Patient"]
    return str(found)


def as_puts(name: str) -> Json:
    """Return the Bundle as a transaction that keeps every id, so that source and server can be compared by it."""
    entries = [
        {**entry, "request": {"method": "PUT", "url": f"{entry['resource']['resourceType']}/{entry['resource']['id']}"}}
        for entry in bundle(name)["entry"]
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def moment_of_illness(name: str) -> datetime:
    """Return an hour after the newest CRP: a moment at which somebody would open the chart of an acute illness."""
    dates = [
        datetime.fromisoformat(one["effectiveDateTime"])
        for one in resources(name)
        if one["resourceType"] == "Observation" and CRP in {coding["code"] for coding in one["code"]["coding"]}
    ]
    return max(dates) + timedelta(hours=1)
