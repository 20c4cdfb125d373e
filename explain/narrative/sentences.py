"""Facts -> one sentence, by the template of its kind; `explain/templates/sentence_*.txt.j2` hold the wording."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from explain.evidence import Claim, Direction
from explain.facts import ChanceFact, Fact, QuoteFact, RegionFact, ShareFact, ValueFact
from explain.narrative.stated import sources_of
from explain.structured import DEMOGRAPHICS
from explain.wording import (
    SMALLEST_POINT,
    by_points,
    inside,
    listed,
    moment,
    normal_range,
    percent,
    quoted,
    reading,
    term,
)
from fhir_adapter.record import Modality
from inference.contract import DIAGNOSIS_OF_KEY

LONGEST_QUOTE: Final = 160
"""Characters; the longest negation that `explain.words` knows fits in, so that none is cut from its finding."""
KINDS: Final = (
    *("answer", "film", "values", "words", "against", "none_against", "not_assessed", "unmarked"),
    *("groups", "groups_against", "withdrawn"),
)
"""Sentences of the first tier, and those that only a tested case has."""


def write(
    kind: str, direction: Direction, modality: Modality | None, facts: Iterable[Fact], **choices: object
) -> Claim:
    """Return the claim of a kind.

    Args:
        kind: name of the template.
        direction: whether it speaks for or against the answer.
        modality: where its evidence is shown.
        facts: everything the sentence states.
        choices: turns of phrase that are no facts: whether the model is sure, which measured effects belong to which
            facts; `sources` cites more than the facts do.
    """
    stated = tuple(dict.fromkeys(facts))
    text = _TEMPLATES[kind].render(_sorted(stated) | choices).strip()
    sources = choices.get("sources")
    return Claim(
        text=text[:1].upper() + text[1:],
        direction=direction,
        modality=modality,
        sources=sources if isinstance(sources, tuple) else sources_of(stated),
        facts=stated,
    )


def _sorted(facts: tuple[Fact, ...]) -> dict[str, object]:
    """Return the facts by kind, under the names that the templates use."""
    chances = {fact.given: fact for fact in facts if isinstance(fact, ChanceFact)}
    subject = next((term(DIAGNOSIS_OF_KEY[fact.diagnosis]) for fact in chances.values()), "")
    return {
        "values": [fact for fact in facts if isinstance(fact, ValueFact)],
        "quotes": [fact for fact in facts if isinstance(fact, QuoteFact)],
        "regions": [fact for fact in facts if isinstance(fact, RegionFact)],
        "shares": [fact for fact in facts if isinstance(fact, ShareFact)],
        "chances": chances,
        "subject": subject,
    }


def values_in_words(facts: list[ValueFact]) -> str:
    """Return "C-reactive protein 96 mg/L (high; normal up to 5; 24 Nov 2026, 08:22)"; a shared time is said once."""
    times = [fact.taken_at for fact in facts if fact.key not in DEMOGRAPHICS]
    shared = len(times) == len(facts) > 1 and len(set(times)) == 1
    named = listed([_value(fact, with_time=not shared) for fact in facts])
    return f"{named} ({'both' if len(times) == 2 else 'all'} taken {moment(times[0])})" if shared else named


def _value(fact: ValueFact, *, with_time: bool) -> str:
    if fact.key in DEMOGRAPHICS:
        return f"{inside(fact.name)} ({reading(fact)})"
    normal = normal_range(fact)
    details = [
        *([f"{'within' if fact.level == 'normal' else f'{fact.level};'} normal {normal}"] if normal else []),
        *([moment(fact.taken_at)] if with_time else []),
    ]
    return f"{inside(fact.name)} {reading(fact)}" + (f" ({'; '.join(details)})" if details else "")


def quotes_in_words(facts: list[QuoteFact]) -> str:
    """Return the quotations as a list, each with what could be overlooked in it."""
    return listed([_quote(fact) for fact in facts])


def _quote(fact: QuoteFact) -> str:
    said = quoted(fact.words, LONGEST_QUOTE)
    return f"{said} ({fact.remark})" if fact.remark else said


def is_one(values: list[ValueFact], quotes: Iterable[QuoteFact] = ()) -> bool:
    """Return whether the verb is singular; one value may be a plural, as "lymphocytes" is."""
    return len(values) + len(list(quotes)) == 1 and not any(fact.name.endswith("s") for fact in values)


def moved(points: float) -> str:
    """Return "hardly", "up" or "down"."""
    return "hardly" if abs(points) < SMALLEST_POINT else "up" if points > 0 else "down"


def _environment() -> Environment:
    """Return the environment of plain text: the page and the card escape what they show."""
    environment = Environment(
        loader=PackageLoader("explain"),
        autoescape=False,  # noqa: S701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "listed": listed,
        "percent": percent,
        "moment": moment,
        "moved": moved,
        "by_points": by_points,
        "values_in_words": values_in_words,
        "quotes_in_words": quotes_in_words,
    }
    environment.globals["is_one"] = is_one
    return environment


def _templates() -> dict[str, Template]:
    environment = _environment()
    return {kind: environment.get_template(f"sentence_{kind}.txt.j2") for kind in KINDS}


# Compiled at import, before a clinician waits for it.
_TEMPLATES: Final = _templates()
