"""The text a narrator wrote -> its sentences, each checked against the claims it names; or why not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import orjson

from explain.check.problems import MESSAGES
from explain.check.sources import given_phrases
from explain.check.text import hidden, read_text
from explain.evidence import Claim, Explanation
from explain.narrator.protocol import NarratorError
from explain.tested import ToldSentence

MOST_SENTENCES: Final = 5
_FENCED: Final = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.DOTALL)


def read_answer(text: str, claims: int) -> tuple[ToldSentence, ...]:
    """Return the sentences of an answer.

    Raises:
        NarratorError: it is not the list that was asked for, or names claims that are not there.
    """
    fenced = _FENCED.fullmatch(text)
    try:
        content = orjson.loads(fenced[1] if fenced else text)
    except (orjson.JSONDecodeError, UnicodeError):
        raise NarratorError("what it wrote is not the list of sentences that was asked for") from None
    if not isinstance(content, list) or not 1 <= len(content) <= MOST_SENTENCES:
        raise NarratorError("what it wrote is not a list of one to five sentences")
    return tuple(_sentence(item, claims) for item in content)


def _sentence(item: object, claims: int) -> ToldSentence:
    text, named = (item.get("text"), item.get("claims")) if isinstance(item, dict) else (None, None)
    if not isinstance(text, str) or not isinstance(named, list) or not named:
        raise NarratorError("a sentence has no text or names no claim")
    if not all(type(place) is int and 0 <= place < claims for place in named):
        raise NarratorError("a sentence names a claim that is not there")
    return ToldSentence(text.strip(), tuple(dict.fromkeys(named)))


def objections(sentences: Sequence[ToldSentence], explanation: Explanation) -> tuple[str, ...]:
    """Return why sentences may not stand in place of the claims, each reason once and without their words."""
    claims = explanation.claims
    readings = [
        read_text(one.text, [claims[place] for place in one.claims], given_phrases(explanation), explanation.tested)
        for one in sentences
    ]
    found = [f"a sentence {MESSAGES[problem.kind]}" for reading in readings for problem in reading.problems]
    for place, claim in enumerate(claims):
        told = [reading for reading, one in zip(readings, sentences, strict=True) if place in one.claims]
        if not told or hidden(claim, told):
            found.append(_left_out(claim))
    return tuple(dict.fromkeys(found))


def _left_out(claim: Claim) -> str:
    return "it leaves out what speaks against the answer" if claim.direction == "against" else "it leaves out a claim"
