import re

import numpy as np
import pytest

from fhir_adapter.deidentify.rule import PLACEHOLDERS, Rule
from fhir_adapter.deidentify.scrub import RULES, Scrubber
from inference.training.cohort import LABELS, draw_case
from inference.training.cohort.grammar import GrammarName
from tests.fhir_adapter.deidentify.samples import EMMA


def test_overlapping_finds_are_one() -> None:
    """Where two rules find the same characters, one placeholder stands for all of them."""
    assert Scrubber.of(EMMA).scrub("Dr. Emma Kowalska-White, MD") == "Dr. [name]"


def test_scrubbing_twice_changes_nothing() -> None:
    """A placeholder is no identifier."""
    once = Scrubber.of(EMMA).scrub("Emma, 24/11/2026, MRN 123456, 555-555-2003, signed by Jane Miller, MD")

    assert Scrubber.of(EMMA).scrub(once) == once


@pytest.mark.parametrize("rule", [*Scrubber.of(EMMA).rules], ids=lambda rule: rule.what)
def test_no_rule_repeats_without_bound(rule: Rule) -> None:
    """A repeat without bound could be made to take a time that grows with the square of a hostile text."""
    plain = re.sub(r"\[(?:\\.|[^\]\\])*\]|\\.", "c", rule.pattern.pattern)

    assert not re.search(r"[*+]|\{\d*,\}", plain)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.what)
def test_every_rule_can_be_read(rule: Rule) -> None:
    """A rule names its item of the Safe Harbor list, its form in words, and one of the placeholders."""
    assert re.fullmatch("[A-R]: [a-zA-Z].*", f"{rule.item}: {rule.what}")
    assert rule.placeholder in PLACEHOLDERS


@pytest.mark.parametrize("grammar", ["train", "test"])
def test_notes_the_model_learned_from_are_unchanged(grammar: GrammarName) -> None:
    """The simulated notes hold no identifier: a rule that changes one is too eager."""
    drawn = [
        draw_case(LABELS[number % len(LABELS)], np.random.default_rng([5, number]), grammar=grammar, complete=True)
        for number in range(300)
    ]
    notes = [case.note or "" for case in drawn]

    assert [Scrubber.of({}).scrub(note) for note in notes] == notes
