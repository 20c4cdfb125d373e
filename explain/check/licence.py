"""Claims -> what a sentence on them may say, sorted for the checker."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from explain.check.vocabulary import measures
from explain.evidence import Claim, Direction
from explain.facts import ChanceFact, Fact, QuoteFact, RegionFact, ShareFact, ValueFact
from explain.tested import Tested
from fhir_adapter.record import Modality

LONGEST_QUOTE: Final = 160
"""Characters of a quotation that may be cut, at a word and with an ellipsis."""
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True)
class Licence:
    """The facts of the claims that one sentence names.

    Attributes:
        texts: the claims' own sentences, in lower case: where a state is put into words ("without being sure").
        directions: which ways the claims pull.
        tested: measured effects of groups, zones and words; None before the second tier.
    """

    facts: tuple[Fact, ...]
    texts: tuple[str, ...]
    directions: frozenset[Direction]
    tested: Tested | None = None

    @classmethod
    def of(cls, claims: Sequence[Claim], tested: Tested | None) -> Licence:
        """Return the licence of some claims."""
        facts = tuple(dict.fromkeys(fact for claim in claims for fact in claim.facts))
        return cls(facts, tuple(_plain(claim.text) for claim in claims), frozenset(c.direction for c in claims), tested)

    @property
    def values(self) -> dict[str, ValueFact]:
        """Values by key."""
        return {fact.key: fact for fact in self.facts if isinstance(fact, ValueFact)}

    @property
    def quotes(self) -> tuple[QuoteFact, ...]:
        """Quotations, the longest first."""
        quotes = (fact for fact in self.facts if isinstance(fact, QuoteFact))
        return tuple(sorted(quotes, key=lambda fact: -len(fact.words)))

    @property
    def regions(self) -> dict[str, RegionFact]:
        """Regions by name."""
        return {fact.name: fact for fact in self.facts if isinstance(fact, RegionFact)}

    @property
    def chances(self) -> tuple[ChanceFact, ...]:
        """Probabilities."""
        return tuple(fact for fact in self.facts if isinstance(fact, ChanceFact))

    @property
    def answer(self) -> tuple[ChanceFact, ...]:
        """Probabilities, where the claim on the answer itself is told; other claims name only its diagnosis."""
        return self.chances if any(fact.given == "nothing" for fact in self.chances) else ()

    @property
    def shares(self) -> dict[Modality, ShareFact]:
        """Shares by modality."""
        return {fact.modality: fact for fact in self.facts if isinstance(fact, ShareFact)}

    @property
    def modalities(self) -> frozenset[Modality]:
        """Kinds of evidence that a sentence may speak of."""
        kinds: dict[str, Modality] = {"value": "structured", "quote": "text", "region": "image"}
        return frozenset(self.shares) | {kinds[fact.kind] for fact in self.facts if fact.kind in kinds}

    def written_at(self) -> frozenset[datetime]:
        """Return when the quoted note was written."""
        return frozenset(fact.written_at for fact in self.quotes)

    def states(self, phrase: str) -> bool:
        """Return whether a claim's own sentence holds a phrase."""
        return any(phrase in text for text in self.texts)

    def group(self, keys: Iterable[str]) -> float | None:
        """Return the exact points of the clinical group that some values are the given members of, or None."""
        named = frozenset(keys)
        groups = self.tested.groups if self.tested else ()
        return next((group.points for group in groups if frozenset(group.members) & measures().keys() == named), None)

    def zone(self, name: str) -> float | None:
        """Return how far covering a zone lets the probability fall, or None."""
        zones = self.tested.zones if self.tested else ()
        return next((zone.points for zone in zones if zone.name == name), None)


def shown_forms(fact: QuoteFact) -> tuple[str, ...]:
    """Return how a quotation may stand in a sentence: whole on one line, or cut at a word where it is long."""
    whole = " ".join(_UNSEEN.sub(" ", fact.words).split())
    forms = [f"“{whole}”"]
    if len(whole) > LONGEST_QUOTE:
        forms.append(f"“{whole[:LONGEST_QUOTE].rsplit(' ', 1)[0]} …”")
    return tuple(f"{form} ({fact.remark})" if fact.remark else form for form in forms)


def _plain(text: str) -> str:
    return text.lower().replace("’", "'")
