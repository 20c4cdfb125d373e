"""Coding, CodeableConcept, CodeableReference or a list of them -> codes and words: R4, R4B and R5 read alike."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_adapter.shape import Resource, as_text, dicts_of


def codings_of(value: object) -> Iterator[Resource]:
    """Yield the codings of a Coding, a CodeableConcept, a CodeableReference (R5) or a list of these."""
    for each in _dicts(value):
        if isinstance(each.get("coding"), list):
            yield from dicts_of(each["coding"])
        elif isinstance(each.get("concept"), dict):
            yield from codings_of(each["concept"])
        elif "code" in each or "display" in each:
            yield each


def codes_in(value: object) -> tuple[str, ...]:
    """Return the codes, whatever their systems."""
    return tuple(code for coding in codings_of(value) if (code := as_text(coding.get("code"))))


def words_in(value: object) -> str:
    """Return what a person would read there: the texts and the displays."""
    texts = [as_text(each.get("text")) for each in _dicts(value)]
    texts += [as_text(inner.get("text")) for each in _dicts(value) for inner in _dicts(each.get("concept"))]
    return " ".join(
        text for text in (*texts, *(as_text(coding.get("display")) for coding in codings_of(value))) if text
    )


def _dicts(value: object) -> Iterator[Resource]:
    if isinstance(value, dict):
        yield value
    else:
        yield from dicts_of(value)
