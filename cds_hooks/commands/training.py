"""`mllm-cds train`, `evaluate` and `export`: they need the extra `[train]`, which nothing that serves installs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated, Literal

import typer

from cds_hooks.commands.data_sets import DataLayout, LabelMap, Records, Reports, open_images

Images = Annotated[
    Path, typer.Option("--images", help="Folder with NORMAL and PNEUMONIA, laid out as the paediatric set is.")
]
Folder = Annotated[Path | None, typer.Option("--checkpoint", help="Checkpoint folder; the shipped one by default.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]
Medqa = Annotated[Path | None, typer.Option("--medqa", help="MedQA questions, one JSON object a line.")]
Task = Annotated[
    Literal["diagnosis", "medqa", "entities"],
    typer.Option("--task", help="The model itself; multiple choice by its text encoder; named entities."),
]


def require_training() -> None:
    """Refuse at once where PyTorch is not installed."""
    if importlib.util.find_spec("torch") is None or importlib.util.find_spec("sklearn") is None:
        typer.secho("This command needs PyTorch: pip install 'mllm-cds[train]'", err=True)
        raise typer.Exit(2)


def needed(path: Path | None, option: str) -> Path:
    """Return an option's path, or end with a sentence where the task needs it."""
    if path is None:
        typer.secho(f"This task needs {option}.", err=True)
        raise typer.Exit(2)
    return path


def train(
    out: Annotated[Path, typer.Option(help="Checkpoint folder to write; of medqa, the folder of its head.")],
    work: Annotated[Path, typer.Option(help="Intermediate files: a run that was cut off goes on from here.")],
    images: Annotated[Path | None, typer.Option(help="Folder of labelled radiographs.")] = None,
    data: DataLayout = "paediatric",
    records: Records = None,
    reports: Reports = None,
    label_map: LabelMap = None,
    recipe: Annotated[Path | None, typer.Option(help="TOML of the run; the shipped checkpoint's by default.")] = None,
    medqa: Medqa = None,
    adult: Annotated[Path | None, typer.Option(help="Adults' films, for the scope gate (labels.csv, images).")] = None,
    task: Annotated[
        Literal["diagnosis", "medqa"], typer.Option("--task", help="The model itself, or multiple choice by its text.")
    ] = "diagnosis",
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 2,
) -> None:
    """Train a checkpoint on labelled radiographs, with their charts or with simulated ones.

    One TOML is one run. A GPU is used where there is one; several, or several processes of one machine, by
    `torchrun --nproc-per-node=2 -m cds_hooks train …`.

    Example: [bold]mllm-cds train --images ../shared/data/chest-xray-paediatric --out runs/mine --work runs/work[/bold]
    """
    require_training()
    import torch  # only training pays for it

    from cds_hooks.commands.progress_bars import Bars
    from inference.training.devices import open_place
    from inference.training.progress import Silent
    from inference.training.recipe import COMPACT, read_recipe
    from inference.training.run import Run

    torch.set_num_threads(threads)
    place, bars = open_place(), Bars()
    with bars:
        run = Run(read_recipe(recipe or COMPACT), work, Silent() if place.rank else bars, place)
        if task == "medqa":
            from inference.training.medqa_run import train_medqa

            train_medqa(run, needed(medqa, "--medqa"), out)
            bars.say(
                f"the head is in {out}; judge it with: mllm-cds evaluate --task medqa --medqa … --checkpoint {out}"
            )
            return
        from inference.training.build import train_checkpoint

        beside = (records, reports, label_map)
        dataset = open_images(data, needed(images, "--images"), beside, run.recipe.seed)
        checkpoint = train_checkpoint(run, dataset, out, medqa=medqa, adult=adult)
        bars.say(f"{checkpoint.identity} is in {out}; judge it with: mllm-cds evaluate --images … --checkpoint {out}")


def evaluate(
    images: Annotated[Path | None, typer.Option(help="Folder of labelled radiographs.")] = None,
    checkpoint: Folder = None,
    medqa: Medqa = None,
    task: Task = "diagnosis",
    adult: Annotated[Path | None, typer.Option(help="Adults' films, for the scope gate (labels.csv, images).")] = None,
    severity: Annotated[Path | None, typer.Option(help="Adults' films of another hospital, for the same.")] = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Judge every film that was not trained on, whatever its split.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure a checkpoint: on the test split of its own folder, on every film of a folder that was kept apart.

    Notes and measurements around the films are simulated; the graph judged is the one that serves.

    Example: [bold]mllm-cds evaluate --images ../shared/data/chest-xray-paediatric --json[/bold]
    """
    require_training()
    from cds_hooks.commands.figures import print_figures

    if task == "medqa":
        from inference.training.medqa_run import evaluate_medqa

        figures = evaluate_medqa(needed(medqa, "--medqa"), checkpoint)
        print_figures("evaluate --task medqa", figures, as_json=as_json)
        return
    from cds_hooks.commands.evaluating import evaluate_diagnosis, evaluate_entities

    if task == "entities":
        print_figures("evaluate --task entities", evaluate_entities(checkpoint), as_json=as_json)
        return

    figures = evaluate_diagnosis(needed(images, "--images"), checkpoint, (adult, severity), everything=everything)
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
