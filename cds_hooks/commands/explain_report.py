"""Figures of `explain-check` -> tables for people: what has a goal first, then each modality's methods side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cds_hooks.commands.figures import print_figures
from inference.figures import Figure

COLUMNS: Final = {
    "comprehensiveness.over_random": "compr",
    "sufficiency.over_random": "suff",
    "insertion_minus_deletion.over_random": "ins",
    "stability": "noise",
    "int8": "8 bit",
    "randomised.stem": "empty",
    "random_logit": "other",
}
"""Metrics of a method, the end of their figures' names, with the heading they stand under."""
DETAILS: Final = ("method.", "validation.")
NOTE: Final = (
    "compr, suff, ins: comprehensiveness, sufficiency and insertion - deletion less those of random maps; "
    "more is better, of sufficiency less. noise, 8 bit: rank correlation with the map under either; 1 is best. "
    "empty, other: the same with the map of an untrained model, and with that for another diagnosis; low is good."
)


def print_report(figures: Sequence[Figure]) -> None:
    """Print figures as tables on stdout."""
    print_figures("explain-check", [one for one in figures if not one.name.startswith(DETAILS)], as_json=False)
    console = Console()
    for modality in modalities(figures):
        console.print(methods_table(modality, figures))
    console.print(NOTE, style="dim", highlight=False)


def modalities(figures: Iterable[Figure]) -> list[str]:
    """Return the modalities whose methods were measured, in order."""
    return list(dict.fromkeys(one.name.split(".")[1] for one in figures if one.name.startswith("method.")))


def methods_table(modality: str, figures: Sequence[Figure]) -> Table:
    """Return the methods of a modality, one a row."""
    known = {one.name: one for one in figures}
    start = f"method.{modality}."
    methods = dict.fromkeys(name.removeprefix(start).split(".")[0] for name in known if name.startswith(start))
    # Seven columns in 80 characters: no rules between them, and the intervals are left to --json.
    table = Table(title=f"{modality}: methods", title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("method", no_wrap=True)
    for heading in COLUMNS.values():
        table.add_column(heading, justify="right")
    for method in methods:
        table.add_row(method, *(shown(known.get(f"{start}{method}.{metric}")) for metric in COLUMNS))
    return table


def shown(figure: Figure | None) -> str:
    """Return a value with its sign; nothing for what was not measured."""
    return "" if figure is None else f"{figure.value:+.2f}"
