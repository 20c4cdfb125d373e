"""`mllm-cds calibrate`: fit a checkpoint's probabilities, sets and thresholds to the films of a site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cds_hooks.commands.training import AsJson, Folder, Images, require_training


def calibrate(
    images: Images,
    checkpoint: Folder = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the calibrated copy; without it only the figures are printed.")
    ] = None,
    error: Annotated[
        float | None,
        typer.Option(min=0.01, max=0.5, help="Share of answers that may be wrong; the checkpoint's own by default."),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Fit temperatures, prediction sets and the threshold to answer from to labelled films, by the served graph.

    Of the folder it was trained on the calibration split is used, of any other folder all but the test split. The
    figures compare before and after, the latter on patients that it was not fitted to. Notes and measurements around
    the films are simulated.

    Example: [bold]mllm-cds calibrate --images ../shared/data/chest-xray-paediatric --out runs/calibrated[/bold]
    """
    require_training()
    from rich.console import Console
    from rich.progress import Progress

    from cds_hooks.commands.figures import print_figures
    from inference.backends.cut import CutGraph
    from inference.checkpoint import Checkpoint
    from inference.training.calibration import DRAWS
    from inference.training.data.films import read_folder
    from inference.training.judged import judge_films
    from inference.training.recalibrate import (
        SEED,
        before_and_after,
        check_new,
        films_to_fit,
        fitter,
        write_calibrated,
    )
    from inference.training.served import ServedFilms
    from inference.training.trained_on import read_trained_on

    console, loaded = Console(stderr=True), Checkpoint.load(checkpoint)
    if out is not None:
        check_new(out)
    films = films_to_fit(read_folder(images), read_trained_on(loaded.folder))
    backend = CutGraph(loaded.model_path, threads=2)
    with Progress(console=console) as progress:
        task = progress.add_task(f"{len(films)} films", total=2 * DRAWS * len(films))
        served = ServedFilms(backend, films, lambda count: progress.advance(task, count))
        answers = judge_films(served, films, loaded.tokenizer, SEED, DRAWS)
    fit = fitter(loaded.calibration, error)
    figures = before_and_after(answers, loaded.calibration, fit)
    if out is not None:
        sealed = write_calibrated(loaded, fit(answers), out)
        console.print(f"{sealed.identity} is in {out}; judge it with: mllm-cds evaluate --images … --checkpoint {out}")
    print_figures("calibrate", figures, as_json=as_json)
