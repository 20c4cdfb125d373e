"""Curves -> one SVG of small multiples, readable on light and dark ground, without any plotting library."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Final

from inference.training.robustness.run import Curve, Point

COLUMNS: Final = 4
WIDTH, HEIGHT, LEFT, TOP = 190, 120, 46, 40
"""Of a panel's axes, and the room left of and above them, in SVG units."""
CELL_WIDTH, CELL_HEIGHT = WIDTH + LEFT + 16, HEIGHT + TOP + 46
HEAD: Final = 84
TITLE_OF: Final = {"image": "Radiograph", "text": "Note", "structured": "Measurements"}


@dataclass(frozen=True, slots=True)
class Line:
    """One metric as it is drawn; dashes tell the lines apart where colours do not."""

    metric: str
    label: str
    dashes: str


LINES: Final = (
    Line("auc", "AUC, with 95 % interval", ""),
    Line("accuracy", "accuracy", "7 3"),
    Line("refused", "refused as out of scope", "2 3"),
    Line("unsure", "unsure", "7 3 2 3"),
    Line("ece", "ECE", "1 4"),
)
# Hues that stay apart for the colour-blind (Okabe and Ito 2008), darker on white and lighter on black.
STYLE: Final = """
svg { background: #fff; --ink: #222; --faint: #ccc; --auc: #0072b2; --accuracy: #a05a00; --refused: #c02f00;
  --unsure: #00795a; --ece: #8a4a78; font: 11px system-ui, sans-serif; fill: var(--ink); }
@media (prefers-color-scheme: dark) { svg { background: #15181c; --ink: #e4e6e8; --faint: #454b52; --auc: #6cc0f5;
  --accuracy: #f0b04a; --refused: #ff8f66; --unsure: #4fd1a8; --ece: #dfa0c8; } }
.title { font-size: 16px; font-weight: 600 } .section { font-size: 13px; font-weight: 600 } .kind { font-weight: 600 }
path { fill: none } .axis { stroke: var(--ink) } .grid { stroke: var(--faint) } .line { stroke-width: 2 }
.band { opacity: 0.2; stroke: none }
"""


def draw(curves: Sequence[Curve], title: str) -> str:
    """Return the SVG: one panel a kind, rows by modality, steps across and metrics from 0 to 1 upwards."""
    parts, top = [], HEAD
    for modality, group in groupby(curves, key=lambda curve: curve.kind.modality):
        parts.append(text(LEFT, top + 14, TITLE_OF[modality], "section"))
        members = list(group)
        for place, curve in enumerate(members):
            column, row = place % COLUMNS, place // COLUMNS
            panel = "".join(draw_panel(curve))
            parts.append(f'<g transform="translate({column * CELL_WIDTH + LEFT} {top + row * CELL_HEIGHT + TOP})">')
            parts.append(f"{panel}</g>")
        top += -(-len(members) // COLUMNS) * CELL_HEIGHT + 14
    width = COLUMNS * CELL_WIDTH + 10
    body = "".join([text(LEFT, 26, title, "title"), *draw_legend(), *parts])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top}" width="{width}" height="{top}" '
        f'role="img" aria-label="{escape(title)}"><style>{STYLE}</style>{body}</svg>\n'
    )


def text(x: float, y: float, words: str, name: str = "", anchor: str = "start") -> str:
    """Return words at a place."""
    return f'<text x="{x:g}" y="{y:g}" class="{name}" text-anchor="{anchor}">{escape(words)}</text>'


def draw_legend() -> Iterator[str]:
    """Yield one sample and label for each line."""
    x: float = LEFT
    for line in LINES:
        yield f'<path class="line" d="M{x:g} 52h30" stroke="var(--{line.metric})" stroke-dasharray="{line.dashes}"/>'
        yield text(x + 36, 56, line.label)
        x += 66 + 6.2 * len(line.label)


def place(step: int, value: float, steps: int) -> tuple[float, float]:
    """Return where a value of 0..1 at a step lies in a panel."""
    return step * WIDTH / (steps - 1), HEIGHT * (1 - value)


def draw_panel(curve: Curve) -> Iterator[str]:
    """Yield axes with labels, the interval of the AUC, and the lines."""
    yield text(0, -10, curve.kind.name, "kind")
    yield from draw_axes(curve)
    count = len(curve.points)
    low, high = ([place(step, point.interval[end], count) for step, point in enumerate(curve.points)] for end in (0, 1))
    yield f'<path class="band" style="fill: var(--auc)" d="{path([*low, *reversed(high)])}Z"/>'
    for line in reversed(LINES):
        spots = [place(step, point.metrics[line.metric], count) for step, point in enumerate(curve.points)]
        colour = f"var(--{line.metric})"
        yield f'<path class="line" stroke="{colour}" stroke-dasharray="{line.dashes}" d="{path(spots)}"/>'
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in spots)


def path(spots: Sequence[tuple[float, float]]) -> str:
    """Return a line through places."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in spots)


def draw_axes(curve: Curve) -> Iterator[str]:
    """Yield the grid, the axes and their labels: strengths below, shares on the left."""
    for value in (0, 0.25, 0.5, 0.75, 1):
        y = HEIGHT * (1 - value)
        yield f'<path class="grid" d="M0 {y:g}h{WIDTH}"/>' + text(-6, y + 4, f"{value:g}", anchor="end")
    yield f'<path class="axis" d="M0 0v{HEIGHT}h{WIDTH}"/>'
    points: tuple[Point, ...] = curve.points
    for step, strength in enumerate(curve.kind.strengths):
        x, _ = place(step, 0, len(points))
        yield text(x, HEIGHT + 14, f"{strength:g}" if step else "none", anchor="middle")
    yield text(WIDTH / 2, HEIGHT + 29, curve.kind.unit, anchor="middle")
