"""`mllm-cds watch`: the Subscriptions by which watched servers tell of fresh results."""

from __future__ import annotations

from typing import Annotated

import typer


def watch(
    register: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--register", help="Make them, or bring them up to date.")
    ] = False,
    unregister: Annotated[bool, typer.Option("--unregister", help="Take them away.")] = False,  # noqa: FBT002
    status: Annotated[bool, typer.Option("--status", help="Show them (the default).")] = False,  # noqa: FBT002
) -> None:
    """Show, make or take away the Subscriptions on the servers of CDS_WATCH_SERVERS.

    The service itself does the watching. Polling (CDS_WATCH_BY=poll) needs no Subscriptions. Exit status 1 where one is
    not as it should be.

    Example: [bold]CDS_WATCH_SERVERS=https://ehr.example.org/fhir mllm-cds watch --register[/bold]
    """
    from cds_hooks.ahead.registering import Task
    from cds_hooks.commands.stopping import fail
    from cds_hooks.commands.subscriptions import run_watch

    if register + unregister + status > 1:
        raise fail("choose one of --register, --unregister and --status")
    task = Task.REGISTER if register else Task.UNREGISTER if unregister else Task.STATUS
    if not run_watch(task):
        raise typer.Exit(1)
