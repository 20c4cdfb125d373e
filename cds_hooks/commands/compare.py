"""`mllm-cds compare`: the paper's table on any folder of films; it needs the extra `[train]`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cds_hooks.commands.training import AsJson, Folder, Images, require_training


def compare(
    images: Images,
    checkpoint: Folder = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each compared system, averaged.")] = 1,
    work: Annotated[Path, typer.Option(help="Where systems that are trained here are kept.")] = Path("runs/compared"),
    train_images: Annotated[
        Path | None, typer.Option(help="Folder whose training split missing systems are trained on.")
    ] = None,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 2,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Judge every film: for a folder no film of which was trained on.")
    ] = False,
    retrain: Annotated[bool, typer.Option("--retrain", help="Leave the systems that ship aside.")] = False,
    as_json: AsJson = False,
) -> None:
    """Hold the M-LLM against CheXzero, MedCLIP, BioViL-T, single modalities and itself without each modality.

    All of them are asked about the same films, notes and measurements; the notes and measurements are simulated.
    What is not trained yet is trained first, on the training split, each system with the same budget.

    Example: [bold]mllm-cds compare --images ../shared/data/chest-xray-paediatric --seeds 3[/bold]
    """
    require_training()
    from rich.console import Console

    from cds_hooks.commands.figures import machine, print_figures
    from cds_hooks.commands.progress_bars import Bars
    from inference.backends.cut import CutGraph
    from inference.checkpoint import Checkpoint, CheckpointError
    from inference.training.compare.budget import read_budget
    from inference.training.compare.kept import SHIPPED_SYSTEMS, Shelf
    from inference.training.compare.run import CompareError, Plan, may_train, take_threads
    from inference.training.compare.run import compare as hold_against
    from inference.training.compare.systems import Ground
    from inference.training.compare.table import draw_table
    from inference.training.data.films import FolderError, read_folder
    from inference.training.trained_on import choose_films, read_trained_on

    take_threads(threads)
    try:
        films = read_folder(images)
        loaded = Checkpoint.load(checkpoint)
        judged = choose_films(films, read_trained_on(loaded.folder), everything=everything)
        training = read_folder(train_images) if train_images else may_train(films, judged)
        shelf = Shelf(work, None if retrain else SHIPPED_SYSTEMS)
        plan = Plan(judged, training, seeds, shelf, read_budget())
        with Bars() as bars:
            found = hold_against(plan, loaded, CutGraph(loaded.model_path, threads=threads), Ground.of(loaded), bars)
    except (CheckpointError, CompareError, FolderError) as error:
        typer.secho(str(error), err=True)
        raise typer.Exit(2) from error
    if found.remark:
        typer.secho(found.remark, err=True)
    if as_json:
        print_figures("compare", found.figures, as_json=True)
        return
    caption = f"{loaded.identity}, {len(judged)} films, {len(found.seeds)} seed(s). {found.remark} {machine()}"
    Console().print(draw_table(found.figures, caption))
