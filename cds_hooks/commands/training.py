"""`mllm-cds train`, `evaluate` and `export`: they need the extra `[train]`, which nothing that serves installs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated

import typer

Images = Annotated[
    Path, typer.Option("--images", help="Folder with NORMAL and PNEUMONIA, laid out as the paediatric set is.")
]
Folder = Annotated[Path | None, typer.Option("--checkpoint", help="Checkpoint folder; the shipped one by default.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]


def require_training() -> None:
    """Refuse at once where PyTorch is not installed."""
    if importlib.util.find_spec("torch") is None or importlib.util.find_spec("sklearn") is None:
        typer.secho("This command needs PyTorch: pip install 'mllm-cds[train]'", err=True)
        raise typer.Exit(2)


def train(
    images: Images,
    out: Annotated[Path, typer.Option(help="Checkpoint folder to write.")],
    work: Annotated[Path, typer.Option(help="Intermediate files: a run that was cut off goes on from here.")],
    recipe: Annotated[Path | None, typer.Option(help="TOML of the run; the shipped checkpoint's by default.")] = None,
    medqa: Annotated[Path | None, typer.Option(help="MedQA questions, for a wider vocabulary.")] = None,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 2,
) -> None:
    """Train a checkpoint on labelled radiographs with simulated notes and measurements.

    Example: [bold]mllm-cds train --images ../shared/data/chest-xray-paediatric --out runs/mine --work runs/work[/bold]
    """
    require_training()
    import torch  # only training pays for it
    from rich.console import Console

    from inference.training.recipe import COMPACT, read_recipe
    from inference.training.run import Run, train_checkpoint

    torch.set_num_threads(threads)
    console = Console(stderr=True)
    run = Run(read_recipe(recipe or COMPACT), work, lambda line: console.print(line, highlight=False))
    checkpoint = train_checkpoint(run, images, out, medqa)
    console.print(f"{checkpoint.identity} is in {out}; judge it with: mllm-cds evaluate --images … --checkpoint {out}")


def evaluate(
    images: Images,
    checkpoint: Folder = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Judge every film: for a folder no film of which was trained on.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure a checkpoint on the test split of a folder, or on all of a folder that was kept apart.

    Notes and measurements around the films are simulated; the graph judged is the one that serves.

    Example: [bold]mllm-cds evaluate --images ../shared/data/chest-xray-paediatric --json[/bold]
    """
    require_training()
    from cds_hooks.commands.figures import print_figures
    from inference.backends import open_backend
    from inference.checkpoint import Checkpoint
    from inference.training.assess import assess, choose_films
    from inference.training.data.films import read_folder

    loaded = Checkpoint.load(checkpoint)
    films = choose_films(read_folder(images), everything=everything)
    figures = assess(loaded, open_backend(loaded, None, threads=2), films)
    print_figures("evaluate", figures, as_json=as_json)


def export(checkpoint: Folder = None) -> None:
    """Write model.onnx anew from model.safetensors, and seal the checkpoint with its new digest.

    Example: [bold]mllm-cds export --checkpoint runs/mine[/bold]
    """
    require_training()
    from inference.checkpoint import SHIPPED
    from inference.training.pack import export_again

    sealed = export_again(checkpoint or SHIPPED)
    typer.echo(f"{sealed.identity}: SHA-256 {sealed.digest}")
