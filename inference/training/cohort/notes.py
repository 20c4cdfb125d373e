"""A chart -> the text of an emergency note, by a grammar.

The note states what was charted. It never names the illness of today: only relatives and the past may have one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from inference.training.cohort.chart import FEVER, Chart, field_words
from inference.training.cohort.grammar import Grammar, State
from inference.training.cohort.layout import draw_style, join_sections, join_words, recase
from inference.training.cohort.parameters import number, numbers
from inference.training.cohort.stream import Stream
from inference.training.cohort.typing_errors import mistype
from inference.training.cohort.writer import Sections, Writer, fit_length, trim

Section = Literal["history", "examination"]
COMPLAINTS: Final = ("fever", "cough", "dyspnoea", "vomiting", "rhinorrhoea", "abdominal_pain", "poor_feeding")
VACCINES: Final = ("vaccinated", "influenza_vaccine")
HISTORY: Final = (
    *("fever", "cough", "dyspnoea", "rhinorrhoea", "sore_throat", "vomiting", "abdominal_pain", "poor_feeding"),
    *("ill_contact", "antibiotics_before", "earlier_wheeze", "asthma", *VACCINES),
)
HEARD: Final = ("wheeze", "crackles", "reduced_breath_sounds")
EXAMINATION: Final = ("lethargy", "fast_breathing", "indrawing", *HEARD, "dullness", "otitis")
CORRECTABLE: Final = (*HEARD, "indrawing")
"""Signs that an addendum may take back."""


def write_note(chart: Chart, grammar: Grammar, stream: Stream) -> str:
    """Write one note of about 40 to 100 words, or of fewer in the plain style."""
    return mistype(draft_note(chart, grammar, stream), stream, number("note.typing_error"))


def draft_note(chart: Chart, grammar: Grammar, stream: Stream) -> str:
    """Write a note that has no typing errors yet."""
    writer = Writer(chart, grammar, stream, field_words(chart, grammar, stream))
    style = draw_style(stream)
    sections = plain_sections(writer) if style == "plain" else full_sections(writer)
    return recase(join_sections(sections, style, writer), stream)


def full_sections(writer: Writer) -> Sections:
    """Write complaint, history, examination and plan, with family, past, misleading and later remarks."""
    stream = writer.stream
    corrected = stream.pick(CORRECTABLE) if stream.chance(number("note.addendum")) else None
    complaint, told = open_note(writer, "complaint")
    history = findings_clauses(writer, [name for name in HISTORY if name not in told], "history")
    examination = measurements(writer) + findings_clauses(writer, EXAMINATION, "examination", corrected)
    plan = [writer.say("fill", "plan")] if stream.chance(number("note.has_plan")) else []
    if corrected:
        plan.append(writer.say("addendum", "frame", clause=writer.state(corrected, writer.truth(corrected))))
    sections = Sections([complaint], history, examination, plan)
    fit_length(sections, writer, stream.between(*words_between("note.words")))
    # Only now: were they trimmed away with the rest, notes on the sicker children would have fewer of them.
    history[:] = stream.shuffle(history + distractions(writer))
    if corrected:
        examination.append(writer.state(corrected, opposite(writer.truth(corrected))))
    return sections


def plain_sections(writer: Writer) -> Sections:
    """Write a short note: the complaint and a few signs."""
    stream = writer.stream
    complaint, told = open_note(writer, "plain")
    history = findings_clauses(writer, [name for name in HISTORY if name not in told], "history")
    examination = measurements(writer) + findings_clauses(writer, EXAMINATION, "examination")
    sections = Sections([complaint], history, examination, [])
    trim(sections, stream, stream.between(*words_between("note.words_plain")))
    history += distractions(writer)
    return sections


def words_between(row: str) -> tuple[int, int]:
    """Return the fewest and most words of a row."""
    low, high = numbers(row)
    return int(low), int(high)


def open_note(writer: Writer, key: Literal["plain", "complaint"]) -> tuple[str, set[str]]:
    """Return the first clause and the findings it states."""
    chart, stream = writer.chart, writer.stream
    if chart.is_check:
        return writer.say("opening", "check", reason=writer.say("check", "reason")), set()
    present = stream.shuffle([name for name in COMPLAINTS if chart.findings[name]])[: stream.between(1, 3)]
    if not present:
        return writer.say("opening", "none"), set()
    first, *rest = writer.terms(present)
    kind = "single" if key == "plain" and not rest else key
    joined = {"list": join_words([first, *rest], "and"), "rest": join_words(rest, "and") if rest else ""}
    return writer.say("opening", kind, first=first, **joined), set(present)


def findings_clauses(writer: Writer, names: Sequence[str], section: Section, corrected: str | None = None) -> list[str]:
    """Return clauses on the findings that are mentioned, the absent ones partly in lists."""
    clauses: list[str] = []
    listed: list[str] = []
    mentioned = [name for name in names if name != corrected and writer.is_mentioned(name)]
    if section == "examination" and is_called_clear(writer, corrected):
        clauses.append(writer.say("clear", "chest"))
        mentioned = [name for name in mentioned if name not in HEARD]
    for name in mentioned:
        state = writer.drawn_state(name)
        if state == "absent" and name not in VACCINES and writer.stream.chance(number("note.absent_in_list")):
            listed.append(name)
        else:
            clauses.append(writer.state(name, state))
    return clauses + negated(writer, listed, section)


def opposite(state: State) -> State:
    """Return the other of present and absent."""
    return "absent" if state == "present" else "present"


def is_called_clear(writer: Writer, corrected: str | None) -> bool:
    """Decide whether one clause says that the chest is clear."""
    if corrected in HEARD or any(writer.chart.findings[name] for name in HEARD):
        return False
    return writer.stream.chance(number("note.chest_clear"))


def negated(writer: Writer, names: Sequence[str], section: Section) -> list[str]:
    """Return the absent findings as lists of up to three under one negation."""
    clauses: list[str] = []
    rest = list(names)
    while rest:
        size = writer.stream.between(1, 3)
        terms, rest = writer.terms(rest[:size]), rest[size:]
        joined = {"list": join_words(terms, "or"), "nor": join_words(terms, "nor")}
        is_pair = len(terms) == 2 and writer.stream.chance(number("note.neither_nor"))
        clauses.append(writer.say("lists", "pair" if is_pair else section, **joined))
    return clauses


def measurements(writer: Writer) -> list[str]:
    """Return the numbers that a note repeats from the vital signs."""
    is_febrile = writer.chart.child.values["temperature"] >= FEVER
    shares = {
        "temperature" if is_febrile else "afebrile": number("note.repeats_temperature"),
        "sats": number("note.repeats_saturation"),
        "pulse": number("note.repeats_pulse"),
    }
    return [writer.say("measured", key) for key, share in shares.items() if writer.stream.chance(share)]


def distractions(writer: Writer) -> list[str]:
    """Return remarks on relatives and the past, and misleading ones, as often in one group as in the other."""
    stream = writer.stream
    keys = [stream.pick(("person", "past"))] if stream.chance(number("note.other_person_or_past")) else []
    keys += ["misleading"] if stream.chance(number("note.misleading")) else []
    return [writer.say("other", key) for key in keys]
