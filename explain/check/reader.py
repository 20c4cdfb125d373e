"""Tokens of a sentence -> what in them no fact licenses. Each number belongs to the last thing that was named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from explain.check.directions import DIRECTION_WORDS, NOUNS
from explain.check.licence import Licence
from explain.check.numbers import is_percent, is_rounded
from explain.check.problems import Kind, Problem
from explain.check.tokens import MONTHS, Token
from explain.check.vocabulary import kind_of_word, measures, plain_words
from explain.facts import Fact, QuoteFact, ValueFact
from inference.contract import DIAGNOSES

LEVELS: Final = {
    "high": "high", "raised": "high", "elevated": "high", "increased": "high", "above": "high",
    "low": "low", "reduced": "low", "decreased": "low", "below": "low", "normal": "normal", "within": "normal",
}  # fmt: skip
SEXES: Final = {"female": 1.0, "girl": 1.0, "male": 0.0, "boy": 0.0}
PERSONAL: Final = ("age", "female")
_OF_A_RANGE: Final = frozenset({"range", "limit", "reference"})
_QUANTIFIERS: Final = frozenset({"all", "both", "whole"})
_SURE: Final = "without being sure"


class Reader:
    """Reads one sentence.

    Attributes:
        problems: what it objects to.
        told: the facts that the sentence names.
        states: the set phrases that it uses.
    """

    def __init__(self, licence: Licence, tokens: Sequence[Token]) -> None:
        self.problems: list[Problem] = []
        self.told: set[Fact] = set()
        self.states: set[str] = set()
        self._licence = licence
        self._tokens = tokens
        self._about: object = None
        self._named: list[ValueFact] = []
        for place, token in enumerate(tokens):
            getattr(self, f"_read_{token.kind}")(place, token)

    def _object(self, kind: Kind) -> None:
        self.problems.append(Problem(kind))

    def _read_mark(self, _place: int, token: Token) -> None:
        name = token.parts[0]
        if name.startswith("Q"):
            quote = self._licence.quotes[int(name[1:])]
            self._about = quote
            self.told.add(quote)
        elif name.startswith("D"):
            key = DIAGNOSES[int(name[1:])].key
            self._about = "everything"
            if all(chance.diagnosis != key for chance in self._licence.chances):
                self._object("diagnosis")

    def _read_state(self, place: int, token: Token) -> None:
        self.states.add(token.text)
        if not self._licence.states(token.text):
            self._object("certainty" if "sure" in token.text or "doubt" in token.text else "negation")
        if token.text == "with nothing to go on":
            self._about = "nothing"
        if token.text == "lies mostly in" and not self._holds_most(place):
            self._object("number")

    def _holds_most(self, place: int) -> bool:
        """Return whether the zone that comes next holds more than half of the image evidence."""
        ahead = next((token.text for token in self._tokens[place + 1 :] if token.kind == "zone"), "")
        region = self._licence.regions.get(ahead)
        return region is not None and region.share > 0.5

    def _read_name(self, _place: int, token: Token) -> None:
        key = next(key for key, measure in measures().items() if token.text in measure.names)
        fact = self._licence.values.get(key)
        self._about = fact
        if fact is not None:
            self._named.append(fact)
            self.told.add(fact)
        elif key not in PERSONAL or "structured" not in self._licence.modalities:
            self._object("measurement")

    def _read_whole(self, _place: int, _token: Token) -> None:
        self._about = "structured"
        if "structured" not in self._licence.modalities:
            self._object("modality")

    def _read_zone(self, _place: int, token: Token) -> None:
        fact = self._licence.regions.get(token.text)
        self._about = fact
        if fact is not None:
            self.told.add(fact)
        elif self._licence.zone(token.text) is None or "image" not in self._licence.modalities:
            self._object("side")

    def _read_number(self, _place: int, token: Token) -> None:
        number, unit = token.parts
        fact = self._about
        if not isinstance(fact, ValueFact) or fact.key in PERSONAL:
            return self._object("number")
        if unit not in measures()[fact.key].written:
            self._object("unit")
        if not is_rounded(number, fact.value):
            self._object("number")
        return None

    def _read_range(self, place: int, token: Token) -> None:
        low, high = token.parts
        self._check_normal(place, (low, high))

    def _read_limit(self, place: int, token: Token) -> None:
        way, number = token.parts
        self._check_normal(place, ("", number) if way == "up to" else (number, ""))

    def _check_normal(self, place: int, written: tuple[str, str]) -> None:
        fact = self._about
        before = {word for token in self._tokens[max(0, place - 3) : place] for word in token.text.split()}
        if not isinstance(fact, ValueFact) or fact.normal is None or not before & {"normal", *_OF_A_RANGE}:
            return self._object("number")
        for text, limit in zip(written, fact.normal, strict=True):
            if (text == "") != (limit is None) or (limit is not None and not is_rounded(text, limit)):
                return self._object("number")
        return None

    def _read_percent(self, place: int, token: Token) -> None:
        bound, number = token.parts
        about = self._about
        ahead = self._zone_ahead(place)
        if isinstance(about, ValueFact):
            right = about.unit == "%" and not bound and is_rounded(number, about.value)
        elif ahead is not None or (about is not None and about in self._licence.regions.values()):
            name = ahead or str(getattr(about, "name", ""))
            region = self._licence.regions.get(name)
            right = region is not None and is_percent(number, region.share, bound)
        else:
            given = about or "everything"
            chances = [chance for chance in self._licence.answer if chance.given == given]
            right = any(is_percent(number, chance.probability, bound) for chance in chances)
            self.told.update(chances)
        if not right:
            self._object("number")

    def _zone_ahead(self, place: int) -> str | None:
        """Return the zone that a percentage stands before: "56 % … in the right lower zone", but not "zone (56 %)"."""
        for token in self._tokens[place + 1 :]:
            if token.kind == "zone":
                return token.text
            if token.kind in ("percent", "stop", "points") or token.text in "()":
                return None
        return None

    def _read_points(self, _place: int, _token: Token) -> None:
        """Points are read with their clause, in `directions`; a time that is said once goes no further back."""
        self._named = []

    def _read_age(self, _place: int, token: Token) -> None:
        years, rest, months, old = token.parts
        fact = self._licence.values.get("age")
        whole = round(fact.value) if fact else -1
        right = whole // 12 == int(old) if old else whole == int(months or 12 * int(years) + int(rest or 0))
        if fact is None or not right:
            self._object("age")
        else:
            self.told.add(fact)

    def _read_date(self, place: int, token: Token) -> None:
        before = " ".join(token.text for token in self._tokens[max(0, place - 2) : place])
        if before in ("all taken", "both taken"):
            times = {fact.taken_at for fact in self._named if fact.key not in PERSONAL}
        elif isinstance(self._about, ValueFact):
            times = {self._about.taken_at}
        elif self._about == "text" or isinstance(self._about, QuoteFact):
            times = set(self._licence.written_at())
        else:
            times = set()
        if not times or not all(_is_time(token, time) for time in times):
            self._object("date")

    def _read_moment(self, _place: int, _token: Token) -> None:
        self._object("date")

    def _read_clock(self, _place: int, _token: Token) -> None:
        self._object("date")

    def _read_level(self, place: int, token: Token) -> None:
        self._check_level(place, LEVELS[token.text.split()[0]])

    def _check_level(self, place: int, level: str) -> None:
        ahead = [token for token in self._tokens[place + 1 : place + 3] if token.kind == "name"]
        fact = self._about
        if ahead:
            key = next(key for key, measure in measures().items() if ahead[0].text in measure.names)
            fact = self._licence.values.get(key)
        if not isinstance(fact, ValueFact) or fact.level != level:
            self._object("level")

    def _read_word(self, place: int, token: Token) -> None:
        word = token.text
        if word in NOUNS:
            self._about = NOUNS[word]
            if NOUNS[word] not in self._licence.modalities:
                self._object("modality")
        elif word in LEVELS and word not in ("above", "below", "within"):
            behind = self._tokens[place + 1] if place + 1 < len(self._tokens) else Token("stop", "")
            if word != "normal" or (behind.kind not in ("range", "limit") and behind.text not in _OF_A_RANGE):
                self._check_level(place, LEVELS[word])
        elif word in SEXES:
            fact = self._licence.values.get("female")
            if fact is None or fact.value != SEXES[word]:
                self._object("person")
        elif word in _QUANTIFIERS:
            self._check_quantifier(place, word)
        elif word not in DIRECTION_WORDS and word not in plain_words() and word not in _OF_A_RANGE:
            self._object(_kind(word))

    def _check_quantifier(self, place: int, word: str) -> None:
        """Take "all taken", "both taken" and "as a whole": of anything else they would state an amount."""
        before = self._tokens[place - 1].text if place else ""
        behind = self._tokens[place + 1].text if place + 1 < len(self._tokens) else ""
        if (before != "a") if word == "whole" else (behind != "taken"):
            self._object("number")

    def _read_stop(self, _place: int, _token: Token) -> None:
        """Read by `directions`."""

    def _read_sign(self, _place: int, _token: Token) -> None:
        """Commas and brackets say nothing."""

    def _read_other(self, _place: int, _token: Token) -> None:
        self._object("characters")

    def check_sureness(self) -> None:
        """Object where the answer is told as sure although its claim says that the model is not."""
        if self._licence.states(_SURE) and _SURE not in self.states:
            self._object("certainty")


def _kind(word: str) -> Kind:
    """Name what is wrong with a word; of a compound, the first part that is known."""
    kinds = [kind_of_word(part) for part in (word, *word.replace("'", "-").replace("/", "-").split("-"))]
    return next((kind for kind in kinds if kind != "word"), "word")


def _is_time(token: Token, time: datetime) -> bool:
    day, month, year, clock, utc = token.parts
    right = (int(day), MONTHS[MONTHS.index(month)], int(year)) == (time.day, MONTHS[time.month - 1], time.year)
    zone = not utc or time.utcoffset() == timedelta(0)
    return right and zone and clock in ("", f"{time:%H:%M}")
