from __future__ import annotations

import re
from typing import Any

import pytest

from inference.training.cohort.parameters import MARKS, ROWS, SOURCES, ParameterError, Row, read_row


@pytest.mark.parametrize("name", ROWS)
def test_each_row_says_where_it_is_from(name: str) -> None:
    """A parameter is sourced, derived or assumed, and all but the assumed ones name a source."""
    row = ROWS[name]

    assert row.mark in MARKS
    assert row.sources or row.mark == "assumed"


def test_every_named_source_can_be_looked_up() -> None:
    """No row cites what the list of sources does not have, and no source stands there unused."""
    cited = {source for row in ROWS.values() for source in row.sources}

    assert cited == set(SOURCES)


def test_every_source_says_where_it_was_read() -> None:
    """A source is an address or a DOI, not a name alone."""
    assert [key for key, text in SOURCES.items() if not re.search(r"[a-z]\.[a-z]{2,4}/\S|doi 10\.\d", text)] == []


@pytest.mark.parametrize(
    "content",
    [
        {"unit": "mg/L", "mark": "assumed"},
        {"value": 5, "mark": "assumed"},
        {"value": 5, "unit": "mg/L"},
        {"value": 5, "unit": "mg/L", "mark": "known"},
        {"value": 5, "unit": "mg/L", "mark": "sourced"},
        {"value": 5, "unit": "mg/L", "mark": "derived", "from": []},
    ],
)
def test_incomplete_row_is_refused(content: dict[str, Any]) -> None:
    """A parameter without value, unit, mark or the source it claims stops the cohort from being drawn."""
    with pytest.raises(ParameterError, match=r"row crp\.bacterial"):
        read_row("crp.bacterial", content)


def test_one_number_is_a_row_of_one() -> None:
    """A single number and a list of numbers are read alike."""
    assert read_row("x", {"value": 4, "unit": "1", "mark": "assumed"}) == Row((4.0,), "1", "assumed", ())
