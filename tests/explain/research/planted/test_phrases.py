from __future__ import annotations

import re

import numpy as np
import pytest

from explain.research.planted.phrases import DECOY, PHRASES, RESERVE, draw_place, plant_phrase
from inference.checkpoint import SHIPPED
from inference.contract import TEXT_TOKENS
from inference.training.cohort.grammar import GrammarName, load_grammar
from inference.words import open_tokenizer

NOTE = "Fever for 3 days, coughs. No wheeze; eats well. Chest clear."
TOKENIZER = open_tokenizer(SHIPPED / "tokenizer.json")


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_only_the_sentences_are_added(kind: int) -> None:
    """With the two sentences taken out again the note is what it was, and the span is the planted one."""
    for seed in range(20):
        note, (start, end) = plant_phrase(NOTE, kind, TOKENIZER, np.random.default_rng(seed))

        assert note[start:end] == PHRASES[kind]
        assert note.replace(f"{DECOY} ", "").replace(f"{PHRASES[kind]} ", "") == NOTE or kind == 0


def test_place_is_drawn_among_beginnings_of_sentences() -> None:
    """A sentence never tears another apart, and may stand before any."""
    places = {draw_place(NOTE, TOKENIZER, np.random.default_rng(seed)) for seed in range(60)}

    assert {NOTE[place:].split(maxsplit=1)[0] for place in places} == {"Fever", "No", "eats", "Chest"}


def test_sentence_stays_within_what_the_model_reads() -> None:
    """In a note that is too long the planted sentence stands before its end is cut off."""
    long = "Coughs at night. " * TEXT_TOKENS
    for seed in range(20):
        note, (_, end) = plant_phrase(long, 1, TOKENIZER, np.random.default_rng(seed))
        assert end <= max(end for _, end in TOKENIZER.encode(note).offsets)


def test_reserve_holds_both_sentences() -> None:
    """Frame and sentences are no more word pieces than are kept free."""
    longest = max((*PHRASES, DECOY), key=len)

    assert len([piece for piece in TOKENIZER.encode(f"{longest} {DECOY}").ids if piece]) <= RESERVE


@pytest.mark.parametrize("grammar", ["train", "test"])
@pytest.mark.parametrize("word", ["window", "door", "coat", "gate"])
def test_words_of_the_plants_are_in_no_grammar(grammar: GrammarName, word: str) -> None:
    """A simulated note never says by itself what is planted."""
    said = " ".join(clause for _, clause in load_grammar(grammar).clauses())

    assert not re.search(rf"\b{word}\b", said, re.IGNORECASE)
