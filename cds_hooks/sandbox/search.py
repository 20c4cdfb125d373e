"""Search parameters -> one page of matching resources (FHIR R4 search); strict: what it does not know is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cds_hooks.sandbox.dates import EARLIEST, Interval, date_matches
from cds_hooks.sandbox.parameters import INCLUDES, PARAMETERS, Parameter, Token, Value
from cds_hooks.sandbox.resources import NotStored, Resource, ResourceStore

DEFAULT_COUNT: Final = 20
MAX_COUNT: Final = 200
_RESULT: Final = ("_count", "_sort", "_include", "_offset", "_total", "_summary", "_format", "_pretty")

Pairs = Sequence[tuple[str, str]]


class BadSearch(ValueError):
    """The search cannot be understood; the message names the parameter, never its value."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search.

    Attributes:
        matches: the resources of this page.
        included: what `_include` adds to them.
        total: number of matches on all pages.
        next_offset: where the next page starts, or None on the last one.
    """

    matches: Sequence[Resource]
    included: Sequence[Resource]
    total: int
    next_offset: int | None


@dataclass(slots=True)
class _Query:
    """A search taken apart."""

    filters: list[tuple[Parameter, str]] = field(default_factory=list)
    sort: str = ""
    includes: list[str] = field(default_factory=list)
    count: int = DEFAULT_COUNT
    offset: int = 0


def search(store: ResourceStore, kind: str, pairs: Pairs) -> Page:
    """Return the page that a search asks for.

    Raises:
        BadSearch: a parameter is unknown, empty or malformed.
    """
    query = _parse(kind, pairs)
    found = store.all_of(kind)
    for parameter, value in query.filters:
        found = list(filter(_predicate(parameter, value), found))
    for key in reversed([key for key in query.sort.split(",") if key]):
        name = key.removeprefix("-")
        found.sort(key=lambda resource: _sort_value(PARAMETERS[kind][name], resource), reverse=key.startswith("-"))
    matches = found[query.offset : query.offset + query.count]
    end = query.offset + len(matches)
    more = end if matches and end < len(found) else None
    return Page(matches, _included(store, matches, query.includes), len(found), more)


def _parse(kind: str, pairs: Pairs) -> _Query:
    """Take a search apart, refusing what is unknown: a filter that vanishes silently shows other people's data."""
    query = _Query()
    known = PARAMETERS[kind]
    for name, value in pairs:
        if not value:
            raise BadSearch(f'the search parameter "{_shown(name, known)}" is empty')
        if name in _RESULT:
            _set_result_option(query, kind, name, value)
        elif name in known:
            _check_dates(known[name], name, value)
            query.filters.append((known[name], value))
        else:
            valid = ", ".join(sorted([*known, *_RESULT]))
            raise BadSearch(f"unknown search parameter for resource type {kind}; valid are: {valid}")
    # References first: one patient's resources are few, and everything else is slower to compare.
    query.filters.sort(key=lambda one: one[0].kind != "reference")
    return query


def _check_dates(parameter: Parameter, name: str, value: str) -> None:
    """Refuse a date that is none before anything is compared with it."""
    try:
        for text in value.split(",") if parameter.kind == "date" else ():
            date_matches(Interval(EARLIEST, EARLIEST), text)
    except ValueError:
        raise BadSearch(f'the search parameter "{name}" is no date') from None


def _shown(name: str, known: Iterable[str]) -> str:
    """Return a parameter's name only if it is one of ours: a caller's text does not belong in an answer."""
    return name if name in {*known, *_RESULT} else "?"


def _set_result_option(query: _Query, kind: str, name: str, value: str) -> None:
    """Apply one of the parameters that shape the result."""
    if name in ("_count", "_offset"):
        if not value.isdecimal():
            raise BadSearch(f"{name} must be a whole number of 0 or more")
        limit = MAX_COUNT if name == "_count" else 10**9
        setattr(query, name.removeprefix("_"), min(int(value), limit))
    elif name == "_sort":
        if any(key.removeprefix("-") not in PARAMETERS[kind] for key in value.split(",")):
            raise BadSearch(f"_sort names no search parameter of {kind}")
        query.sort = value
    elif name == "_include":
        if value not in INCLUDES or not value.startswith(f"{kind}:"):
            raise BadSearch(f"_include is not supported with this value for {kind}")
        query.includes.append(INCLUDES[value])
    elif name == "_summary" and value == "count":
        query.count = 0


def _predicate(parameter: Parameter, value: str) -> Callable[[Resource], bool]:
    """Return what tells whether a resource meets one parameter; commas mean "or"."""
    asked = value.split(",")
    if parameter.kind == "reference":
        # `ID`, `Patient/ID` and `[base]/Patient/ID` mean the same.
        wanted = {"/".join(text.split("/")[-2:]) for text in asked}
        return lambda resource: any(have in wanted or _id_of(have) in wanted for have in parameter.read(resource))
    return lambda resource: any(_equal(have, text) for have in parameter.read(resource) for text in asked)


def _id_of(have: Value) -> Value:
    """Return the id that a reference ends in."""
    return have.rpartition("/")[2] if isinstance(have, str) else have


def _equal(have: Value, asked: str) -> bool:
    """Compare one date, token or string of a resource with one value of the search."""
    if isinstance(have, Interval):
        return date_matches(have, asked)
    if isinstance(have, tuple):
        return _token_equal(have, asked)
    return have.casefold().startswith(asked.casefold())


def _token_equal(have: Token, asked: str) -> bool:
    """Compare a token: `code`, `system|code`, `|code` or `system|`."""
    system, bar, code = asked.rpartition("|")
    if not bar:
        return have[1] == code
    return have[0] == system and code in ("", have[1])


def _sort_value(parameter: Parameter, resource: Resource) -> datetime | str:
    """Return what a resource is sorted by; nothing comes first."""
    have = next(parameter.read(resource), None)
    if parameter.kind == "date":
        return have.start if isinstance(have, Interval) else EARLIEST
    return str(have or "")


def _included(store: ResourceStore, matches: Iterable[Resource], elements: Iterable[str]) -> list[Resource]:
    """Return the targets of the named elements, each once; a target that is not there is left out."""
    wanted: dict[str, None] = {}
    for resource in matches:
        for element in elements:
            value = resource.get(element, [])
            for item in value if isinstance(value, list) else [value]:
                wanted.setdefault(item.get("reference", ""))
    found = []
    for reference in wanted:
        kind, _, name = reference.partition("/")
        try:
            found.append(store.read(kind, name))
        except NotStored:
            continue
    return found
