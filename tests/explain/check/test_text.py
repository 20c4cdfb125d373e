"""Sentences against the facts of their claims."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from explain import tested
from explain.check.sources import given_phrases
from explain.check.text import check_text, hidden, read_text
from explain.evidence import Claim, Explanation, MeasurementEvidence, Region, Share, Span
from explain.narrative import Evidence, retell, tell
from explain.regions import AREA_OF_REGION, OUTSIDE
from explain.tested import GroupShare, WordEffect, ZoneEffect
from inference.prediction import Prediction
from tests.explain.check.lies import LIES, TRUE
from tests.explain.examples import MEASURED, OUT_OF_SCOPE, SEEN_AT, UNSURE, normal_of, record
from tests.explain.marked import explained
from tests.explain.testing import make_tested

ROUNDS = 60


@cache
def claims() -> tuple[Claim, ...]:
    return explained()[1].claims


def named(places: tuple[int, ...]) -> list[Claim]:
    return [claims()[place] for place in places]


@pytest.mark.parametrize(("places", "text"), TRUE)
def test_the_same_in_other_words_passes(places: tuple[int, ...], text: str) -> None:
    """A sentence that says what its claims say, in other plain words, has no problem."""
    assert check_text(text, named(places)) == ()


@pytest.mark.parametrize(("places", "text", "kind"), LIES)
def test_lies_are_refused(places: tuple[int, ...], text: str, kind: str) -> None:
    """A sentence that says anything else is refused, and the reason names what is wrong with it."""
    assert kind in {problem.kind for problem in check_text(text, named(places))}


def test_problems_hold_no_word_of_the_text() -> None:
    """A problem can be logged: it repeats nothing of what it objects to."""
    told = " ".join(str(problem) for problem in check_text("Ottilie needs 40 mg/kg amoxicillin.", named((2,))))
    assert not {"ottilie", "amoxicillin", "40"} & set(told.lower().split())


def draw_rows(dice: random.Random) -> Iterator[MeasurementEvidence]:
    by_key = {row.key: row for row in explained()[1].measurements}
    for quantity in dice.sample(MEASURED, dice.randint(0, len(MEASURED))):
        low, high = quantity.plausible
        least, most = normal = normal_of(quantity.key)
        value = round(dice.choice([dice.uniform(low, high), low, high, dice.uniform(0.5, 20)]), dice.randint(0, 3))
        outside = (least is not None and value < least) or (most is not None and value > most)
        yield MeasurementEvidence(
            quantity.key, quantity.name, value, quantity.unit, normal, dice.uniform(-1, 1), outside,
            SEEN_AT + timedelta(minutes=dice.choice([0, 0, 0, 61, 3000])), f"Observation/{quantity.key}/_history/1",
        )  # fmt: skip
    for key, value in (("age", dice.uniform(12, 71)), ("female", float(dice.randint(0, 1)))):
        if dice.random() < 0.8:
            yield replace(by_key[key], value=value, effect=dice.uniform(-1, 1))


def draw_regions(dice: random.Random) -> tuple[Region, ...]:
    shares = [
        dice.random() ** dice.choice([1, 6]) + 3.0 * (name == OUTSIDE) * dice.randint(0, 1) for name in AREA_OF_REGION
    ]
    total = sum(shares)
    regions = [Region(name, share / total) for name, share in zip(AREA_OF_REGION, shares, strict=True)]
    return tuple(sorted(regions, key=lambda region: -region.share)) if dice.random() < 0.9 else ()


def draw_note_text(dice: random.Random) -> str:
    words = [
        "no",
        "fever",
        "39.4",
        "96",
        "right",
        "“quoted”",
        "antibiotics",
        "<b>",
        "\u202eevil",
        "5 %",
        "ill;",
        "x" * 60,
    ]
    return " ".join(dice.choice(words) for _ in range(60))


def draw_case(dice: random.Random) -> tuple[Prediction, Explanation]:
    """Return an answered case with random evidence; the sentences are as in the service."""
    prediction, whole = explained(**dice.choice([{}, UNSURE]))
    text = draw_note_text(dice)
    cuts = sorted(dice.sample(range(len(text)), 8))
    spans = [
        Span(start, end, dice.random(), dice.choice(["for", "against"])) for start, end in itertools.pairwise(cuts)
    ]
    note = replace(whole.note, text=text, spans=tuple(spans)) if whole.note and dice.random() < 0.8 else None
    image = replace(whole.image, regions=draw_regions(dice)) if whole.image and dice.random() < 0.8 else None
    shares = tuple(
        Share(share.modality, dice.uniform(-0.3, 0.6) * dice.choice([0, 0.01, 1]), 0.3) for share in whole.shares
    )
    evidence = Evidence(shares, dice.random(), image, note, tuple(draw_rows(dice)))
    told = tell(prediction, evidence)
    parts = {name: getattr(evidence, name) for name in ("shares", "baseline", "image", "note", "measurements")}
    return prediction, replace(whole, claims=told, **parts)


def draw_tested(dice: random.Random, case: Explanation) -> tested.Tested:
    """Return findings of a second tier on the case, some of whose marks do not hold."""
    keys = [row.key for row in case.measurements]
    dice.shuffle(keys)
    groups = [GroupShare(key, key, tuple(keys[place : place + 2]), dice.uniform(-0.2, 0.2))
              for place, key in enumerate(keys) if place % 2 == 0]  # fmt: skip
    zones = tuple(
        ZoneEffect(region.name, dice.uniform(-0.2, 0.2) * dice.choice([0, 1]), region.share)
        for region in draw_regions(dice)
    )
    spans = case.note.spans if case.note else ()
    words = tuple(WordEffect(span.start, span.end, dice.uniform(-0.1, 0.1)) for span in spans)
    doubtful = [name for name in ("image", "text", "structured") if dice.random() < 0.3]
    return make_tested(*doubtful, groups=tuple(groups), zones=zones, words=words)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_every_template_sentence_passes(round_: int) -> None:
    """Whatever the evidence, what the templates make of it before and after its test says no more than its facts."""
    dice = random.Random(round_)
    prediction, case = draw_case(dice)
    found = draw_tested(dice, case)
    for claim in case.claims:
        assert check_text(claim.text, (claim,), given_phrases(case)) == (), claim.text
    for claim in retell(prediction, case, found):
        assert check_text(claim.text, (claim,), given_phrases(case), found) == (), claim.text


@pytest.mark.parametrize("round_", range(ROUNDS // 3))
def test_sentences_with_one_number_changed_are_refused(round_: int) -> None:
    """Whatever the evidence, a template sentence in which one digit outside a quotation is changed is refused."""
    dice = random.Random(round_)
    _, case = draw_case(dice)
    for claim in case.claims:
        quoted = {place for start, end in _quotations(claim.text) for place in range(start, end)}
        for place in [p for p, sign in enumerate(claim.text) if sign in "0123456789" and p not in quoted]:
            digit = dice.choice("123456789".replace(claim.text[place], ""))
            text = claim.text[:place] + digit + claim.text[place + 1 :]
            assert check_text(text, (claim,), given_phrases(case)), text


def _quotations(text: str) -> Iterator[tuple[int, int]]:
    """Yield where quotations stand; they may hold quotation marks themselves, so the widest stretch counts."""
    if "“" in text and "”" in text:
        yield text.index("“"), text.rindex("”") + 1


def test_out_of_scope_passes_with_its_reasons_only() -> None:
    """The model's own reasons may stand word by word; without them their numbers are no facts."""
    prediction, case = explained(**OUT_OF_SCOPE)
    claim = case.claims[0]
    assert check_text(claim.text, (claim,), prediction.reasons) == ()
    assert check_text(claim.text, (claim,))


