"""Findings of `mllm-cds doctor` -> lines, a table, or JSON. Sentences of servers are never read as console markup."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

import orjson
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fhir_adapter.survey.conclusion import Conclusion
from fhir_adapter.survey.findings import Finding, Verdict

_STYLES: Final = {
    Verdict.OK: "green",
    Verdict.WARN: "yellow",
    Verdict.MISSING: "bold red",
    Verdict.FAILED: "bold red",
    Verdict.SKIPPED: "dim",
}
_NARROW: Final = 72
"""Columns below which a table leaves a sentence three words a line."""
_WIDEST: Final = 140


@dataclass(frozen=True, slots=True)
class Report:
    """What `--json` prints; the names are stable (docs/doctor.md).

    Attributes:
        findings: one for each check.
        works: whether nothing that is needed is missing or broken.
        base: FHIR base that was looked at; None where this service looked at itself.
        conclusion: of a survey, or None.
        seconds: how long it took.
        requests: requests that were made.
    """

    findings: Sequence[Finding]
    works: bool
    base: str | None = None
    conclusion: Conclusion | None = None
    seconds: float = 0.0
    requests: int = 0


def print_line(finding: Finding) -> None:
    """Print one finding of this service itself."""
    mark = ("✓ ", "green") if finding.ok else ("✗ ", "bold red")
    Console().print(Text.assemble(mark, f"{finding.part:<9}", finding.sentence), soft_wrap=True)


def print_json(report: Report) -> None:
    """Print a report as one JSON object."""
    drawn = report.conclusion
    content = {
        "base": report.base,
        "works": report.works,
        "summary": drawn.summary if drawn else "",
        "findings": [asdict(finding) | {"ms": _rounded(finding.ms)} for finding in report.findings],
        "missing": list(drawn.missing if drawn else ()),
        "tell": list(drawn.tell if drawn else ()),
        "settings": list(drawn.settings if drawn else ()),
        "seconds": round(report.seconds, 3),
        "requests": report.requests,
    }
    sys.stdout.write(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n")


def _rounded(ms: float | None) -> float | None:
    return None if ms is None else round(ms, 1)


def print_report(console: Console, report: Report) -> None:
    """Print a survey: the table, then what it comes to."""
    if console.width < _NARROW:
        _print_stacked(console, report.findings)
    else:
        console.print(_table(report.findings), width=min(console.width, _WIDEST))
    if report.conclusion is not None:
        _print_conclusion(console, report, report.conclusion)


def _table(findings: Sequence[Finding]) -> Table:
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="dim")
    table.add_column("", no_wrap=True)
    table.add_column("check", no_wrap=True)
    table.add_column("ms", justify="right", no_wrap=True)
    table.add_column("found", overflow="fold", ratio=1)
    for finding in findings:
        style = _STYLES[finding.verdict]
        ms = "" if finding.ms is None else f"{finding.ms:.0f}"
        table.add_row(Text(finding.verdict, style), Text(finding.part), Text(ms, "dim"), Text(finding.sentence))
    return table


def _print_stacked(console: Console, findings: Sequence[Finding]) -> None:
    for finding in findings:
        ms = "" if finding.ms is None else f"  {finding.ms:.0f} ms"
        console.print(Text.assemble((finding.verdict, _STYLES[finding.verdict]), f" {finding.part}", (ms, "dim")))
        console.print(Padding(Text(finding.sentence, overflow="fold"), (0, 0, 0, 2)))


def _print_conclusion(console: Console, report: Report, drawn: Conclusion) -> None:
    console.print()
    console.print(Text(drawn.summary, style="green" if drawn.works else "bold red"), soft_wrap=True)
    _print_list(console, "Missing or broken:", [f"- {clause}" for clause in drawn.missing])
    told = [f"{number}. {sentence}" for number, sentence in enumerate(drawn.tell, 1)]
    _print_list(console, "To tell the site's administrator:", told)
    _print_list(console, "Settings of the service:", list(drawn.settings))
    console.print(Text(f"\n{report.requests} requests in {report.seconds:.1f} s.", style="dim"))


def _print_list(console: Console, heading: str, lines: Sequence[str]) -> None:
    if lines:
        console.print(Text(f"\n{heading}", style="bold"))
        for line in lines:
            # Lines that are to be copied are not broken.
            console.print(Text(line), soft_wrap=True)
