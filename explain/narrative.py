"""Evidence -> two to five plain sentences, each with what it stands on.

No sentence states more than its evidence: the model weighs, leans and gives figures. It finds nothing, sees nothing
and knows no causes. What speaks against the answer stands beside what speaks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from explain.entities import remark
from explain.evidence import (
    Claim,
    Direction,
    ImageEvidence,
    MeasurementEvidence,
    NoteEvidence,
    Region,
    Share,
    Span,
)
from explain.regions import AREA_OF_REGION, OUTSIDE
from explain.structured import DEMOGRAPHICS
from explain.wording import (
    counted,
    inside,
    level,
    listed,
    moment,
    normal_range,
    percent,
    quoted,
    reading,
    term,
)
from inference.prediction import Prediction, Verdict

MOST_NAMED: Final = 3
"""Values, and quoted words, that one sentence names."""
NAMED_FROM: Final = 0.15
"""A value is named when its effect reaches this part of the strongest value's."""
REGION_FROM: Final = 0.15
"""A region stands out when it holds this share of the image evidence, and …"""
REGION_ABOVE_EVEN: Final = 1.5
"""… this many times what an even spread would give it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the sentences are made from: the parts of an `Explanation` that are there before its claims are."""

    shares: tuple[Share, ...]
    baseline: float
    image: ImageEvidence | None
    note: NoteEvidence | None
    measurements: tuple[MeasurementEvidence, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """References of everything the model was given, each once."""
        whole = (self.image, self.note, *self.measurements)
        return tuple(dict.fromkeys(piece.source for piece in whole if piece is not None))


def tell(prediction: Prediction, evidence: Evidence) -> tuple[Claim, ...]:
    """Return two to five sentences: the answer, then each kind of evidence for it, then what speaks against it."""
    if prediction.verdict is Verdict.OUT_OF_SCOPE:
        return tuple(_not_assessed(prediction, evidence))
    subject = term(prediction.top.diagnosis)
    sentences: tuple[Callable[[Evidence, str], Claim | None], ...] = (_of_image, _of_values, _of_words, _against)
    told = [sentence(evidence, subject) for sentence in sentences]
    return _of_answer(prediction, evidence), *(claim for claim in told if claim is not None)


def _not_assessed(prediction: Prediction, evidence: Evidence) -> Iterator[Claim]:
    reasons = " ".join(prediction.reasons) or "It lies outside what the model was trained for."
    yield Claim(f"The model did not assess this case. {reasons}", "neutral", None, evidence.sources)
    yield Claim("What was received is shown without marks.", "neutral", None, evidence.sources)


def _of_answer(prediction: Prediction, evidence: Evidence) -> Claim:
    subject, probability = term(prediction.top.diagnosis), percent(prediction.top.probability)
    sure = prediction.verdict is Verdict.ANSWER
    says = f"puts {subject} at {probability}" if sure else f"leans towards {subject} ({probability}) without being sure"
    text = f"From {_given(evidence)} the model {says}; with nothing to go on it would say {percent(evidence.baseline)}."
    return Claim(text, "neutral", None, evidence.sources)


def _given(evidence: Evidence) -> str:
    """Name what the model was given, and which whole kinds it was not."""
    measured = sum(row.key not in DEMOGRAPHICS for row in evidence.measurements)
    personal = sorted(inside(row.name) for row in evidence.measurements if row.key in DEMOGRAPHICS)
    there = [
        *(["the radiograph"] if evidence.image else []),
        *(["the note"] if evidence.note else []),
        *([counted(measured, "measurement")] if measured else []),
        *personal,
    ]
    absent = [
        *([] if evidence.image else ["a radiograph"]),
        *([] if evidence.note else ["a note"]),
        *([] if measured else ["measurements"]),
    ]
    without = f", without {' or '.join(absent)}," if absent else ""
    return (listed(there) or "nothing") + without


def _of_image(evidence: Evidence, subject: str) -> Claim | None:
    if evidence.image is None:
        return None
    points = next(share.points for share in evidence.shares if share.modality == "image")
    direction: Direction = "neutral" if abs(points) < 0.005 else "for" if points > 0 else "against"
    text = f"The radiograph {_moves(points, subject)}; {_where(evidence.image.regions)}."
    return Claim(text, direction, "image", (evidence.image.source,))


def _moves(points: float, subject: str) -> str:
    verb = "hardly moves" if abs(points) < 0.005 else "raises" if points > 0 else "lowers"
    by = "" if abs(points) < 0.005 else f" by {counted(max(1, round(abs(100 * points))), 'point')}"
    return f"{verb} the probability of {subject}{by}"


def _where(regions: tuple[Region, ...]) -> str:
    """Say where the image evidence lies; that it lies outside the lungs more than by chance goes before all else."""
    if not regions:
        return "no part of it carries the model's image evidence"
    share = {region.name: region.share for region in regions}
    if share[OUTSIDE] > AREA_OF_REGION[OUTSIDE]:
        return f"{percent(share[OUTSIDE])} of the model's image evidence lies outside the lungs, a reason to doubt it"
    clear = [region for region in regions if region.name != OUTSIDE and _stands_out(region)][:2]
    if not clear:
        return "the model's image evidence is spread over it, and no zone stands out"
    first, *more = clear
    also = "".join(f", with {percent(region.share)} in the {region.name}" for region in more)
    if first.share > 0.5:
        return f"the model's image evidence lies mostly in the {first.name} ({percent(first.share)}){also}"
    return f"{percent(first.share)} of the model's image evidence lies in the {first.name}{also}"


def _stands_out(region: Region) -> bool:
    return region.share >= max(REGION_FROM, REGION_ABOVE_EVEN * AREA_OF_REGION[region.name])


def _of_values(evidence: Evidence, subject: str) -> Claim | None:
    rows = strongest_values(evidence.measurements, "for")
    if not rows:
        return None
    text = _opened(f"{values_in_words(rows)} {_verb(rows, 0)} for {subject}.")
    return Claim(text, "for", "structured", _sources(rows))


def _of_words(evidence: Evidence, subject: str) -> Claim | None:
    spans = strongest_spans(evidence.note, "for")
    if evidence.note is None or not spans:
        return None
    quotes = _quotes(evidence.note, spans)
    text = f"In the note of {moment(evidence.note.written_at)}, {quotes} {_verb((), len(spans))} for {subject}."
    return Claim(text, "for", "text", (evidence.note.source,))


def _against(evidence: Evidence, subject: str) -> Claim:
    rows = strongest_values(evidence.measurements, "against")
    spans = strongest_spans(evidence.note, "against")
    note = evidence.note
    if not rows and (note is None or not spans):
        return Claim(f"No value or word that the model read clearly speaks against {subject}.", "neutral", None, ())
    parts = [values_in_words(rows)] if rows else []
    if note is not None and spans:
        parts.append(f"in the note of {moment(note.written_at)}, {_quotes(note, spans)}")
    text = f"Against {subject} {_verb(rows, len(spans))} {'; and, '.join(parts)}."
    sources = (*_sources(rows), *((note.source,) if note is not None and spans else ()))
    return Claim(text, "against", "structured" if rows else "text", sources)


def strongest_values(rows: tuple[MeasurementEvidence, ...], direction: Direction) -> tuple[MeasurementEvidence, ...]:
    """Return the values that pull one way and are worth naming, strongest first."""
    least = NAMED_FROM * max((abs(row.effect) for row in rows), default=0.0)
    named = [row for row in rows if row.direction == direction and abs(row.effect) >= least]
    return tuple(sorted(named, key=lambda row: -abs(row.effect))[:MOST_NAMED])


def strongest_spans(note: NoteEvidence | None, direction: Direction) -> tuple[Span, ...]:
    """Return the marked words that pull one way, strongest first."""
    spans = [span for span in note.spans if span.direction == direction] if note else []
    return tuple(sorted(spans, key=lambda span: -span.weight)[:MOST_NAMED])


def values_in_words(rows: tuple[MeasurementEvidence, ...]) -> str:
    """Return "C-reactive protein 96 mg/L (high; normal up to 5; 24 Nov 2026, 08:22)"; a shared time is said once."""
    times = [row.taken_at for row in rows if row.key not in DEMOGRAPHICS]
    shared = len(times) == len(rows) > 1 and len(set(times)) == 1
    named = listed([_value(row, with_time=not shared) for row in rows])
    return f"{named} ({'both' if len(times) == 2 else 'all'} taken {moment(times[0])})" if shared else named


def _value(row: MeasurementEvidence, *, with_time: bool) -> str:
    if row.key in DEMOGRAPHICS:
        return f"{inside(row.name)} ({reading(row)})"
    normal = normal_range(row)
    sense = level(row)
    facts = [
        *([f"{'within' if sense == 'normal' else f'{sense};'} normal {normal}"] if normal else []),
        *([moment(row.taken_at)] if with_time else []),
    ]
    return f"{inside(row.name)} {reading(row)}" + (f" ({'; '.join(facts)})" if facts else "")


def _verb(rows: tuple[MeasurementEvidence, ...], quotes: int) -> str:
    """Return the verb for values and quotations; one value may be a plural, as "lymphocytes" is."""
    singular = len(rows) + quotes == 1 and not any(row.name.endswith("s") for row in rows)
    return "speaks" if singular else "speak"


def _quotes(note: NoteEvidence, spans: tuple[Span, ...]) -> str:
    return listed([_quote(note.text[span.start : span.end], remark(span.entities)) for span in spans])


def _quote(words: str, said: str) -> str:
    return f"{quoted(words)} ({said})" if said else quoted(words)


def _sources(rows: tuple[MeasurementEvidence, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.source for row in rows))


def _opened(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
