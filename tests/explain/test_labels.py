"""Short labels of times and names."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from explain.labels import beside, clean, day

USUAL = datetime(2026, 11, 24, 8, 22, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Emergency note", "Emergency note"),
        ("a\x00b\x1b[31m\r\nc", "a b [31m c"),
        ("\u202eesrever\u202c", "esrever"),
        ("\u2066x\u2069\ufeff", "x"),
        ("نمی\u200cدانم", "نمی\u200cدانم"),
        ("96\u00a0mg", "96\u00a0mg"),
        ("a\u2028b\ud800", "a b"),
        ("  two   words ", "two words"),
        ("", ""),
    ],
)
def test_names_are_cleaned(text: str, cleaned: str) -> None:
    """Control characters go, on one line; joiners of scripts that need them stay."""
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (USUAL.replace(hour=7, minute=48), "07:48"),
        (USUAL - timedelta(days=1), "23 Nov, 08:22"),
        (USUAL.replace(year=2025), "24 Nov 2025, 08:22"),
        (datetime(2026, 11, 24, 7, 22, tzinfo=UTC), "24 Nov 2026, 07:22 UTC"),
    ],
)
def test_time_beside_the_usual_one(at: datetime, words: str) -> None:
    """Beside the usual time a time is as short as it can be without being mistaken."""
    assert beside(at, USUAL) == words


def test_time_without_a_usual_one() -> None:
    """Without a usual time it is whole."""
    assert beside(USUAL, None) == "24 Nov 2026, 08:22"


def test_day() -> None:
    """A day is named without its hour."""
    assert day(USUAL) == "24 Nov 2026"
