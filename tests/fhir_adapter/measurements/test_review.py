"""docs/measurements.md against the table: what was reviewed is what is used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from fhir_adapter.measurements.quantities import QUANTITIES, QUANTITY_OF_KEY
from fhir_adapter.measurements.units import to_unit
from tests.fhir_adapter.builders import DATA, Json

REVIEW = (Path(__file__).parents[3] / "docs" / "measurements.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")] for line in REVIEW.splitlines() if line.startswith("| `")
]
CODES = [(row[0].strip("`"), row[1], row[2]) for row in ROWS if re.fullmatch(r"\d+-\d", row[1])]
UNITS = [(row[0].strip("`"), *(re.findall("`([^`]+)`", cell) for cell in row[1:])) for row in ROWS if "`" in row[1]]


def check_digit(code: str) -> int:
    """The Luhn digit of a LOINC number (LOINC Users' Guide, appendix C)."""
    digits = [int(sign) * (2 - place % 2) for place, sign in enumerate(reversed(code.partition("-")[0]))]
    return -sum(digit // 10 + digit % 10 for digit in digits) % 10


def codings(value: object) -> Iterator[Json]:
    if isinstance(value, dict):
        if value.get("system") == "http://loinc.org":
            yield value
        yield from (found for inner in value.values() for found in codings(inner))
    elif isinstance(value, list):
        yield from (found for inner in value for found in codings(inner))


def test_review_holds_every_code_in_its_order() -> None:
    """Every code of the table was reviewed, under its quantity, and nothing else is claimed."""
    assert [(key, code) for key, code, _ in CODES] == [(row.key, code) for row in QUANTITIES for code in row.loinc]


@pytest.mark.parametrize("code", [code for _, code, _ in CODES])
def test_code_has_its_check_digit(code: str) -> None:
    """A mistyped LOINC number is found by its last digit."""
    assert int(code[-1]) == check_digit(code)


def test_review_holds_every_unit_of_the_table() -> None:
    """Each quantity is reviewed with the unit that it has."""
    assert [(key, unit) for key, unit, _, _ in UNITS] == [(row.key, [row.unit]) for row in QUANTITIES]


@pytest.mark.parametrize(("key", "own", "read", "refused"), UNITS)
def test_units_are_read_and_refused_as_the_review_says(
    key: str, own: list[str], read: list[str], refused: list[str]
) -> None:
    """What the review calls read is read, and what it calls refused is refused."""
    quantity = QUANTITY_OF_KEY[key]

    assert [unit for unit in own + read if to_unit(1.0, unit, quantity) is None] == []
    assert [unit for unit in refused if to_unit(1.0, unit, quantity) is not None] == []


def test_every_source_of_a_range_is_named() -> None:
    """No reference range without a source that the review lists."""
    sources = set(re.findall(r"^\| ([A-Za-z -]+) \|", REVIEW.partition("## Reference ranges")[2], re.MULTILINE))

    assert {band.source for quantity in QUANTITIES for band in quantity.normal} <= sources


@pytest.mark.skipif(not DATA.is_dir(), reason="the Synthea bundles are not here: put them into shared/data")
def test_names_are_those_of_other_peoples_charts() -> None:
    """Where a chart gives a code with its long name, the name in the review is the same."""
    reviewed = {code: name.lower() for _, code, name in CODES}
    files = [*DATA.glob("fhir-r4-synthea/*.json"), *DATA.glob("fhir-us-core-notes/*.json")]
    named = [
        (coding["code"], coding["display"].lower())
        for path in files
        for coding in codings(orjson.loads(path.read_bytes()))
        if coding.get("code") in reviewed and "[" in coding.get("display", "")
    ]

    assert named
    assert {(code, name) for code, name in named if reviewed[code] != name} == set()
