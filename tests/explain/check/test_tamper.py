"""Charts with one thing changed, and how many of them are noticed."""

import pytest

from explain.check.figures import NarrativeCase, narrative_figures
from explain.check.tamper import Tampering, is_used, tamper
from tests.explain.check.chart import bundle, observation
from tests.explain.examples import SEEN_AT
from tests.explain.marked import explained


def test_every_changed_chart_is_noticed() -> None:
    """All claims of the example are traced, and every change of what they state is found."""
    traced, found, counts = narrative_figures([NarrativeCase(*explained(), bundle(), SEEN_AT)])
    assert (traced, found, counts.missed, counts.problems) == (1.0, 1.0, [], [])
    assert counts.tampered > 60


def test_changes_are_noticed_by_content() -> None:
    """Only the changes of versions need the version: all other copies keep the one that is cited."""
    whole = bundle()
    versions = {
        change.what: {entry["resource"]["meta"]["versionId"] for entry in copy["entry"]}
        for change, copy in tamper(whole)
    }
    assert {what for what, found in versions.items() if found != {"2"}} == {"version"}
    assert {
        "value",
        "unit",
        "code",
        "time",
        "status",
        "subject",
        "birthDate",
        "gender",
        "text",
        "reference",
    } < versions.keys()


def test_each_copy_differs_in_one_resource() -> None:
    """Exactly one resource of each copy is changed, and the chart itself never is."""
    whole, same = bundle(), bundle()
    for _, copy in tamper(whole):
        pairs = zip(whole["entry"], copy["entry"], strict=True)
        assert sum(one != other for one, other in pairs) == 1
    assert whole == same


@pytest.mark.parametrize(
    ("change", "used"),
    [
        (Tampering("value", "Observation/crp-1", frozenset({"crp"})), True),
        (Tampering("value", "Observation/crp-1", frozenset({"sodium"})), False),
        (Tampering("status", "Observation/crp-1"), True),
        (Tampering("status", "Observation/weight-1"), False),
        (Tampering("birthDate", "Patient/p1", frozenset({"age"})), True),
        (Tampering("text", "DocumentReference/note-1"), True),
        (Tampering("text", "DocumentReference/older"), False),
        (Tampering("reference", "ImagingStudy/film-1"), True),
    ],
)
def test_only_what_is_stated_counts(change: Tampering, used: bool) -> None:  # noqa: FBT001
    """A change of what no explanation states is no tampering with it."""
    assert is_used(change, explained()[1], bundle()) is used


def test_a_chart_that_is_wrong_already_hides_no_tampering() -> None:
    """Where a claim cannot be traced at first, only new problems count as noticed."""
    case = NarrativeCase(*explained(), bundle(observation("crp", 12.0)), SEEN_AT)
    traced, found, counts = narrative_figures([case])
    assert traced < 1.0
    assert found < 1.0
    assert {change.reference for change in counts.missed} == {"Observation/crp-1"}


def test_nothing_to_check_is_no_success() -> None:
    """Without a claim there is no share of claims."""
    with pytest.raises(ValueError, match="nothing to check"):
        narrative_figures([])
