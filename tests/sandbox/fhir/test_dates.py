from __future__ import annotations

import pytest

from cds_hooks.sandbox.fhir.dates import comparison_of, parse_date


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026", "2026-01-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00"),
        ("2026-12", "2026-12-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00"),
        ("2026-02", "2026-02-01T00:00:00+00:00", "2026-03-01T00:00:00+00:00"),
        ("2028-02-29", "2028-02-29T00:00:00+00:00", "2028-03-01T00:00:00+00:00"),
        ("2026-11-24T09:14Z", "2026-11-24T09:14:00+00:00", "2026-11-24T09:15:00+00:00"),
        ("2026-11-24T09:14:30-05:00", "2026-11-24T09:14:30-05:00", "2026-11-24T09:14:31-05:00"),
    ],
)
def test_date_covers_its_precision(text: str, start: str, end: str) -> None:
    """A FHIR date is the whole year, month, day or second that it names."""
    interval = parse_date(text)

    assert (start, end) == (interval.start.isoformat(), interval.end.isoformat())


@pytest.mark.parametrize(
    "text", ["", "26", "2026-13", "2026-02-30", "yesterday", "2026-11-24 09:14", "2026-11-24T25:00Z"]
)
def test_other_text_is_no_date(text: str) -> None:
    """What FHIR does not call a date is refused."""
    with pytest.raises(ValueError, match=r"."):
        parse_date(text)


@pytest.mark.parametrize(
    ("asked", "matches"),
    [
        ("2026-11-24", True),
        ("eq2026-11", True),
        ("2026-11-24T09:14:30Z", False),
        ("ne2026-11-24", False),
        ("ge2026-11-24", True),
        ("ge2026-11-25", False),
        ("ge2026-11-24T09:14:00Z", True),
        ("gt2026-11-24", False),
        ("gt2026-11-23", True),
        ("le2026-11-24", True),
        ("le2026-11-23", False),
        ("lt2026-11-24", False),
        ("lt2026-11-25", True),
        ("sa2026-11-23", True),
        ("eb2026-11-24", False),
    ],
)
def test_prefix_compares_as_the_specification_says(asked: str, *, matches: bool) -> None:
    """A reading of 09:14 on 24 November against each prefix (FHIR R4 search, prefixes)."""
    assert matches is comparison_of(asked)(parse_date("2026-11-24T09:14:00Z"))
