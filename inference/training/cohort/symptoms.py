"""A child -> which symptoms and signs it has, and which of them were written down rightly.

Symptoms drawn independently would tell bacterial from viral far better than any published study of real children, so
the contrast between the groups is shrunk and one latent factor ties the symptoms of the airway together.
"""

from __future__ import annotations

import math
from functools import cache
from statistics import NormalDist
from typing import Final

import numpy as np

from inference.training.cohort.parameters import GROUPS, Group, by_group, number, rows_under
from inference.training.cohort.physiology import Child
from inference.training.cohort.stream import Stream

NEVER: Final = -9.0
AIRWAY: Final = {
    **dict.fromkeys(("wheeze", "rhinorrhoea", "cough", "ill_contact", "otitis", "dyspnoea"), 1.0),
    **dict.fromkeys(("vomiting", "abdominal_pain", "lethargy", "reduced_breath_sounds", "dullness"), -1.0),
}
"""Sign with which each symptom loads on the latent airway factor."""
DRAWN: Final = tuple(name for name in rows_under("share") if name != "focal_crackles")
"""Findings drawn from a published share."""
FINDINGS: Final = (*DRAWN, "fast_breathing", "focal_crackles")
"""Everything a note may state about a child, present or absent."""


def logit(share: float) -> float:
    """Return the log-odds of a share strictly between 0 and 1."""
    return math.log(share / (1 - share))


@cache
def shrunk_share(name: str, group: Group) -> float:
    """Return the share of a group with a finding, keeping part of its log-odds distance to the middle of B and V."""
    shares = {key: value / 100 for key, value in by_group(f"share.{name}").items()}
    if group == "check" or shares[group] == 0:
        return shares[group]
    middle = (logit(shares["bacterial"]) + logit(shares["viral"])) / 2
    kept = middle + number("overlap.contrast_kept") * (logit(shares[group]) - middle)
    return 1 / (1 + math.exp(-kept))


@cache
def threshold(name: str, group: Group) -> float:
    """Return the standard normal deviate below which a child of the group has the finding."""
    share = shrunk_share(name, group)
    return NormalDist().inv_cdf(share) if share > 0 else NEVER


def draw_findings(child: Child, rng: np.random.Generator) -> dict[str, bool]:
    """Draw what the child really has, keys as `FINDINGS`."""
    airway, *own = rng.standard_normal(len(DRAWN) + 1).tolist()
    tie, fever_tie = number("overlap.airway_tie"), number("overlap.fever_tie")
    present: dict[str, bool] = {}
    for name, deviate in zip(DRAWN, own, strict=True):
        load = AIRWAY.get(name, 0.0)
        # A low deviate means present, so a child with a high airway factor or temperature gets a lower one.
        mixed = math.sqrt(1 - tie) * deviate - math.sqrt(tie) * load * airway if load else deviate
        if name == "fever":
            mixed = math.sqrt(1 - fever_tie) * deviate - math.sqrt(fever_tie) * child.fever
        present[name] = mixed < threshold(name, child.group)
    present["fast_breathing"] = child.values["respiratory_rate"] >= number("respiratory_rate.fast")
    present["focal_crackles"] = bool(rng.random() < shrunk_share("focal_crackles", child.group))
    return present


@cache
def charting_error(name: str, group: Group) -> float:
    """Return how often a finding is written down wrongly."""
    errors = rows_under("charting")
    if group == "check":
        return errors["error_check"][0]
    return errors.get(f"error_{name}", errors["error"])[0]


def chart_findings(child: Child, findings: dict[str, bool], stream: Stream) -> dict[str, bool]:
    """Return what was written down: each finding right, or now and then wrong."""
    return {name: present != stream.chance(charting_error(name, child.group)) for name, present in findings.items()}


def share_table() -> dict[str, tuple[float, ...]]:
    """Return the shares really drawn from, in the order of `GROUPS`: for the documentation and the tests."""
    return {name: tuple(shrunk_share(name, group) for group in GROUPS) for name in (*DRAWN, "focal_crackles")}
