"""Whatever a client sends: an answer or a refusal, and never a number that the chart does not hold."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from math import isclose
from typing import Any

import orjson
from hypothesis import event, given

from fhir_adapter.build import build_record
from fhir_adapter.chart import Chart
from fhir_adapter.collect import collect_chart
from fhir_adapter.errors import FhirError
from fhir_adapter.measurements.observations import read_measurements
from fhir_adapter.measurements.quantities import QUANTITY_OF_KEY, QUANTITY_OF_LOINC
from fhir_adapter.record import Measurement, PatientRecord
from fhir_adapter.references import content_digest
from tests.fhir_adapter.builders import ASKED_AT, LOINC, PATIENT_ID, FakeFhir, Json, client_of, soon
from tests.fhir_adapter.properties.oracle import convert, unit_of
from tests.fhir_adapter.properties.profiles import PROFILE
from tests.fhir_adapter.properties.strategies import OWN, prefetches


def as_sent(value: Any) -> Any:
    """The value as it arrives: as JSON, read by the library that reads requests."""
    return orjson.loads(json.dumps(value))


async def read(prefetch: Json) -> tuple[Chart, PatientRecord] | None:
    """The record of a prefetch, its chart stored in between as the service does, or None where it was refused.

    The server has nothing more; it is there for its address, without which `Patient/1` of any server would be ours.
    """
    try:
        found = await collect_chart(prefetch, client_of(FakeFhir({})), PATIENT_ID, soon(), asked_at=ASKED_AT)
    except FhirError:
        return None
    chart = Chart.from_json(found.to_json())
    return chart, await build_record(chart, None, None, ASKED_AT, soon())


def objects(value: Any) -> Iterator[Json]:
    """Every object in a JSON value."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(inner)


def loinc_of(content: Json) -> set[str]:
    code = content.get("code")
    codings = code.get("coding") if isinstance(code, dict) else None
    found = codings if isinstance(codings, list) else []
    return {str(each.get("code")).strip() for each in found if isinstance(each, dict) and each.get("system") == LOINC}


def is_source(resource: Json, measurement: Measurement) -> bool:
    meta = resource.get("meta")
    version = meta.get("versionId") if isinstance(meta, dict) else None
    cited, _, own_id = measurement.source.reference.partition("/")
    own = resource.get("id")
    named = (own.strip() if isinstance(own, str) else "") or content_digest(resource)[:16]
    return (
        cited == resource.get("resourceType")
        and own_id == named
        and (measurement.source.version in (str(version).strip(), content_digest(resource)))
    )


def holds(resource: Json, found: Measurement) -> bool:
    """Whether some element of the resource has the code, and a Quantity that converts to the value."""
    for content in objects(resource):
        quantity = content.get("valueQuantity")
        if not isinstance(quantity, dict) or not loinc_of(content) & set(QUANTITY_OF_KEY[found.key].loinc):
            continue
        number = quantity.get("value")
        if isinstance(number, (int, float)) and not isinstance(number, bool):
            right = convert(float(number), unit_of(quantity), found.unit, found.key)
            if right is not None and isclose(right, found.value, rel_tol=1e-5, abs_tol=1e-9):
                return True
    return False


def wrong_about(found: Measurement, chart: Chart) -> Iterator[str]:
    """What is wrong with a measurement, against the resource that it cites."""
    row = QUANTITY_OF_KEY[found.key]
    sources = [one for one in chart.observations if is_source(one, found)]
    if not any(subject_of(one) in OWN for one in sources):
        yield f"{found} is not of a resource of this patient"
    if not any(holds(one, found) for one in sources):
        yield f"{found} is not what its resource holds"
    if found.unit != row.unit or not row.plausible[0] <= found.value <= row.plausible[1]:
        yield f"{found} is not possible in the unit of its row"
    if found.taken_at.utcoffset() is None or found.taken_at > ASKED_AT + timedelta(hours=24):
        yield f"{found} has no sound moment"


@PROFILE
@given(prefetches())
def test_a_record_holds_only_what_the_chart_holds(sent: Json) -> None:
    """Any prefetch is refused or read, and each value read is one of this patient, in the right unit, and possible."""
    answer = asyncio.run(read(as_sent(sent)))
    chart, measurements = (answer[0], answer[1].measurements) if answer else (None, ())
    event("refused" if answer is None else "with measurements" if measurements else "without measurements")

    assert [wrong for found in measurements if chart for wrong in wrong_about(found, chart)] == []


@PROFILE
@given(prefetches())
def test_nothing_of_somebody_else_is_read(sent: Json) -> None:
    """One resource that names another patient, or none, and the whole prefetch is refused."""
    prefetch = as_sent(sent)
    foreign = [one for one in vitals_of(prefetch) if subject_of(one) not in {*OWN, f"urn:uuid:{PATIENT_ID}"}]

    assert not foreign or asyncio.run(read(prefetch)) is None


@PROFILE
@given(prefetches())
def test_nothing_vanishes(sent: Json) -> None:
    """Every quantity that a chart speaks of is measured or named in a gap, unless it was withdrawn."""
    answer = asyncio.run(read(as_sent(sent)))
    if answer is None:
        return
    chart, record = answer
    told = {found.key for found in record.measurements}
    items = {gap.item for gap in record.gaps}

    for one in chart.observations:
        rows = {QUANTITY_OF_LOINC[code].key for code in loinc_of(one) & QUANTITY_OF_LOINC.keys()}
        status = one.get("status")
        spoken_of = len(rows) == 1 and status not in ("entered-in-error", "cancelled") and not one.get("focus")
        if spoken_of and not {"component", "hasMember"} & one.keys() and not superseded(one, chart):
            [key] = rows
            assert key in told or QUANTITY_OF_KEY[key].name in items


def vitals_of(prefetch: Json) -> list[Json]:
    """The resources that were sent as vital signs."""
    vitals = prefetch["vitals"]
    entries = vitals.get("entry") if isinstance(vitals, dict) else None
    return [entry["resource"] for entry in entries or []]


def subject_of(resource: Json) -> str:
    subject = resource.get("subject")
    reference = subject.get("reference") if isinstance(subject, dict) else None
    return reference.strip() if isinstance(reference, str) else ""


def superseded(resource: Json, chart: Chart) -> bool:
    """Whether the chart holds another version of it."""
    same = [one for one in chart.observations if str(one.get("id")).strip() == str(resource.get("id")).strip()]
    return len(same) > 1


@PROFILE
@given(prefetches())
def test_order_of_the_server_does_not_matter(sent: Json) -> None:
    """The same Observations in another order make the same measurements and the same gaps."""
    given = {str(one.get("id")): one for one in vitals_of(as_sent(sent))}.values()
    there, back = (read_measurements(list(order), ASKED_AT) for order in (given, reversed(given)))

    assert {*there[0]} == {*back[0]}
    assert {*there[1]} == {*back[1]}
