from __future__ import annotations

import dataclasses

import pytest

from cds_hooks.judgement import Judgement, from_bytes, to_bytes
from tests.cds_hooks.samples import FILM, HEAT, make_explanation, make_judgement, out_of_scope


@pytest.mark.parametrize(
    "judgement",
    [
        make_judgement(),
        make_judgement(explanation=make_explanation(image=None, note=None, measurements=(), shares=())),
        make_judgement(prediction=out_of_scope(), draft=None),
    ],
)
def test_stored_judgement_comes_back(judgement: Judgement) -> None:
    """What is stored is what was found, to the last field, but for the pictures."""
    image = judgement.explanation.image
    light = dataclasses.replace(image, film_png=b"", heat_png=b"") if image else None
    expected = dataclasses.replace(judgement, explanation=dataclasses.replace(judgement.explanation, image=light))

    assert from_bytes(to_bytes(judgement)[0]) == expected


def test_pictures_are_stored_apart() -> None:
    """Pixels are most of the bytes, and no hook needs them."""
    payload, pictures = to_bytes(make_judgement())

    assert pictures is not None
    assert (pictures.film, pictures.heat) == (FILM, HEAT)
    assert b"iVBOR" not in payload
