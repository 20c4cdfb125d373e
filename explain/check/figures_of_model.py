"""A fact that repeats a figure of the model, and the state a sentence puts into words -> whether the model says so."""

from __future__ import annotations

from collections.abc import Iterator
from math import isclose
from typing import Final

from explain.check.problems import Problem
from explain.check.tokens import tokens
from explain.evidence import Claim, Explanation
from explain.facts import ChanceFact, RegionFact, ShareFact
from inference.prediction import Prediction, Verdict

PERSONAL: Final = ("age", "female")
EXACT: Final = 1e-9
SUM: Final = 0.005
"""Half a point: what the shares may add up to beside the probability shown."""
RESIDUAL: Final = 1e-4
"""What the groups of the record may add up to beside its share, which came from another run of the model."""


def check_figure(
    fact: ChanceFact | ShareFact | RegionFact, explanation: Explanation, prediction: Prediction
) -> Iterator[Problem]:
    """Yield a problem unless the figure is one of the prediction or explanation."""
    if isinstance(fact, ChanceFact):
        all_given = {one.diagnosis.key: one.probability for one in prediction.likelihoods}
        said = all_given.get(fact.diagnosis) if fact.given == "everything" else explanation.baseline
        right = said is not None and isclose(said, fact.probability, abs_tol=EXACT)
        name = fact.diagnosis
    elif isinstance(fact, ShareFact):
        shares = {share.modality: share.points for share in explanation.shares}
        right = fact.modality in shares and isclose(shares[fact.modality], fact.points, abs_tol=EXACT)
        name = fact.modality
    else:
        image = explanation.image
        regions = _regions(explanation)
        named = fact.name in regions and image is not None and image.source == fact.source
        right = named and isclose(regions[fact.name], fact.share, abs_tol=EXACT)
        name = fact.name
    if not right:
        yield Problem("figure", name)


def _regions(explanation: Explanation) -> dict[str, float]:
    """Return the share of each region in the map that is shown: the measured one, once there is one."""
    if explanation.tested is not None and explanation.tested.zones:
        return {zone.name: zone.share for zone in explanation.tested.zones}
    return {region.name: region.share for region in explanation.image.regions} if explanation.image else {}


def check_shares(explanation: Explanation, prediction: Prediction) -> Iterator[Problem]:
    """Yield a problem unless the shares add up to the probability shown, and the groups to the record's share."""
    if prediction.verdict is Verdict.OUT_OF_SCOPE:
        return
    total = explanation.baseline + sum(share.points for share in explanation.shares)
    if abs(total - prediction.top.probability) > SUM:
        yield Problem("figure", "shares")
    groups = explanation.tested.groups if explanation.tested else ()
    record = sum(share.points for share in explanation.shares if share.modality == "structured")
    if groups and abs(sum(group.points for group in groups) - record) > RESIDUAL:
        yield Problem("figure", "groups")


def check_states(claim: Claim, explanation: Explanation, prediction: Prediction) -> Iterator[Problem]:
    """Yield what a sentence says of the state of things that is not so: sure, without a film, withdrawn, spread."""
    said = {token.text for token in tokens(claim.text.lower()) if token.kind == "state"}
    opens = any(isinstance(fact, ChanceFact) and fact.given == "nothing" for fact in claim.facts)
    if opens and ("without being sure" in said) != (prediction.verdict is Verdict.UNSURE):
        yield Problem("certainty", "answer")
    if opens and _absent(said) != set(missing_kinds(explanation)):
        yield Problem("modality", "answer")
    tested = explanation.tested
    withdrawn = any("no more than chance" in phrase for phrase in said)
    if withdrawn and (tested is None or claim.modality is None or tested.holds(claim.modality)):
        yield Problem("negation", str(claim.modality))
    if any(phrase.startswith("no part of it") for phrase in said) and any(_regions(explanation).values()):
        yield Problem("negation", "image")


def _absent(said: set[str]) -> set[str]:
    phrase = next((phrase for phrase in said if phrase.startswith(("without a ", "without measurements"))), "")
    return {kind for kind in ("radiograph", "note", "measurements") if kind in phrase}


def missing_kinds(explanation: Explanation) -> Iterator[str]:
    """Yield which whole kinds of evidence the model did not have."""
    if explanation.image is None:
        yield "radiograph"
    if explanation.note is None:
        yield "note"
    if not measured(explanation):
        yield "measurements"


def measured(explanation: Explanation) -> int:
    """Count the values that are neither age nor sex."""
    return sum(row.key not in PERSONAL for row in explanation.measurements)
