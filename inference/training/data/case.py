"""What stands around one radiograph: measurements with their age, and a note. It does not know where they come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """The chart around one radiograph at the moment of the question, simulated or recorded.

    Attributes:
        values: by key of `fhir_adapter.measurements.quantities`, plus `age` in months and `female` as 0 or 1;
            what was not measured is not in it. Values under an assay's limit are that limit.
        hours: by the same keys, hours between the measurement and the question; 0 for demographics.
        note: the text, or None where nobody wrote one.
    """

    values: dict[str, float]
    hours: dict[str, float]
    note: str | None
