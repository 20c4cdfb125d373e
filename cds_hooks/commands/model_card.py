"""`mllm-cds model-card`: the model card and the source attributes from a checkpoint and its measured figures."""

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
    """Write the model card from measured figures, and attributes.json into the checkpoint; no number is typed by hand.

    Pages that explain an answer show the attributes; they state the checkpoint as it was when this command ran.

    Example: [bold]mllm-cds model-card --figures docs/figures --out docs/model-card.md[/bold]
    """
    require_training()
    from inference.attributes import ATTRIBUTES_NAME
    from inference.checkpoint import Checkpoint
    from inference.training.card.figures import CardError
    from inference.training.card.render import render_attributes, render_card

    loaded = Checkpoint.load(checkpoint)
    attributes = loaded.folder / ATTRIBUTES_NAME
    try:
        written = {out: render_card(loaded, figures), attributes: render_attributes(loaded, figures)}
    except CardError as error:
        typer.secho(str(error), err=True)
        raise typer.Exit(2) from error
    for path, text in written.items():
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            typer.secho(f"{path} cannot be written: {error.strerror}", err=True)
            raise typer.Exit(2) from error
        typer.echo(f"{path} is written from {figures}")
