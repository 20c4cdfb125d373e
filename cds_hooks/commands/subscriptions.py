"""Task -> one line for each Subscription that the settings ask for."""

from __future__ import annotations

import asyncio

from rich.console import Console
from rich.text import Text

from cds_hooks.ahead.access import OwnAccess
from cds_hooks.ahead.registering import Report, Task, carry_out
from cds_hooks.ahead.targets import NotWatchable, Target, check_watched, targets_of
from cds_hooks.commands.stopping import fail, told_plainly
from cds_hooks.crypto import open_vault
from cds_hooks.settings import ServiceSettings
from fhir_adapter.rest.transport import open_http
from fhir_adapter.settings import FhirSettings


def run_watch(task: Task) -> bool:
    """Do it, print what became of each, and tell whether all are as they should be.

    Raises:
        typer.Exit: the settings do not allow it; said on stderr.
    """
    with told_plainly():
        settings, fhir = ServiceSettings(), FhirSettings()
        targets = _targets(settings, fhir)
        return asyncio.run(_print_all(task, targets, settings, fhir))
    return False


def _targets(settings: ServiceSettings, fhir: FhirSettings) -> tuple[Target, ...]:
    """Return what the settings ask for, or end with a sentence."""
    try:
        check_watched(settings, fhir)
    except NotWatchable as error:
        raise fail(str(error)) from None
    if not settings.watch.servers:
        raise fail("no server is watched: set CDS_WATCH_SERVERS")
    if settings.secret_key is None and settings.database == "sqlite://":
        raise fail("the secrets of notifications are made from the service's key, which this database does not keep: "
                   "set CDS_SECRET_KEY")  # fmt: skip
    return targets_of(settings, open_vault(settings))


async def _print_all(task: Task, targets: tuple[Target, ...], settings: ServiceSettings, fhir: FhirSettings) -> bool:
    console, all_ok = Console(), True
    async with open_http(fhir) as http:
        async for report in carry_out(task, targets, settings, OwnAccess(http, fhir)):
            console.print(_line(report), soft_wrap=True)
            all_ok = all_ok and report.ok
    return all_ok


def _line(report: Report) -> Text:
    mark = ("✓ ", "green") if report.ok else ("✗ ", "bold red")
    return Text.assemble(mark, f"{report.target.interest.name:<9}", f"{report.target.server}: {report.state}")
