"""Which measurements a place takes, and how long ago: drawn before any value and without knowing the group.

Real orders depend on how ill a child looks. Here they do not, so that a model can learn nothing from what is missing.
"""

from __future__ import annotations

import math
from typing import Final, Literal

from inference.training.cohort.parameters import number, numbers, rows_under
from inference.training.cohort.stream import Stream

Places = Literal["published", "any"]
"""`published`: profiles of emergency departments and wards; `any`: also uniform shares, so that every mask occurs."""
PROFILES: Final = tuple(name for name in rows_under("profile") if name != "any")
VITALS: Final = ("temperature", "heart_rate", "respiratory_rate", "spo2")
DIFFERENTIAL: Final = ("neutrophils", "lymphocytes")
BLOOD_COUNT: Final = ("wbc", "haemoglobin", "platelets")
DEMOGRAPHICS: Final = ("age", "female")
LABORATORY: Final = ("crp", "procalcitonin", "sodium")
ALL: Final = (*DEMOGRAPHICS, *VITALS, *BLOOD_COUNT, *DIFFERENTIAL, *LABORATORY)


def draw_orders(stream: Stream, places: Places) -> set[str]:
    """Return the keys of what is measured, `age` and `female` included."""
    if places == "any" and stream.chance(number("profile.any")):
        return draw_any(stream)
    share = rows_under(f"order.{draw_profile(stream)}")
    ordered = {name for name in (*VITALS, *LABORATORY) if stream.chance(share[name][0])}
    ordered.update(DEMOGRAPHICS)
    if stream.chance(share["blood_count"][0]):
        ordered.update(BLOOD_COUNT)
        if stream.chance(number("order.detail.differential")):
            ordered.update(DIFFERENTIAL)
    return ordered


def draw_profile(stream: Stream) -> str:
    """Return the kind of place."""
    rest = stream.uniform()
    for name in PROFILES:
        rest -= number(f"profile.{name}")
        if rest < 0:
            return name
    return PROFILES[-1]


def draw_any(stream: Stream) -> set[str]:
    """Return each quantity with one share, drawn uniformly from nothing to everything."""
    share = stream.uniform()
    ordered = {name for name in ALL if stream.chance(share)}
    # Birth date and sex are known of almost every patient, whatever else was measured.
    ordered.difference_update(DEMOGRAPHICS)
    ordered.update(name for name in DEMOGRAPHICS if stream.chance(number("order.detail.demographics")))
    return ordered


def draw_hours(stream: Stream) -> dict[str, float]:
    """Return how many hours ago each quantity was taken: vital signs at one time, each blood sample at its own."""
    vitals = waited(stream, "vital")
    count = waited(stream, "laboratory")
    chemistry = count if stream.chance(number("hours.same_sample")) else waited(stream, "laboratory")
    return {
        **dict.fromkeys(DEMOGRAPHICS, 0.0),
        **dict.fromkeys(VITALS, vitals),
        **dict.fromkeys((*BLOOD_COUNT, *DIFFERENTIAL), count),
        **dict.fromkeys(LABORATORY, chemistry),
    }


def waited(stream: Stream, kind: Literal["vital", "laboratory"]) -> float:
    """Return hours: mostly short; now and then anything up to the limit, so that a model meets old values too."""
    mean, most = numbers(f"hours.{kind}")
    share = stream.uniform()
    hours = most * share if stream.chance(number("hours.any_time")) else -mean * math.log(1 - share)
    return round(min(hours, most), 1)
