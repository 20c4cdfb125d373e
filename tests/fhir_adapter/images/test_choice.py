from typing import Any

import pytest

from fhir_adapter.images.choice import Facts, is_frontal, rank, shows_chest, why_not


def film(**stated: Any) -> Facts:
    """A digital radiograph for presentation."""
    return Facts(**{"modality": "DX", "sop_class": "1.2.840.10008.5.1.4.1.1.1.1", **stated})


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        (Facts(), "it is no radiograph"),
        (Facts(modality="CT"), "it is no radiograph"),
        (film(body=("KNEE",)), "it does not show the chest"),
        (Facts(modality="DX", sop_class="1.2.840.10008.5.1.4.1.1.1.1.1"), "it is a raw picture for processing"),
        (film(intent="for processing"), "it is a raw picture for processing"),
        (Facts(modality="DX", sop_class="1.2.840.10008.5.1.4.1.1.66.4"), "it is a report or another object"),
        (film(words="Screen shot"), "it is a report or another object"),
        (film(words="topogram"), "it is a scout view"),
        (film(view="lld"), "a lateral or oblique view"),
        (film(words="Thorax schräg"), "a lateral or oblique view"),
        (film(words="chest profile"), "a lateral or oblique view"),
    ],
)
def test_rule_that_passes_an_image_over_is_named(facts: Facts, told: str) -> None:
    """The first rule of the table that applies is the reason."""
    rule = why_not(facts)

    assert rule is not None
    assert rule.of_file.startswith(told)


@pytest.mark.parametrize(
    "facts",
    [
        Facts(modality="CR"),
        film(body=("CHEST",), view="PA"),
        film(body=("51185008",), words="Chest PA and lateral"),
        film(view="AP", words="lateral"),
        Facts(modality="RG", sop_class="1.2.840.10008.5.1.4.1.1.7"),
        film(words="Latvian hospital, platform A"),
    ],
)
def test_possible_film_passes(facts: Facts) -> None:
    """What is not stated is no reason, ViewPosition has the last word, and parts of words are no words."""
    assert why_not(facts) is None


def test_fetched_file_is_not_judged_by_modality_and_body_part() -> None:
    """Whether these are in its scope is for the model to say."""
    assert why_not(Facts(modality="CT", body=("KNEE",)), of_file=True) is None


def test_films_are_ranked_by_view_kind_and_size() -> None:
    """Frontal before unnamed, film before secondary capture, large before small."""
    capture = "1.2.840.10008.5.1.4.1.1.7"
    best_first = [
        film(view="PA", area=10),
        film(words="AP", area=5),
        Facts(modality="DX", sop_class=capture, view="AP", area=99),
        film(area=7),
        Facts(modality="DX", sop_class=capture),
    ]

    assert sorted([best_first[place] for place in (3, 0, 4, 2, 1)], key=rank) == best_first


@pytest.mark.parametrize(
    ("facts", "frontal"),
    [(Facts(view="pa"), True), (Facts(view="LL", words="PA"), False), (Facts(words="Thorax p.a."), False)],
)
def test_view_position_stands_before_words(facts: Facts, *, frontal: bool) -> None:
    """Descriptions count only where ViewPosition is silent."""
    assert is_frontal(facts) == frontal


@pytest.mark.parametrize(
    ("texts", "chest"), [((), False), (("Thorax",), True), (("x", "chest"), True), (("8205005", "wrist"), False)]
)
def test_chest_is_told_by_code_or_word(texts: tuple[str, ...], *, chest: bool) -> None:
    """SNOMED CT, DICOM's CHEST, or a word."""
    assert shows_chest(texts) == chest
