"""`mllm-cds worker`: a worker process beside the web processes."""

from __future__ import annotations

import typer


def worker() -> None:
    """Work on the jobs of the queue that CDS_BROKER_URL names.

    Needed only with a broker; without one `mllm-cds serve` works by itself.

    Example: [bold]CDS_BROKER_URL=redis://127.0.0.1:6379/0 mllm-cds worker[/bold]
    """
    from cds_hooks.commands.running import run_worker_process

    raise typer.Exit(run_worker_process())
