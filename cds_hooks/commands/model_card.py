"""`mllm-cds model-card`: the model card from a checkpoint and its measured figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cds_hooks.commands.training import Folder, require_training


def model_card(
    figures: Annotated[Path, typer.Option(help="Folder of what the measuring commands printed with --json.")] = Path(
        "docs/figures"
    ),
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("docs/model-card.md"),
    checkpoint: Folder = None,
) -> None:
    """Write the model card from measured figures; no number in it is typed by hand.

    Example: [bold]mllm-cds model-card --figures docs/figures --out docs/model-card.md[/bold]
    """
    require_training()
    from inference.checkpoint import Checkpoint
    from inference.training.card.figures import CardError
    from inference.training.card.render import render_card

    try:
        out.write_text(render_card(Checkpoint.load(checkpoint), figures), encoding="utf-8")
    except CardError as error:
        typer.secho(str(error), err=True)
        raise typer.Exit(2) from error
    typer.echo(f"{out} is written from {figures}")
