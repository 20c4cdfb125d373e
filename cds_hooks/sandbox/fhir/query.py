"""Search parameters -> a search taken apart (FHIR R4 search); strict: what it does not know is refused.

It does not look at resources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cds_hooks.sandbox.fhir.dates import Comparison, comparison_of
from cds_hooks.sandbox.fhir.parameters import Parameter, includes_of, parameters_of
from cds_hooks.sandbox.resources import without_version

Pairs = Sequence[tuple[str, str]]


class BadSearch(ValueError):
    """The search cannot be understood; the message names the parameter, never its value."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition that every match meets.

    Attributes:
        name: of the search parameter.
        parameter: what it looks at.
        asked: values, one of which must fit; references without a base.
        fits: tells whether a time fits, where a date is asked for.
    """

    name: str
    parameter: Parameter
    asked: tuple[str, ...]
    fits: Comparison | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A search of one type.

    Attributes:
        kind: resource type.
        filters: all of which a match meets.
        sort: keys, the most important first; "-" in front for descending.
        includes: values of `_include`.
        count: matches on a page, or None where it is not said.
        offset: for paging without a search id, or None.
        wants_total: whether the total is asked for.
        elements: the only elements to show, or none for all.
        summary: `count`, `data` or `false`.
    """

    kind: str
    filters: tuple[Filter, ...] = ()
    sort: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    count: int | None = None
    offset: int | None = None
    wants_total: bool = False
    elements: tuple[str, ...] = ()
    summary: str = "false"

    @property
    def counts_only(self) -> bool:
        """Whether nothing but the number of matches is asked for."""
        return self.summary == "count" or self.count == 0


def parse(kind: str, pairs: Pairs, base: str = "") -> Query:
    """Take a search apart, refusing what is unknown: a filter that vanishes silently shows other people's data.

    Absolute references beneath `base` are read as relative ones; others are of another server.

    Raises:
        BadSearch: a parameter is unknown, empty or malformed.
    """
    known = parameters_of(kind)
    for name, value in pairs:
        if not value:
            raise BadSearch(f'the search parameter "{_shown(name, known)}" is empty')
        if name not in known and name not in _RESULT:
            raise BadSearch(f"unknown search parameter for resource type {kind}; valid are: {_listed(known)}")
    filters = [_filter(name, known[name], value, base) for name, value in pairs if name in known]
    options = {name: value for name, value in pairs if name in _RESULT}
    chosen = {field: read(kind, options[name]) for name, (field, read) in _READERS.items() if name in options}
    includes = tuple(_include(kind, value) for name, value in pairs if name == "_include")
    return Query(kind, tuple(filters), includes=includes, **chosen)  # type: ignore[arg-type]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted([*names, *_RESULT]))


def _shown(name: str, known: Iterable[str]) -> str:
    """Return a parameter's name only if it is one of ours: a caller's text does not belong in an answer."""
    return name if name in {*known, *_RESULT} else "?"


def _filter(name: str, parameter: Parameter, value: str, base: str) -> Filter:
    asked = tuple(filter(None, value.split(",")))
    if parameter.kind == "reference":
        return Filter(name, parameter, tuple(without_version(text.removeprefix(f"{base}/")) for text in asked))
    if parameter.kind != "date":
        return Filter(name, parameter, asked)
    try:
        # One date, as on HAPI, which knows no "or" of dates.
        return Filter(name, parameter, asked, comparison_of(value))
    except ValueError:
        raise BadSearch(f'the search parameter "{name}" is no date') from None


def _whole_number(name: str) -> Callable[[str, str], int]:
    def read(_kind: str, value: str) -> int:
        if not value.isdecimal() or len(value) > 9:
            raise BadSearch(f"{name} must be a whole number of 0 or more")
        return int(value)

    return read


def _sort(kind: str, value: str) -> tuple[str, ...]:
    keys = tuple(filter(None, value.split(",")))
    if any(key.removeprefix("-") not in parameters_of(kind) for key in keys):
        raise BadSearch(
            f"_sort names no search parameter of {kind}; valid are: {', '.join(sorted(parameters_of(kind)))}"
        )
    return keys


def _include(kind: str, value: str) -> str:
    """Return an `_include` without its target type, which no search here needs."""
    asked = ":".join(value.split(":")[:2])
    if asked != "*" and asked not in includes_of(kind):
        raise BadSearch(f"_include is not supported with this value; valid are: {', '.join(includes_of(kind))}")
    return asked


def _summary(_kind: str, value: str) -> str:
    if value not in ("count", "data", "false"):
        raise BadSearch("_summary is not supported with this value; valid are: count, data, false")
    return value


def _total(_kind: str, value: str) -> bool:
    if value not in ("none", "estimate", "accurate"):
        raise BadSearch("_total must be none, estimate or accurate")
    return value != "none"


def _elements(_kind: str, value: str) -> tuple[str, ...]:
    return tuple(filter(None, value.split(",")))


_READERS: Final[Mapping[str, tuple[str, Callable[[str, str], object]]]] = {
    "_count": ("count", _whole_number("_count")),
    "_offset": ("offset", _whole_number("_offset")),
    "_sort": ("sort", _sort),
    "_summary": ("summary", _summary),
    "_total": ("wants_total", _total),
    "_elements": ("elements", _elements),
}
"""Parameters that shape the result: the field of a Query and how its value is read."""
_RESULT: Final = (*_READERS, "_include", "_format", "_pretty")
