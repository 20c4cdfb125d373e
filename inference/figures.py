"""One measured number, as every command that measures prints it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number.

    Attributes:
        name: dotted and stable; acceptance scripts read it.
        low: lower end of the 95 % interval, None where there is none.
        high: its upper end.
        n: number of observations behind it.
    """

    name: str
    value: float
    unit: str
    n: int
    low: float | None = None
    high: float | None = None
