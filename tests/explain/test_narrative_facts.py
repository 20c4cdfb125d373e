"""The facts that claims carry."""

from dataclasses import replace

import pytest

from explain.evidence import Claim
from explain.facts import ChanceFact, QuoteFact, RegionFact, ShareFact, ValueFact
from explain.narrative import Evidence, tell
from tests.explain.examples import NOTE, OUT_OF_SCOPE
from tests.explain.marked import explained


def claims() -> tuple[Claim, ...]:
    return explained()[1].claims


def test_the_answer_states_its_probabilities_and_what_it_had() -> None:
    """The first claim carries the probability, where it starts from, and the share of each modality that was given."""
    prediction, case = explained()
    facts = claims()[0].facts
    assert facts[:2] == (
        ChanceFact("bacterial", prediction.top.probability, "everything"),
        ChanceFact("bacterial", case.baseline, "nothing"),
    )
    assert facts[2:] == tuple(ShareFact(share.modality, share.points) for share in case.shares)


def test_values_carry_all_that_is_told_of_them() -> None:
    """A value's fact has its unit, level, range, time and versioned source."""
    crp = next(fact for fact in claims()[2].facts if isinstance(fact, ValueFact))
    row = next(row for row in explained()[1].measurements if row.key == "crp")
    assert crp == ValueFact("crp", row.name, 96.0, "mg/L", "high", (None, 5), row.taken_at, row.source)


def test_quotations_carry_their_place() -> None:
    """A quotation's fact has its characters in the note, the words as they stand there, and what is so of them."""
    quotes = [fact for claim in claims() for fact in claim.facts if isinstance(fact, QuoteFact)]
    assert len(quotes) == 6
    assert all(NOTE[quote.start : quote.end] == quote.words for quote in quotes)
    assert {quote.words: quote.remark for quote in quotes}["No wheeze"] == "denied in the note"


def test_regions_carry_their_share() -> None:
    """The named zones are facts of the film's claim, with the film's source."""
    case = explained()[1]
    regions = [fact for fact in claims()[1].facts if isinstance(fact, RegionFact)]
    assert case.image is not None
    shares = {region.name: region.share for region in case.image.regions}
    assert [fact.name for fact in regions] == ["right lower zone", "right middle zone"]
    assert all((fact.share, fact.source) == (shares[fact.name], case.image.source) for fact in regions)


def test_each_share_is_told_once() -> None:
    """Behind the first sentence each modality's exact share is told in exactly one."""
    told = [fact.modality for claim in claims()[1:] for fact in claim.facts if isinstance(fact, ShareFact)]
    assert sorted(told) == ["image", "structured", "text"]


def test_sources_are_those_of_the_facts() -> None:
    """A claim on evidence cites what its facts were read from."""
    for claim in claims()[1:]:
        cited = {fact.source for fact in claim.facts if isinstance(fact, (ValueFact, QuoteFact, RegionFact))}
        assert cited == set(claim.sources)


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (0.17, "speak for bacterial pneumonia; measurements, age and sex together raise its probability by 17 points."),
        (-0.04, "; but measurements, age and sex together lower its probability by 4 points."),
        (0.001, "; but measurements, age and sex together hardly move its probability."),
    ],
)
def test_a_share_that_points_elsewhere_is_said(points: float, words: str) -> None:
    """Where values speak for the answer and their modality as a whole does not, one sentence says both."""
    prediction, case = explained()
    shares = tuple(replace(one, points=points) if one.modality == "structured" else one for one in case.shares)
    told = tell(prediction, replace(Evidence.of(case), shares=shares))
    assert told[2].text.endswith(words)


def test_out_of_scope_states_nothing() -> None:
    """Out of scope no claim carries a fact."""
    assert [claim.facts for claim in explained(**OUT_OF_SCOPE)[1].claims] == [(), ()]
