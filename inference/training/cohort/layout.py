"""Clauses -> the text of a note: sentences, headings and capitals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from inference.training.cohort.marks import capitalise
from inference.training.cohort.parameters import number
from inference.training.cohort.stream import Stream
from inference.training.cohort.writer import Sections, Writer

Style = Literal["plain", "headed", "running"]


def draw_style(stream: Stream) -> Style:
    """Draw how the note is laid out."""
    rest = stream.uniform() - number("note.style_plain")
    if rest < 0:
        return "plain"
    return "headed" if rest < number("note.style_headed") else "running"


def join_words(terms: Sequence[str], last: str) -> str:
    """Return `a, b or c`."""
    *first, final = terms
    return f"{', '.join(first)} {last} {final}" if first else final


def join_sections(sections: Sections, style: Style, writer: Writer) -> str:
    """Return the text: with headings, or as running sentences."""
    parts = {
        "complaint": sections.complaint,
        "history": sections.history,
        "examination": sections.examination,
        "plan": sections.plan,
    }
    written = {key: sentences(clauses, writer.stream) for key, clauses in parts.items() if clauses}
    if style != "headed":
        return " ".join(written.values())
    between = writer.stream.pick((" ", "\n"))
    return between.join(f"{writer.say('headings', key)} {text}" for key, text in written.items())


def sentences(clauses: Sequence[str], stream: Stream) -> str:
    """Join clauses to sentences of one to three."""
    text = ""
    left = 0
    for clause in clauses:
        if left:
            text += stream.pick((", ", ", ", "; ")) + clause
            left -= 1
            continue
        text += (". " if text else "") + capitalise(clause)
        left = stream.between(0, 2)
    return f"{text}."


def recase(text: str, stream: Stream) -> str:
    """Return the note as it is, or now and then all in small letters or all in capitals."""
    share = stream.uniform() - number("note.small_letters")
    if share < 0:
        return text.lower()
    return text.upper() if share < number("note.capitals") else text
