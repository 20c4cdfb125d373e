"""What a search parameter looks at in a resource: tokens, times, references, strings."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cds_hooks.sandbox.fhir.dates import EARLIEST, LATEST, Interval, parse_date
from cds_hooks.sandbox.resources import Resource, without_version

Token = tuple[str, str]
"""System and code; the system is empty where the resource states none."""
Value = Token | Interval | str


def _items(resource: Resource, path: str) -> Iterator[object]:
    """Yield what stands at a path such as `component.code`, lists taken apart."""
    found: list[object] = [resource]
    for name in path.split("."):
        values = [item.get(name) for item in found if isinstance(item, dict)]
        found = [item for value in values for item in (value if isinstance(value, list) else [value])]
    yield from (item for item in found if item is not None)


def tokens(*paths: str) -> Callable[[Resource], Iterator[Token]]:
    """Return a reader of the codings of CodeableConcepts, Codings, plain codes and booleans."""

    def read(resource: Resource) -> Iterator[Token]:
        for path in paths:
            for item in _items(resource, path):
                yield from _codings(item)

    return read


def _codings(item: object) -> Iterator[Token]:
    if not isinstance(item, dict):
        yield "", str(item).lower() if isinstance(item, bool) else str(item)
        return
    for coding in item.get("coding", [item]):
        yield str(coding.get("system", "")), str(coding.get("code", ""))


def identifiers(resource: Resource) -> Iterator[Token]:
    """Yield business identifiers as tokens."""
    for item in _items(resource, "identifier"):
        if isinstance(item, dict):
            yield item.get("system", ""), item.get("value", "")


def references(*paths: str) -> Callable[[Resource], Iterator[str]]:
    """Return a reader of references, without a version."""

    def read(resource: Resource) -> Iterator[str]:
        for path in paths:
            for item in _items(resource, path):
                if isinstance(item, dict) and isinstance(item.get("reference"), str):
                    yield without_version(item["reference"])

    return read


def patients(*paths: str) -> Callable[[Resource], Iterator[str]]:
    """Return a reader of references to Patients, and to nothing else."""
    every = references(*paths)
    return lambda resource: (one for one in every(resource) if one.split("/")[-2:-1] == ["Patient"])


def times(*paths: str) -> Callable[[Resource], Iterator[Interval]]:
    """Return a reader of dates and Periods, the first path that is filled; what is no date is left out."""

    def read(resource: Resource) -> Iterator[Interval]:
        for path in paths:
            for item in _items(resource, path):
                try:
                    yield _period(item) if isinstance(item, dict) else parse_date(str(item))
                except ValueError:
                    continue
                return

    return read


def _period(period: Resource) -> Interval:
    """Return a Period as an interval; an open end reaches as far as there is time."""
    start = parse_date(period["start"]).start if "start" in period else EARLIEST
    return Interval(start, parse_date(period["end"]).end if "end" in period else LATEST)


def strings(*paths: str) -> Callable[[Resource], Iterator[str]]:
    """Return a reader of text."""

    def read(resource: Resource) -> Iterator[str]:
        for path in paths:
            yield from (item for item in _items(resource, path) if isinstance(item, str))

    return read
