"""Label and seed -> one simulated case: measurements with their age, and a note."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np

from inference.training.cohort.chart import Chart
from inference.training.cohort.grammar import GrammarName, load_grammar
from inference.training.cohort.notes import write_note
from inference.training.cohort.orders import ALL, Places, draw_hours, draw_orders
from inference.training.cohort.parameters import Group, Label, number
from inference.training.cohort.physiology import draw_child
from inference.training.cohort.stream import Stream
from inference.training.cohort.symptoms import chart_findings, draw_findings
from inference.training.data.case import Case

LABELS: Final[tuple[Label, ...]] = ("normal", "bacterial", "viral")


def draw_case(label: str, rng: np.random.Generator, *, grammar: GrammarName = "train", complete: bool = False) -> Case:
    """Draw one case of a class.

    Args:
        label: `normal`, `bacterial` or `viral`.
        rng: everything is drawn from it.
        grammar: which wordings the note has; `train` also draws masks that no hospital has, `test` does not.
        complete: everything measured and a note written.

    Raises:
        ValueError: the label is none of the three.
    """
    if label not in LABELS:
        raise ValueError(f"there is no simulated class of this name: use one of {', '.join(LABELS)}")
    stream = Stream(rng)
    # Before anything that depends on the class, so that what is missing tells nothing.
    ordered = draw_orders(stream, places_of(grammar))
    hours = draw_hours(stream)
    is_written = not stream.chance(number("note.missing"))
    child = draw_child(draw_group(label, stream), rng)
    keys = [key for key in ALL if complete or key in ordered]
    note = None
    if complete or is_written:
        findings = chart_findings(child, draw_findings(child, rng), stream)
        note = write_note(Chart(child, findings), load_grammar(grammar), stream)
    return Case({key: float(child.values[key]) for key in keys}, {key: hours[key] for key in keys}, note)


def draw_cases(labels: Sequence[str], seed: int, *, grammar: GrammarName = "train") -> list[Case]:
    """Draw one case for each label; the case of a place depends on seed and place alone."""
    return [
        draw_case(label, np.random.default_rng([seed, place]), grammar=grammar) for place, label in enumerate(labels)
    ]


def case_for(
    film_name: str, label: str, seed: int, *, grammar: GrammarName = "train", draw: int = 0, complete: bool = False
) -> Case:
    """Draw the case of a radiograph: the same for the same name, seed and draw, whatever else is in the folder."""
    digest = hashlib.sha256(f"cohort-1:{seed}:{draw}:{film_name}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:16]))
    return draw_case(label, rng, grammar=grammar, complete=complete)


def draw_group(label: str, stream: Stream) -> Group:
    """Return the distribution to draw from: a child without pneumonia came for cough or fever, or for a check."""
    is_cough = stream.chance(number("group.cough"))
    if label == "normal":
        return "cough" if is_cough else "check"
    return "bacterial" if label == "bacterial" else "viral"


def places_of(grammar: GrammarName) -> Places:
    """Return where the measurements are taken."""
    return "any" if grammar == "train" else "published"
