"""`parameters.toml` -> rows by name; knows nothing of what the numbers are used for."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal, get_args

Mark = Literal["sourced", "derived", "assumed"]
MARKS: Final[tuple[Mark, ...]] = get_args(Mark)
Label = Literal["normal", "bacterial", "viral"]
Group = Literal["bacterial", "viral", "cough", "check"]
GROUPS: Final[tuple[Group, ...]] = get_args(Group)
"""Order of the four values of a row; `cough` and `check` are the two kinds of children without pneumonia."""


class ParameterError(ValueError):
    """A row of the parameter table that must not be used; the message names the row and the remedy."""


@dataclass(frozen=True, slots=True)
class Row:
    """One published, derived or assumed parameter.

    Attributes:
        value: the numbers, in the order that the comment of the table states.
        unit: UCUM unit; `1` for a share or a ratio.
        mark: whether the number stands in a source, follows from one, or has none.
        sources: keys of `sources.toml`.
    """

    value: tuple[float, ...]
    unit: str
    mark: Mark
    sources: tuple[str, ...]


def read_toml(name: str) -> dict[str, Any]:
    """Read one of the tables that lie beside this module."""
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))


def walk(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the dotted name and content of every innermost table: the rows."""
    inner = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    if path and not inner:
        yield path, table
    for key, value in inner.items():
        yield from walk(value, f"{path}.{key}" if path else key)


def read_row(name: str, content: Mapping[str, Any]) -> Row:
    """Check one row.

    Raises:
        ParameterError: the value, unit or mark is missing, or a source is claimed but not named.
    """
    value, mark = content.get("value"), next((mark for mark in MARKS if mark == content.get("mark")), None)
    if value is None or mark is None or not content.get("unit"):
        raise ParameterError(f"row {name} needs value, unit and a mark of {', '.join(MARKS)}: complete it")
    sources = tuple(content.get("from", ()))
    if mark != "assumed" and not sources:
        raise ParameterError(f"row {name} is marked {mark} but names no source: name it, or mark the row assumed")
    numbers = value if isinstance(value, list) else [value]
    return Row(tuple(float(number) for number in numbers), content["unit"], mark, sources)


ROWS: Final[Mapping[str, Row]] = {name: read_row(name, row) for name, row in walk(read_toml("parameters.toml"))}
SOURCES: Final[Mapping[str, str]] = read_toml("sources.toml")


def numbers(name: str) -> tuple[float, ...]:
    """Return the values of a row."""
    return ROWS[name].value


def number(name: str) -> float:
    """Return the value of a row that holds one."""
    (value,) = ROWS[name].value
    return value


def by_group(name: str) -> dict[Group, float]:
    """Return the values of a row that holds one for each of `GROUPS`."""
    return dict(zip(GROUPS, ROWS[name].value, strict=True))


@cache
def rows_under(prefix: str) -> Mapping[str, tuple[float, ...]]:
    """Return the values of all rows of a table, by what follows the table's name."""
    return {name.removeprefix(f"{prefix}."): row.value for name, row in ROWS.items() if name.startswith(f"{prefix}.")}
