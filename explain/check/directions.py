"""Tokens of a sentence -> whether what it says raises, lowers, supports or opposes does so, and by as much."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from explain.check.licence import Licence
from explain.check.numbers import is_points
from explain.check.problems import Problem
from explain.check.tokens import Token
from explain.check.vocabulary import measures
from explain.facts import Fact, ShareFact
from fhir_adapter.record import Modality

NOUNS: Final[dict[str, Modality]] = {
    **dict.fromkeys(("radiograph", "film", "image", "x-ray"), "image"),
    **dict.fromkeys(("note", "notes"), "text"),
    **dict.fromkeys(("measurement", "measurements", "laboratory"), "structured"),
}
UP: Final = frozenset({"raise", "raises", "raising", "increase", "increases", "add", "adds"})
DOWN: Final = frozenset({"lower", "lowers", "lowering", "reduce", "reduces", "decrease", "decreases"})
FOR: Final = frozenset({"for", "support", "supports", "supporting", "favour", "favours", "favor", "favors"})
AGAINST: Final = frozenset({"against", "oppose", "opposes", "opposing", "contradicts", "contradict"})
SPEAKS: Final = frozenset({"speak", "speaks", "argue", "argues"})
DIRECTION_WORDS: Final = UP | DOWN | FOR | AGAINST | SPEAKS | {"hardly"}
_TURNS: Final = frozenset({"but", "while", "whereas", "although", "though", "however", "yet"})
_COVERS: Final = frozenset({"covering", "cover", "covered", "covers"})
_HEDGES: Final = frozenset(
    {"probability", "likelihood", "chance", "model", "answer", "puts", "put", "gives", "leans", "leaning", "towards"}
    | {"toward", "says", "say", *FOR, *AGAINST}
)
SMALLEST: Final = 0.005


@dataclass(slots=True)
class _Clause:
    """What has been named since the last full stop, semicolon or "but"."""

    verb: str = ""
    settled: bool = True
    keys: list[str] = field(default_factory=list)
    zones: list[str] = field(default_factory=list)
    covers: bool = False
    quotes: bool = False
    allowed: bool = False
    nouns: set[Modality] = field(default_factory=set)
    hedged: bool = False
    diagnosis: bool = False
    chance: bool = False


def check_directions(licence: Licence, tokens: Sequence[Token], told: set[Fact]) -> Iterator[Problem]:
    """Yield the clauses that turn a direction round, move the answer by another size, or state a diagnosis as so.

    The shares that are told rightly are added to `told`.
    """
    yield from _sides(licence, tokens)
    for clause in _clauses(tokens):
        state = _Clause()
        for token in clause:
            yield from _take(token, state, licence, told)
        if not state.settled and not _moves(state, licence, None, told):
            yield Problem("direction")
        if state.diagnosis and not state.hedged:
            yield Problem("certainty")
        # "From the film the model puts it at 93 %" hides what else the 93 % stand on.
        named = state.nouns | ({"structured"} if state.keys or state.allowed else set())
        if licence.answer and state.diagnosis and state.chance and named and named != set(licence.shares):
            yield Problem("modality")


def _sides(licence: Licence, tokens: Sequence[Token]) -> Iterator[Problem]:
    """Compare words such as "for" and "against" with the claims; evidence of both sides is told apart."""
    pulls = licence.directions - {"neutral"}
    words = {token.text for token in tokens if token.kind == "word"}
    if (words & FOR and pulls != {"for"}) or (words & AGAINST and pulls != {"against"}):
        yield Problem("direction")


def _clauses(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Split at full stops, semicolons and words that turn a thought, but not inside brackets."""
    clause: list[Token] = []
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth <= 0 and (token.kind == "stop" or token.text in _TURNS):
            yield clause
            clause = []
        else:
            clause.append(token)
    yield clause


def _take(token: Token, state: _Clause, licence: Licence, told: set[Fact]) -> Iterator[Problem]:
    if token.kind == "points":
        if not _moves(state, licence, token.parts[0], told):
            yield Problem("number" if _moves(state, licence, None, told) else "direction")
        state.settled = True
        state.keys, state.zones, state.covers = [], [], False
    elif token.kind == "name":
        state.keys += [key for key, one in measures().items() if token.text in one.names]
    elif token.kind == "zone":
        state.zones.append(token.text)
    elif token.kind == "whole":
        state.nouns.add("structured")
    elif token.kind == "mark":
        state.diagnosis |= token.parts[0].startswith("D")
        state.quotes |= token.parts[0].startswith("Q")
        state.allowed |= token.parts[0] == "A"
    _take_word(token, state)


def _take_word(token: Token, state: _Clause) -> None:
    word = token.text
    state.hedged |= word in _HEDGES or token.kind in ("percent", "state")
    state.chance |= token.kind == "percent"
    state.covers |= word in _COVERS
    if word in NOUNS:
        state.nouns.add(NOUNS[word])
    verb = "up" if word in UP else "down" if word in DOWN else "hardly" if word == "hardly" else ""
    if verb:
        state.verb, state.settled = verb, False


def _moves(state: _Clause, licence: Licence, number: str | None, told: set[Fact]) -> bool:
    """Return whether what the clause is about moves the probability as its verb says, and by the number it gives."""
    share = _share(state, licence)
    points = share.points if share else _measured(state, licence)
    if points is None or not state.verb:
        return False
    way = "hardly" if abs(points) < SMALLEST else "up" if points > 0 else "down"
    right = way == state.verb and (number is None or is_points(number, points))
    told |= {share} if share and right else set()
    return right


def _measured(state: _Clause, licence: Licence) -> float | None:
    """Return the measured effect of a covered zone, or of the clinical group that the named values are."""
    if state.covers and state.zones:
        fall = licence.zone(state.zones[-1])
        return None if fall is None else -fall
    return licence.group(state.keys) if state.keys and not state.zones and not state.quotes else None


def _share(state: _Clause, licence: Licence) -> ShareFact | None:
    """Return the share of the modality that the clause is about; values, zones and words have none of their own."""
    if state.keys or state.zones or state.quotes or len(state.nouns) > 1:
        return None
    if state.nouns:
        return licence.shares.get(next(iter(state.nouns)))
    return next(iter(licence.shares.values())) if len(licence.shares) == 1 else None
