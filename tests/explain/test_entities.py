"""Marked spans that hold whole entities, and what these are called."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest

from explain.entities import names, remark, with_entities
from explain.evidence import Direction, Span
from inference.entities import KINDS, Entity, Kind

Marked = tuple[str, Direction, str]


def entity(text: str, term: str, kind: Kind = "symptom", flags: str = "") -> Entity:
    start = text.index(term)
    return Entity(kind, start, start + len(term), "-" in flags, "~" in flags)


def span(text: str, words: str, direction: Direction = "for", weight: float = 0.5) -> Span:
    start = text.index(words)
    return Span(start, start + len(words), weight, direction)


def widened(text: str, spans: tuple[Span, ...], *entities: Entity) -> list[Marked]:
    found = with_entities(text, spans, entities)
    return [(text[one.start : one.end], one.direction, names(one.entities)) for one in found]


def test_a_span_takes_in_the_whole_entity() -> None:
    """Where one word of a term counts, the term is marked."""
    text = "Shortness of breath at night."
    found = widened(text, (span(text, "breath"),), entity(text, "Shortness of breath"))

    assert found == [("Shortness of breath", "for", "symptom")]


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("Cough, no wheeze. Fever.", "no wheeze"),
        ("Fever. No cough or wheeze heard.", "No cough or wheeze heard"),
        ("Fever. The wheeze was ruled out yesterday, cough.", "The wheeze was ruled out yesterday"),
    ],
)
def test_a_denied_entity_brings_the_words_that_deny_it(text: str, marked: str) -> None:
    """Also where only the model takes the words for a denial: then its whole part of the sentence is marked."""
    assert widened(text, (span(text, "wheeze"),), entity(text, "wheeze", flags="-"))[0][0] == marked


def test_spans_that_meet_are_one() -> None:
    """Two marks of one entity that pull the same way become one, with the weight of both and never more than 1."""
    text = "difficulty in breathing"
    spans = (span(text, "difficulty", weight=0.8), span(text, "breathing", weight=0.4))
    (found,) = with_entities(text, spans, [entity(text, text)])

    assert (found.start, found.end, found.weight) == (0, len(text), 1.0)


def test_spans_that_pull_apart_stay_apart() -> None:
    """An entity with words for and words against keeps both marks as they were, each named."""
    text = "difficulty in breathing"
    spans = (span(text, "difficulty"), span(text, "breathing", "against"))

    assert widened(text, spans, entity(text, text)) == [
        ("difficulty", "for", "symptom"),
        ("breathing", "against", "symptom"),
    ]


def test_words_that_name_nothing_stay_as_they_are() -> None:
    """A span without an entity is not widened and has no name; an entity without a span is not marked."""
    text = "Fever for four days, cough."

    assert widened(text, (span(text, "four days"),), entity(text, "cough")) == [("four days", "for", "")]


@pytest.mark.parametrize("seed", range(20))
def test_spans_stay_sorted_and_apart(seed: int) -> None:
    """Whatever meets, spans never overlap, and no word that was marked loses its mark."""
    random = np.random.default_rng(seed)
    text = "no fever, cough and wheeze not heard. sister had croup, runny nose; denies rash, vomiting at night"
    words = [match.span() for match in re.finditer(r"\w+", text)]
    chosen = sorted(random.choice(len(words), 7, replace=False))
    spans = tuple(
        Span(words[place][0], words[place][1], 0.5, "for" if random.random() < 0.5 else "against") for place in chosen
    )
    entities = [
        Entity(KINDS[place % 4], words[place][0], words[place + 1][1], bool(random.random() < 0.5), other=False)
        for place in range(0, len(words) - 1, 2)
    ]
    found = with_entities(text, spans, entities)

    assert all(before.end <= after.start for before, after in pairwise(found))
    assert all(
        any(one.start <= old.start < old.end <= one.end and one.direction == old.direction for one in found)
        for old in spans
    )


@pytest.mark.parametrize(
    ("kind", "flags", "said"),
    [
        ("symptom", "", "symptom"),
        ("symptom", "-", "symptom, denied"),
        ("medication", "-", "medication, not given"),
        ("treatment", "-", "treatment, not given"),
        ("disease", "~", "disease, about someone else or the past"),
        ("disease", "-~", "disease, denied, about someone else or the past"),
    ],
)
def test_names_of_entities(kind: Kind, flags: str, said: str) -> None:
    """The kind first, then what a reader must know of it."""
    assert names([entity("asthma", "asthma", kind, flags)] * 2) == said


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ((), ""),
        (("",), ""),
        (("-", "-"), "denied in the note"),
        (("-", ""), ""),
        (("~",), "about someone else or the past"),
        (("-~",), "denied in the note, about someone else or the past"),
    ],
)
def test_a_sentence_remarks_only_what_is_so_of_the_whole_quotation(flags: tuple[str, ...], said: str) -> None:
    """A quotation of which one part is denied and another is not gets no remark."""
    assert remark([entity("cough", "cough", flags=flag) for flag in flags]) == said
