"""First tier: prediction and evidence -> the claims that come with the answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from explain.evidence import Claim, Direction
from explain.facts import ChanceFact, Fact, QuoteFact
from explain.narrative.choice import Evidence, direction_of, strongest_spans, strongest_values, telling_regions
from explain.narrative.sentences import write
from explain.narrative.stated import answer_fact, quote_fact, region_fact, share_facts, start_fact, value_fact
from explain.structured import DEMOGRAPHICS
from explain.tested import ZoneEffect
from explain.wording import counted, inside
from fhir_adapter.record import Modality
from inference.prediction import Prediction, Verdict


def tell(prediction: Prediction, evidence: Evidence) -> tuple[Claim, ...]:
    """Return two to five sentences: the answer, then each kind of evidence for it, then what speaks against it.

    Each modality's exact share is told once, in the first sentence on its evidence; where it points the other way than
    that evidence, the sentence says so.
    """
    if prediction.verdict is Verdict.OUT_OF_SCOPE:
        return tuple(_not_assessed(prediction, evidence))
    answer = answer_fact(prediction)
    parts = [of_film(evidence, answer), _of_values(evidence, answer), _of_words(evidence, answer)]
    told = [part for part in parts if part is not None]
    return (of_answer(prediction, evidence), *told, _against(evidence, answer, _untold(evidence, told)))


def _not_assessed(prediction: Prediction, evidence: Evidence) -> Iterator[Claim]:
    reasons = " ".join(prediction.reasons) or "It lies outside what the model was trained for."
    yield write("not_assessed", "neutral", None, (), reasons=reasons, sources=evidence.sources)
    yield write("unmarked", "neutral", None, (), sources=evidence.sources)


def of_answer(prediction: Prediction, evidence: Evidence) -> Claim:
    """Say what the model was given, what it answers, and where it started from."""
    facts: tuple[Fact, ...] = (
        answer_fact(prediction),
        start_fact(prediction, evidence.baseline),
        *share_facts(evidence.shares, *given_modalities(evidence)),
    )
    given, absent = _given(evidence)
    sure = prediction.verdict is Verdict.ANSWER
    return write("answer", "neutral", None, facts, given=given, absent=absent, sure=sure, sources=evidence.sources)


def given_modalities(evidence: Evidence) -> tuple[Modality, ...]:
    """Return which modalities the model had; age and sex alone count as structured."""
    there: tuple[tuple[Modality, bool], ...] = (
        ("image", evidence.image is not None),
        ("text", evidence.note is not None),
        ("structured", bool(evidence.measurements)),
    )
    return tuple(name for name, present in there if present)


def _given(evidence: Evidence) -> tuple[list[str], list[str]]:
    """Name what the model was given, and which whole kinds it was not."""
    measured = sum(row.key not in DEMOGRAPHICS for row in evidence.measurements)
    personal = sorted(inside(row.name) for row in evidence.measurements if row.key in DEMOGRAPHICS)
    kinds = (
        (evidence.image is not None, "the radiograph", "a radiograph"),
        (evidence.note is not None, "the note", "a note"),
        (measured > 0, counted(measured, "measurement"), "measurements"),
    )
    given = [name for there, name, _ in kinds if there]
    return [*given, *personal], [name for there, _, name in kinds if not there]


def of_film(evidence: Evidence, answer: ChanceFact, covered: Sequence[ZoneEffect] | None = None) -> Claim | None:
    """Say how the film moves the answer and where on it the evidence lies.

    `covered` are the measured effects of zones, None where nothing was measured yet.
    """
    if evidence.image is None:
        return None
    shares = share_facts(evidence.shares, "image")
    regions = [region_fact(evidence.image, region) for region in telling_regions(evidence.image.regions)]
    direction = direction_of(shares[0].points) if shares else "neutral"
    facts: tuple[Fact, ...] = (answer, *shares, *regions)
    marked = bool(evidence.image.regions)
    sources = (evidence.image.source,)
    measured = covered is not None
    return write(
        "film", direction, "image", facts, marked=marked, measured=measured, covered=covered or (), sources=sources
    )


def _of_values(evidence: Evidence, answer: ChanceFact) -> Claim | None:
    rows = strongest_values(evidence.measurements, "for")
    if not rows:
        return None
    facts: tuple[Fact, ...] = (answer, *(value_fact(row) for row in rows), *share_facts(evidence.shares, "structured"))
    return write("values", "for", "structured", facts)


def _of_words(evidence: Evidence, answer: ChanceFact) -> Claim | None:
    return of_words(evidence, answer, tuple(quotes_of(evidence, "for")))


def of_words(evidence: Evidence, answer: ChanceFact, quotes: tuple[QuoteFact, ...]) -> Claim | None:
    """Say which words of the note speak for the answer; None where there are none."""
    if not quotes:
        return None
    facts: tuple[Fact, ...] = (answer, *quotes, *share_facts(evidence.shares, "text"))
    return write("words", "for", "text", facts)


def quotes_of(evidence: Evidence, direction: Direction) -> Iterator[QuoteFact]:
    """Yield the words that pull one way, strongest first."""
    for span in strongest_spans(evidence.note, direction):
        if evidence.note is not None:
            yield quote_fact(evidence.note, span)


def _untold(evidence: Evidence, told: list[Claim]) -> tuple[Modality, ...]:
    """Return the modalities that were given and whose share no sentence has told yet."""
    said = {claim.modality for claim in told}
    return tuple(modality for modality in given_modalities(evidence) if modality not in said)


def _against(evidence: Evidence, answer: ChanceFact, untold: tuple[Modality, ...]) -> Claim:
    values = [value_fact(row) for row in strongest_values(evidence.measurements, "against")]
    quotes = list(quotes_of(evidence, "against"))
    facts: tuple[Fact, ...] = (answer, *values, *quotes, *share_facts(evidence.shares, *untold))
    if not values and not quotes:
        # A note without spans is one whose words nobody looked at yet: nothing may be said of them.
        looked = ("value",) if evidence.note is not None and not evidence.note.spans else ("value", "word")
        return write("none_against", "neutral", None, facts, looked=looked)
    return write("against", "against", "structured" if values else "text", facts)
