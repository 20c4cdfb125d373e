"""The narratives of the sample patients."""

from typing import Any

from cds_hooks.commands.narrative_check import check_demo_narratives
from explain import tested
from explain.evidence import Explanation
from explain.structured import DEMOGRAPHICS
from explain.tested import GroupShare, ZoneEffect
from inference.checkpoint import Checkpoint
from tests.explain.testing import make_tested


def look_again(_inputs: Any, _outputs: Any, _prediction: Any, case: Explanation) -> tested.Tested:
    """Return a second tier that gives the whole share of the record to its measurements, and doubts the words."""
    members = tuple(row.key for row in case.measurements if row.key not in DEMOGRAPHICS)
    points = next(share.points for share in case.shares if share.modality == "structured")
    zones = tuple(ZoneEffect(region.name, 0.03, region.share) for region in case.image.regions) if case.image else ()
    return make_tested("text", groups=(GroupShare("all", "All", members, points),), zones=zones)


def test_sample_narratives_are_traced_and_tampering_is_found() -> None:
    """With the shipped checkpoint every claim, before and after its test, is traced and every changed chart noticed."""
    traced, found, counts = check_demo_narratives(Checkpoint.load(None), look_again)

    assert (traced, found) == (1.0, 1.0), [*map(str, counts.problems), *counts.missed]
    assert counts.cases > 7
    assert counts.tampered > 800
