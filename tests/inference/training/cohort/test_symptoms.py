from __future__ import annotations

import numpy as np
import pytest

from inference.training.cohort.parameters import GROUPS, Group, number
from inference.training.cohort.symptoms import DRAWN, logit, share_table
from tests.inference.training.cohort.draws import charts, children


def true_share(name: str, group: Group) -> float:
    """Return the share of a group that really has a finding."""
    return float(np.mean([findings[name] for findings, _ in charts(group)]))


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("name", ["wheeze", "cough", "fever", "lethargy", "reduced_breath_sounds", "otitis"])
def test_findings_have_the_shrunk_shares(name: str, group: Group) -> None:
    """Common factor and tie to the temperature leave the share of each finding as it was."""
    expected = share_table()[name][GROUPS.index(group)]

    assert true_share(name, group) == pytest.approx(expected, abs=0.025)


def test_wheeze_keeps_part_of_its_contrast() -> None:
    """Published wheeze is 14 % against 42 %; the part kept lies symmetrically around the middle of the log-odds."""
    bacterial, viral, *_ = share_table()["wheeze"]

    assert logit(viral) - logit(bacterial) == pytest.approx(
        number("overlap.contrast_kept") * (logit(0.42) - logit(0.14)), abs=1e-9
    )
    assert logit(viral) + logit(bacterial) == pytest.approx(logit(0.42) + logit(0.14), abs=1e-9)


def test_symptoms_of_the_airway_come_together() -> None:
    """Within one group, wheeze goes with a runny nose and against vomiting."""
    wheeze, nose, vomiting = (
        [findings[name] for findings, _ in charts("viral")] for name in ("wheeze", "rhinorrhoea", "vomiting")
    )

    assert np.corrcoef(wheeze, nose)[0, 1] > 0.08
    assert np.corrcoef(wheeze, vomiting)[0, 1] < -0.08


def test_fever_by_history_goes_with_the_thermometer() -> None:
    """Parents of the hotter children report fever more often."""
    hot = [child.fever > 0 for child in children("cough")]
    told = [findings["fever"] for findings, _ in charts("cough")]

    assert np.corrcoef(hot, told)[0, 1] > 0.2


@pytest.mark.parametrize(("name", "share"), [("vomiting", 0.10), ("wheeze", 0.06), ("reduced_breath_sounds", 0.18)])
def test_charting_errs_as_often_as_published(name: str, share: float) -> None:
    """A finding is written down wrongly at its own rate."""
    wrong = [findings[name] != chart[name] for findings, chart in charts("bacterial")]

    assert float(np.mean(wrong)) == pytest.approx(share, abs=0.02)


def test_child_before_an_operation_is_well() -> None:
    """Fewer than one in ten of the children without complaints has any one sign of illness."""
    signs = [name for name in DRAWN if name not in {"vaccinated", "influenza_vaccine", "ill_contact", "rhinorrhoea"}]

    assert max(true_share(name, "check") for name in signs) < 0.1
