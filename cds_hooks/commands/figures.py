"""Measured figures -> the one JSON object that every measuring command prints, or a table for people."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import orjson
from rich.console import Console
from rich.table import Table

from cds_hooks.commands.versions import installed_version
from inference.figures import Figure

RESAMPLES = 2000


def percentile(name: str, values: Sequence[float], percent: float, unit: str = "ms") -> Figure:
    """Return a percentile of measured values with its 95 % bootstrap interval."""
    sample = np.asarray(values, dtype=np.float64)
    # Fixed seed: the interval of the same numbers is the same.
    drawn = np.random.default_rng(0).choice(sample, size=(RESAMPLES, len(sample)))
    low, high = np.percentile(np.percentile(drawn, percent, axis=1), [2.5, 97.5])
    return Figure(name, float(np.percentile(sample, percent)), unit, len(sample), float(low), float(high))


def print_figures(command: str, figures: Sequence[Figure], *, as_json: bool) -> None:
    """Print figures on stdout."""
    console = Console()
    if as_json:
        body = {
            "figures": [_rounded(figure) for figure in figures],
            "command": command,
            "version": installed_version(),
            "machine": machine(),
        }
        console.out(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode(), highlight=False)
    else:
        console.print(_table(command, figures))


def _rounded(figure: Figure) -> dict[str, object]:
    """Return a figure as JSON content, without digits that mean nothing."""
    return {key: _short(value) if isinstance(value, float) else value for key, value in asdict(figure).items()}


def _short(value: float) -> float:
    """Round to four places, or to three digits what would vanish."""
    return round(value, 4) if abs(value) >= 0.001 else float(f"{value:.3g}")


def _table(command: str, figures: Sequence[Figure]) -> Table:
    """Return figures as a table."""
    table = Table(title=f"mllm-cds {command}", caption=machine(), title_justify="left", caption_justify="left")
    for heading in ("figure", "value", "unit", "95 % interval", "n"):
        table.add_column(heading, justify="left" if heading in ("figure", "unit") else "right")
    for figure in figures:
        interval = "" if figure.low is None or figure.high is None else f"{figure.low:.2f} to {figure.high:.2f}"
        table.add_row(figure.name, f"{figure.value:.2f}", figure.unit, interval, str(figure.n))
    return table


def machine() -> str:
    """Return processor, cores and system in one line."""
    return (
        f"{_processor()}, {len(os.sched_getaffinity(0))} cores, {platform.system()}, Python {platform.python_version()}"
    )


def _processor() -> str:
    """Return the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
