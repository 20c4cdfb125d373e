"""The word lists and tables of this folder, read once."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import isfinite
from typing import Any, Final, cast

from explain.check.problems import Kind

KINDS_OF_WORDS: Final[dict[str, Kind]] = {
    "number": "number",
    "negation": "negation",
    "advice": "advice",
    "side": "side",
    "certainty": "certainty",
    "person": "person",
    "finding": "finding",
    "symptom": "finding",
    "disease": "finding",
    "date": "date",
    "unit": "unit",
    "level": "level",
}
"""Section of `findings.toml` -> what a word of it is called when it is refused; the first that holds it counts."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What the checker knows of one quantity.

    Attributes:
        key: key of its slot.
        names: in lower case, as a sentence may call it.
        loinc: codes that mean it.
        unit: UCUM unit of its facts.
        written: that unit as a sentence may write it, in lower case.
        normal: lower and upper limit, each None where there is none; None for age and sex.
        molar_mass: g/mol, where amounts of substance are reported too.
    """

    key: str
    names: tuple[str, ...]
    loinc: frozenset[str]
    unit: str
    written: tuple[str, ...]
    normal: tuple[float | None, float | None] | None
    molar_mass: float | None


@cache
def measures() -> dict[str, Measure]:
    """Return the quantities by key."""
    return {key: _measure(key, row) for key, row in _read("measures.toml").items()}


@cache
def spellings() -> dict[str, str]:
    """Return the UCUM unit of each written form, in lower case and without blanks."""
    return cast("dict[str, str]", _read("spellings.toml"))


@cache
def plain_words() -> frozenset[str]:
    """Return the words that any sentence may use."""
    return frozenset(_read("words.toml")["plain"].split())


@cache
def kind_of_word(word: str) -> Kind:
    """Return what is wrong with a word that no fact licenses."""
    return next((kind for words, kind in _refused() if word in words), "word")


@cache
def _refused() -> tuple[tuple[frozenset[str], Kind], ...]:
    lists = _read("findings.toml")
    return tuple((frozenset(lists[section].split()), kind) for section, kind in KINDS_OF_WORDS.items())


def _measure(key: str, row: dict[str, Any]) -> Measure:
    normal = tuple(limit if isfinite(limit) else None for limit in row["normal"])
    return Measure(
        key,
        tuple(row["names"]),
        frozenset(row["loinc"]),
        row["unit"],
        tuple(row["written"]),
        (normal[0], normal[1]) if normal else None,
        row.get("molar_mass"),
    )


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files("explain.check") / name).read_text(encoding="utf-8"))
