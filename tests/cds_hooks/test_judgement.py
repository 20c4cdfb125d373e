from __future__ import annotations

import dataclasses

import pytest

from cds_hooks.judgement import Judgement, from_bytes, second_from_bytes, second_to_bytes, to_bytes
from explain import tested as second_tier
from tests.cds_hooks.samples import (
    CHECK,
    FACTS,
    FILM,
    HEAT,
    PRIOR,
    TOLD,
    make_explanation,
    make_full_explanation,
    make_judgement,
    make_tested,
    out_of_scope,
)


@pytest.mark.parametrize(
    "judgement",
    [
        make_judgement(),
        make_judgement(explanation=make_explanation(image=None, note=None, measurements=(), shares=())),
        make_judgement(prediction=out_of_scope(), draft=None),
        make_judgement(explanation=make_full_explanation()),
        make_judgement(explanation=make_explanation(tested=make_tested(told=TOLD))),
    ],
)
def test_stored_judgement_comes_back(judgement: Judgement) -> None:
    """What is stored is what was found, to the last field, but for the pictures."""
    image = judgement.explanation.image
    prior = dataclasses.replace(image.prior, film_png=b"") if image and image.prior else None
    light = dataclasses.replace(image, film_png=b"", heat_png=b"", prior=prior) if image else None
    expected = dataclasses.replace(judgement, explanation=dataclasses.replace(judgement.explanation, image=light))

    assert from_bytes(to_bytes(judgement)[0]) == expected


def test_pictures_are_stored_apart() -> None:
    """Pixels are most of the bytes, and no hook needs them."""
    payload, pictures = to_bytes(make_judgement(explanation=make_full_explanation()))

    assert pictures is not None
    assert (pictures.film, pictures.heat, pictures.prior) == (FILM, HEAT, PRIOR)
    assert b"iVBOR" not in payload


def test_facts_come_back_as_what_they_were() -> None:
    """A fact is told apart by its kind: a share does not come back as a region that happens to have its fields."""
    back = from_bytes(to_bytes(make_judgement(explanation=make_full_explanation()))[0])

    assert back.explanation.claims[-1].facts == FACTS
    assert [type(fact) for fact in back.explanation.claims[-1].facts] == [type(fact) for fact in FACTS]


def test_earlier_payload_is_read() -> None:
    """What an earlier version stored has none of the new fields, and is shown without them."""
    payload = to_bytes(make_judgement())[0]
    for new in (b',"facts":[]', b',"history":[]', b',"prior":null', b',"tested":null', b',"check":null'):
        assert new in payload
        payload = payload.replace(new, b"")
    light = from_bytes(payload)

    assert light == from_bytes(to_bytes(make_judgement())[0])


def test_what_the_check_needs_is_not_part_of_the_result() -> None:
    """Film and note that the check needs are stored apart, and deleted long before the result is."""
    assert CHECK not in to_bytes(make_judgement(check=CHECK))[0]


@pytest.mark.parametrize("tested", [make_tested(), make_tested(told=TOLD, change=None, helps=(), zones=(), words=())])
def test_second_tier_comes_back(tested: second_tier.Tested) -> None:
    """What a check found out is read as it was stored."""
    payload, heat = second_to_bytes(dataclasses.replace(tested, heat_png=HEAT))

    assert (second_from_bytes(payload), heat) == (tested, HEAT)
    assert b"iVBOR" not in payload


@pytest.mark.parametrize("figure", [float("nan"), float("inf")])
def test_figure_that_is_none_is_refused(figure: float) -> None:
    """A figure that JSON cannot hold is refused when it is stored, not when a page is opened."""
    with pytest.raises(ValueError, match="residual"):
        second_to_bytes(make_tested(residual=figure))