def test_unsure_must_be_told() -> None:
    """An answer that the model is not sure of is not told as if it were."""
    claim = explained(**UNSURE)[1].claims[0]
    found = check_text("The model puts bacterial pneumonia at 93 %.", (claim,))
    assert {problem.kind for problem in found} == {"certainty"}


def test_values_need_their_claims() -> None:
    """A true sentence on another claim than the one that it names is refused."""
    assert check_text(claims()[2].text, named((3,)))


@pytest.mark.parametrize(
    ("place", "text", "left_out"),
    [
        (0, "The model weighs the radiograph.", True),
        (0, "The model puts bacterial pneumonia at 93 %.", False),
        (1, "47 % of the evidence lies in the right lower zone.", True),
        (1, "The radiograph raises the probability.", False),
        (2, "The measurements support it.", True),
        (2, "CRP supports it.", False),
        (4, "Lymphocytes speak against it.", True),
        (4, "Lymphocytes, “Runny nose”, “No wheeze” (denied in the note) and “cold” (about someone else or the past) "
            "speak against it.", False),
    ],
)  # fmt: skip
def test_what_must_not_be_left_out(place: int, text: str, left_out: bool) -> None:  # noqa: FBT001
    """A claim is told only if its core is: all that speaks against, some of what speaks for, and the figures."""
    reading = read_text(text, named((place,)))
    assert reading.problems == ()
    assert hidden(claims()[place], [reading]) is left_out


def test_charts_without_anything_pass() -> None:
    """A chart with neither film, note nor measurements is told truly too."""
    _, case = explained(record(films=(), notes=(), measurements=()))
    assert not [claim for claim in case.claims if check_text(claim.text, (claim,), given_phrases(case))]
