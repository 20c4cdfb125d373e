"""A sentence and the claims it tells -> what in it does not follow from them.

The sentence may use plain words, and beyond them only what a fact of its claims licenses: every number, unit, time,
quantity, zone, diagnosis, quotation, denial and direction. What the checker does not know is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from explain.check.directions import check_directions
from explain.check.licence import Licence
from explain.check.marks import mark
from explain.check.problems import Problem
from explain.check.reader import Reader
from explain.check.tokens import tokens
from explain.evidence import Claim
from explain.facts import Fact
from explain.tested import Tested

LONGEST: Final = 2000
"""Characters of one sentence; six quotations and three values fit in."""
_MAY_DROP: Final = ("with nothing to go on", "lies mostly in")


@dataclass(frozen=True, slots=True)
class Reading:
    """What one sentence says.

    Attributes:
        told: facts of its claims that it names.
        states: the set phrases of `tokens.STATES` that it uses.
    """

    problems: tuple[Problem, ...]
    told: frozenset[Fact] = frozenset()
    states: frozenset[str] = frozenset()


def check_text(
    text: str, claims: Sequence[Claim], allowed: Sequence[str] = (), tested: Tested | None = None
) -> tuple[Problem, ...]:
    """Return what a sentence says beyond the facts of its claims; empty where it says nothing else.

    Args:
        text: one sentence, or a few on the same claims.
        claims: the claims that it tells.
        allowed: phrases that may stand in it word by word, such as the model's own reasons.
        tested: measured effects that it may state for the zones and values that its claims name.
    """
    return read_text(text, claims, allowed, tested).problems


def read_text(text: str, claims: Sequence[Claim], allowed: Sequence[str] = (), tested: Tested | None = None) -> Reading:
    """Return the same, with what the sentence tells."""
    if not text.strip() or len(text) > LONGEST:
        return Reading((Problem("length"),))
    licence = Licence.of(claims, tested)
    marked = mark(text, licence, allowed)
    found = list(tokens(marked.text))
    reader = Reader(licence, found)
    reader.check_sureness()
    problems = (*marked.problems, *reader.problems, *check_directions(licence, found, reader.told))
    return Reading(tuple(dict.fromkeys(problems)), frozenset(reader.told), frozenset(reader.states))


def hidden(claim: Claim, readings: Sequence[Reading]) -> bool:
    """Return whether sentences that name a claim leave out what matters in it.

    All values and words against the answer must be told, of those for it some; the answer's probability, the film's
    share, doubts and withdrawals always.
    """
    told = frozenset(fact for reading in readings for fact in reading.told)
    said = frozenset(state for reading in readings for state in reading.states)
    core = [fact for fact in claim.facts if fact.kind in ("value", "quote")]
    enough = all if claim.direction == "against" else any
    left_out = bool(core) and not enough(fact in told for fact in core)
    return left_out or not _must_tell(claim) <= told or not _must_say(claim) <= said


def _must_tell(claim: Claim) -> frozenset[Fact]:
    """Return the figures of a claim that no retelling may drop."""
    opens = any(fact.kind == "chance" and fact.given == "nothing" for fact in claim.facts)
    return frozenset(
        fact
        for fact in claim.facts
        if (opens and fact.kind == "chance" and fact.given == "everything")
        or (claim.modality == "image" and fact.kind == "share")
    )


def _must_say(claim: Claim) -> frozenset[str]:
    """Return the set phrases of a claim that no retelling may drop: all but where the model starts and what it had."""
    licence = Licence.of((claim,), None)
    text = licence.texts[0]
    phrases = {token.text for token in tokens(text) if token.kind == "state"}
    return frozenset(phrase for phrase in phrases if not phrase.startswith(_MAY_DROP))
