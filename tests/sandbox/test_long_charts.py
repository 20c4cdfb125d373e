from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from cds_hooks.sandbox.long_charts import Length, long_chart, prefetch_of
from cds_hooks.sandbox.patients import Samples

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def samples() -> Samples:
    return long_chart("p1", Length(60, 7, 3), NOW, "http://archive.invalid")


def test_chart_has_the_length_that_was_asked_for(samples: Samples) -> None:
    """So many of each kind, each with an id of its own, all of one patient."""
    resources = [entry["resource"] for entry in samples.bundle["entry"]]
    kinds = Counter(one["resourceType"] for one in resources)

    assert (kinds["Observation"], kinds["DocumentReference"], kinds["ImagingStudy"]) == (60, 7, 3)
    assert len({(one["resourceType"], one["id"]) for one in resources}) == len(resources)
    assert {one["subject"]["reference"] for one in resources if "subject" in one} == {"Patient/p1"}


def test_every_study_has_a_film_of_its_own(samples: Samples) -> None:
    """Each study names one instance, and no two the same."""
    studies = [entry["resource"] for entry in samples.bundle["entry"] if "series" in entry["resource"]]
    named = {study["series"][0]["instance"][0]["uid"] for study in studies}

    assert named == {str(instance.SOPInstanceUID) for instance in samples.instances}


def test_copies_lie_within_the_reach_of_the_templates(samples: Samples) -> None:
    """None is left out of a search by its date."""
    taken = [entry["resource"].get("effectiveDateTime") for entry in samples.bundle["entry"]]
    moments = [datetime.fromisoformat(text) for text in taken if text]

    assert NOW - timedelta(days=3) < min(moments) <= max(moments) <= NOW


def test_prefetch_holds_as_many_as_asked_for(samples: Samples) -> None:
    """Half of the numbers are under each key, and the rest is given as empty."""
    prefetch = prefetch_of(samples, 50)

    assert [prefetch[key]["total"] for key in ("vitals", "labs", "notes", "reports", "imaging")] == [25, 25, 0, 0, 0]
    assert prefetch["patient"]["id"] == "p1"
