"""A film's name -> the note of its simulated child in the wordings of the training notes."""

from __future__ import annotations

import hashlib

import numpy as np

from inference.training.cohort.case import draw_group, places_of
from inference.training.cohort.chart import Chart
from inference.training.cohort.grammar import GrammarName, load_grammar
from inference.training.cohort.notes import write_note
from inference.training.cohort.orders import draw_hours, draw_orders
from inference.training.cohort.parameters import number
from inference.training.cohort.physiology import draw_child
from inference.training.cohort.stream import Stream
from inference.training.cohort.symptoms import chart_findings, draw_findings


def reworded_note(name: str, label: str, seed: int, wording: GrammarName = "train") -> str | None:
    """Write the note of `case_for(name, label, seed, grammar="test")` in another wording.

    The child, its findings and what was charted are drawn in the order of `cohort.case.draw_case`; a test holds the
    two together. Only what the wording itself draws (style, length, which clauses) differs.
    """
    digest = hashlib.sha256(f"cohort-1:{seed}:0:{name}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:16]))
    stream = Stream(rng)
    draw_orders(stream, places_of("test"))
    draw_hours(stream)
    is_written = not stream.chance(number("note.missing"))
    child = draw_child(draw_group(label, stream), rng)
    if not is_written:
        return None
    findings = chart_findings(child, draw_findings(child, rng), stream)
    return write_note(Chart(child, findings), load_grammar(wording), stream)
