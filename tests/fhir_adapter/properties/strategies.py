"""Charts as a client may send them: valid resources, and the same with anything in them broken."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import orjson
from hypothesis import strategies as st

from fhir_adapter.measurements.quantities import QUANTITY_OF_LOINC
from tests.fhir_adapter.builders import (
    DATA,
    PATIENT_ID,
    SERVER,
    UCUM,
    Json,
    bundle,
    concept,
    document,
    endpoint,
    observation,
    patient,
    study,
)

CODES: Final = sorted(QUANTITY_OF_LOINC)
PANELS: Final = ("85354-9", "58410-2", "24323-8", "99999-9")
UNITS: Final = (
    "mg/L", "mg/dL", "g/L", "g/dL", "ug/L", "ug/mL", "ng/mL", "ng/L", "pg/mL", "mmol/L", "umol/L", "nmol/L", "pmol/L",
    "meq/L", "10*9/L", "10*3/uL", "10*6/uL", "/uL", "Cel", "[degF]", "K", "/min", "Hz", "%", "1", "L/L", "mm[Hg]",
    "kPa", "kg", "g", "[lb_av]", "cm", "m", "[in_i]", "L/min", "mL/min", "U/L", "[iU]/L", "[pH]", "K/uL", "k/ul",
    "x10E3/uL", "10^9/L", "G/L", "cells/uL", "°F", "°C", "bpm", "breaths/min", "mmHg", "mEq/L", "lbs", "inches",
    "MG/DL", "mcg/L", "µmol/L", "IU/L", "pH", "ug/mL{FEU}", "ng/mL{DDU}", "%{saturation}", "{beats}/min", "", " ",
    "furlong", "((", "10*999999/L",
)  # fmt: skip
NUMBERS: Final = (
    0,
    1,
    -1,
    0.4,
    5,
    7.4,
    38.5,
    48,
    97,
    120,
    1e9,
    1e300,
    -1e300,
    5e-324,
    2**63,
    True,
    "48",
    "<5",
    None,
    [48],
)
STATUSES: Final = (
    "final", "corrected", "amended", "preliminary", "registered", "cancelled", "entered-in-error", "unknown", "?",
)  # fmt: skip
MOMENTS: Final = (
    "2026-11-24T08:00:00Z", "2026-11-24T08:00:00Z", "2026-11-24T10:00:00+02:00", "2026-11-23T24:00:00Z", "2026-11-24",
    "2026-11", "2016-12-31T23:59:60Z", "2026-11-26T12:00:00Z", "9999-12-31T23:59:59-14:00", "2026-02-30", "soon", "",
    None,
)  # fmt: skip
FOREIGN: Final = (
    "Patient/other", f"Patient/{PATIENT_ID}x", "https://elsewhere.example.org/fhir/Patient/" + PATIENT_ID,
    f"Group/{PATIENT_ID}", f"Practitioner/{PATIENT_ID}", "urn:uuid:0", f"#{PATIENT_ID}", f"patient/{PATIENT_ID}", "",
)  # fmt: skip
OWN: Final = (f"Patient/{PATIENT_ID}", f"{SERVER}/Patient/{PATIENT_ID}", f"Patient/{PATIENT_ID}/_history/3")


def nested(depth: int) -> Any:
    """A value as deep as no chart is."""
    value: Any = "deep"
    for place in range(depth):
        value = {"extension": [value]} if place % 2 else [value]
    return value


JUNK: Final[st.SearchStrategy[Any]] = st.one_of(
    st.sampled_from(
        [None, True, False, 0, -1, 2**53, 1e308, "", " ", "48", "\u202e48", "𝟜𝟠", "\x00", [], {}, [[]], [None]]
    ),
    st.sampled_from([*MOMENTS, *UNITS, *FOREIGN, *STATUSES]),
    st.text(max_size=12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.builds(nested, st.integers(1, 100)),
)


def usually(often: st.SearchStrategy[Any], seldom: st.SearchStrategy[Any], times: int) -> st.SearchStrategy[Any]:
    """Draw from the first `times` times for each time from the second."""
    return st.sampled_from([*(often,) * times, seldom]).flatmap(lambda chosen: chosen)


def one_in(number: int) -> st.SearchStrategy[bool]:
    """Draw True once in so many times."""
    return st.sampled_from([*(False,) * (number - 1), True])


@st.composite
def quantities(draw: st.DrawFn, code: str) -> Json:
    """A Quantity: mostly a possible value in the unit of its row, or in any other one."""
    row = QUANTITY_OF_LOINC.get(code)
    unit = draw(usually(st.just(row.unit if row else "mg/L"), st.sampled_from(UNITS), 4))
    low, high = row.plausible if row else (0.0, 100.0)
    possible = st.floats(low, high).map(lambda number: round(number, 3))
    value = draw(usually(possible, st.sampled_from(NUMBERS), 8))
    changes: list[Json] = [{"system": None}, {"code": None}, {"comparator": "<"}, {"comparator": "ad"}]
    change = draw(usually(st.just({}), st.sampled_from(changes), 5))
    return {"value": value, "unit": unit, "system": UCUM, "code": unit, **change}


@st.composite
def contents(draw: st.DrawFn) -> Json:
    """Code and value of an Observation or a component."""
    code = draw(usually(st.sampled_from(CODES), st.sampled_from(PANELS), 9))
    forms = ("valueString", "valueRange", "valueInteger", "dataAbsentReason", "")
    kind = draw(usually(st.just("valueQuantity"), st.sampled_from(forms), 9))
    value: Any = draw(quantities(code))
    if kind == "dataAbsentReason":
        value = concept("not-performed")
    elif kind in ("valueString", "valueInteger"):
        value = value["value"]
    codes = draw(usually(st.just((code,)), st.sampled_from([("local", code), (code, CODES[0])]), 9))
    return {"code": concept(*codes), **({kind: value} if kind else {})}


@st.composite
def observations(draw: st.DrawFn, depth: int = 1) -> Json:
    """An Observation, perhaps with components and with members inside of it."""
    names = st.sampled_from(["a", "b", "c", "d", None])
    version = draw(st.sampled_from([{"versionId": "1"}, {"versionId": "2", "lastUpdated": "2026-11-24T09:00:00Z"}, {}]))
    whole = observation(
        id=draw(names),
        meta=version,
        status=draw(usually(st.just("final"), st.sampled_from(STATUSES), 5)),
        effectiveDateTime=draw(usually(st.just(MOMENTS[0]), st.sampled_from(MOMENTS), 4)),
        issued=draw(st.sampled_from(MOMENTS)),
        subject={"reference": draw(st.sampled_from(OWN))},
    )
    del whole["valueQuantity"]
    whole |= draw(contents())
    if draw(one_in(4)):
        whole["component"] = draw(st.lists(contents(), max_size=3))
    if depth and draw(one_in(4)):
        whole["contained"] = draw(st.lists(observations(depth=depth - 1), max_size=2))
        whole[draw(st.sampled_from(["hasMember", "derivedFrom"]))] = [{"reference": f"#{name}"} for name in "abcd"]
    if draw(one_in(12)):
        whole["focus"] = [{"reference": "Patient/donor"}]
    return whole


@cache
def synthea() -> tuple[Json, ...]:
    """Observations of a synthetic chart, ours by their subject; none where the data are not here."""
    path = DATA / "fhir-r4-synthea" / "1232783.json"
    entries = orjson.loads(path.read_bytes())["entry"] if path.is_file() else []
    found = [entry["resource"] for entry in entries if entry["resource"]["resourceType"] == "Observation"]
    subject = {"reference": f"Patient/{PATIENT_ID}"}
    return tuple({**each, "subject": subject, "effectiveDateTime": MOMENTS[0]} for each in found[::7])


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value, the whole left out."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*at, key)
        if len(at) < 12:
            yield from paths(inner, (*at, key))


@st.composite
def mutated(draw: st.DrawFn, resource: Json) -> Json:
    """The resource with up to four places dropped, retyped, wrapped or overwritten.

    What says whose it is stays most of the time: one broken subject refuses everything that was sent with it.
    """
    whole = copy.deepcopy(resource)
    spared = draw(usually(st.just({"subject", "resourceType", "id"}), st.just(set[str]()), 19))
    for _ in range(draw(usually(st.integers(0, 1), st.integers(2, 4), 3))):
        places = [place for place in paths(whole) if place[0] not in spared]
        if not places:
            break
        *way, last = places[draw(st.integers(0, len(places) - 1))]
        parent: Any = whole
        for key in way:
            parent = parent[key]
        change = draw(st.sampled_from(["drop", "junk", "junk", "wrap", "text"]))
        if change == "drop":
            del parent[last]
        elif change == "junk":
            # A copy, as the next change may be inside of it.
            parent[last] = copy.deepcopy(draw(JUNK))
        else:
            parent[last] = [parent[last]] if change == "wrap" else str(parent[last])[:200]
    return whole


@st.composite
def resources(draw: st.DrawFn) -> Json:
    """A resource of any kind that the adapter reads, whole or broken."""
    kinds = [*(observations(),) * 8, st.just(document()), st.just(study()), st.just(endpoint())]
    if synthea():
        kinds.append(st.sampled_from(synthea()))
    return draw(mutated(draw(st.one_of(kinds))))


@st.composite
def prefetches(draw: st.DrawFn) -> Json:
    """A prefetch; now and then with a resource of somebody else, or with a part that is no Bundle."""
    found = draw(st.lists(resources(), min_size=1, max_size=6))
    for each in found:
        if draw(one_in(60)):
            each["subject"] = {"reference": draw(st.sampled_from(FOREIGN))}
    by_type = {"vitals": "Observation", "notes": "DocumentReference", "imaging": "ImagingStudy"}
    parts = {key: bundle(*(one for one in found if one.get("resourceType") == kind)) for key, kind in by_type.items()}
    others = [one for one in found if one.get("resourceType") not in by_type.values()]
    whole: Json = {
        "patient": draw(usually(st.just(patient()), mutated(patient()), 9)),
        "labs": bundle(*others),
        "reports": None,
        **parts,
    }
    if draw(one_in(20)):
        whole[draw(st.sampled_from(sorted(whole)))] = draw(JUNK)
    return whole
