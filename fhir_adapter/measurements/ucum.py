"""Two UCUM units -> the straight line between them, by ucumvert and pint.

Importing this module builds the unit registry and takes about 0.4 s, which is why `units` imports it only for units
that its own table lacks.
"""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any, Final

import pint
import ucumvert
from lark.exceptions import LarkError

_NOT_CONVERTIBLE: Final = (
    ucumvert.InvalidUcumError,
    LarkError,
    pint.PintError,
    ArithmeticError,
    AttributeError,
    TypeError,
    ValueError,
    RecursionError,
)
"""What the two libraries raise for text that is no unit, or for units of different kinds."""

_LOCK: Final = threading.Lock()
_REGISTRY: Final[pint.UnitRegistry[Any]] = pint.UnitRegistry()
# ucumvert's own registry class builds a second registry beside itself; this is the half that is needed.
_REGISTRY.load_definitions(Path(ucumvert.__file__).with_name("pint_ucum_defs.txt"))
_PARSER: Final = ucumvert.get_ucum_parser()
_TRANSFORMER: Final = ucumvert.UcumToPintTransformer(ureg=_REGISTRY)


def line_between(unit: str, target: str) -> tuple[float, float] | None:
    """Return (factor, offset) with `value in target = factor * value + offset`, or None.

    None for text that is no UCUM unit, for units of different dimensions and for scales that are no straight line
    (logarithmic ones, such as pH).
    """
    try:
        # Neither library promises to be thread-safe.
        with _LOCK:
            zero, one, two = (_convert(number, unit, target) for number in (0.0, 1.0, 2.0))
    except _NOT_CONVERTIBLE:
        return None
    factor = one - zero
    straight = math.isclose(two - one, factor, rel_tol=1e-9)
    return (factor, zero) if straight and math.isfinite(zero) and 0 < factor < math.inf else None


def _convert(value: float, unit: str, target: str) -> float:
    given, wanted = _parse(unit), _parse(target)
    converted = _REGISTRY.Quantity(value * given.magnitude, given.units).to(wanted.units)
    return float(converted.magnitude) / float(wanted.magnitude)


def _parse(unit: str) -> Any:  # noqa: ANN401 - ucumvert is not typed
    return _TRANSFORMER.transform(ucumvert.parse_ucum(unit, _PARSER))
