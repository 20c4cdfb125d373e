"""The six Synthea patients of `../shared/data`, moved in time so that their pneumonia is current.

They fell ill in 2020, and a token that was granted then would be over. All dates of a patient, that of birth too, are
moved by the same number of whole days; nothing else changes.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson

Json = dict[str, Any]
FOLDER: Final = Path(__file__).parents[3] / "shared" / "data" / "fhir-r4-synthea"
NAMES: Final = ("1017080", "1101723", "1118937", "1232783", "1335712", "1485575")
CRP: Final = "1988-5"
"""Of all that these patients have, only an acute illness makes somebody measure it."""


def why_not() -> str:
    """Return why the records are not there, or an empty string."""
    missing = [name for name in NAMES if not (FOLDER / f"{name}.json").is_file()]
    return f"no Synthea records: {FOLDER} lacks {', '.join(missing)}" if missing else ""


_DAY: Final = re.compile(r'(?<=")(\d{4}-\d\d-\d\d)(?=T\d\d:|")')
"""The day in a string that is a date, dateTime or instant, and in none that only holds one."""


@cache
def bundle(name: str, now: datetime) -> Json:
    """Return one patient's Bundle with the newest CRP less than a day before `now`.

    Its form is as Synthea wrote it: POSTs whose references are `urn:uuid`.
    """
    text = (FOLDER / f"{name}.json").read_text()
    days = (now - _newest_crp(orjson.loads(text))).days
    moved: Json = orjson.loads(moved_by(text, days))
    return moved


def moved_by(text: str, days: int) -> str:
    """Return JSON with every date moved."""
    by = timedelta(days=days)
    return _DAY.sub(lambda found: (date.fromisoformat(found[1]) + by).isoformat(), text)


def resources(name: str, now: datetime) -> list[Json]:
    """Return the resources of one patient."""
    return [entry["resource"] for entry in bundle(name, now)["entry"]]


@cache
def patient_id(name: str) -> str:
    """Return the id of the patient."""
    entries = orjson.loads((FOLDER / f"{name}.json").read_bytes())["entry"]
    (found,) = [one["resource"]["id"] for one in entries if one["resource"]["resourceType"] == "Patient"]
    return str(found)


def as_puts(name: str, now: datetime) -> Json:
    """Return the Bundle as a transaction that keeps every id, so that source and server can be compared by it."""
    entries = [
        {**entry, "request": {"method": "PUT", "url": f"{entry['resource']['resourceType']}/{entry['resource']['id']}"}}
        for entry in bundle(name, now)["entry"]
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _newest_crp(content: Json) -> datetime:
    found = [entry["resource"] for entry in content["entry"] if entry["resource"]["resourceType"] == "Observation"]
    return max(
        datetime.fromisoformat(one["effectiveDateTime"])
        for one in found
        if CRP in {coding["code"] for coding in one["code"]["coding"]}
    )
