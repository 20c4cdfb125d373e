"""`mllm-cds robustness`: how the answers change as radiograph, note and measurements get worse."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cds_hooks.commands.training import AsJson, Folder, Images, require_training


def robustness(
    images: Images,
    checkpoint: Folder = None,
    adult: Annotated[Path | None, typer.Option(help="Adult films, laid out as chest-xray-adult is.")] = None,
    severity: Annotated[Path | None, typer.Option(help="Films laid out as chest-xray-severity is.")] = None,
    films: Annotated[int | None, typer.Option(min=3, help="Judge this many films of the test split, not all.")] = None,
    *,
    plot: Annotated[Path | None, typer.Option(help="SVG file to draw the curves into.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Take every film that was not trained on, not the test split alone.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure accuracy, AUC, ECE and refusals while each modality gets worse in four steps.

    Notes and measurements around the films are simulated. Films of sources never trained on are adults: the scope
    refuses them, and what the image alone would have said of them is a figure outside the scope.
    The table holds the loss of AUC at the strongest step; --json prints every step, --plot draws them.

    Example: [bold]mllm-cds robustness --images ../shared/data/chest-xray-paediatric --films 200 --plot r.svg[/bold]
    """
    require_training()
    from rich.console import Console
    from rich.progress import Progress

    from cds_hooks.commands.figures import print_figures
    from inference.backends.cut import CutGraph
    from inference.checkpoint import Checkpoint
    from inference.training.assess import SEED
    from inference.training.data.films import read_folder
    from inference.training.robustness import elsewhere
    from inference.training.robustness.judge import Judge
    from inference.training.robustness.plot import draw
    from inference.training.robustness.run import Cases, count_runs, figures_of, measure, pick_films
    from inference.training.trained_on import choose_films, read_trained_on

    loaded = Checkpoint.load(checkpoint)
    judge = Judge(loaded, CutGraph(loaded.model_path, threads=2))
    # Read before the long part: a folder that does not fit is refused at once.
    adults = [] if adult is None else elsewhere.read_adults(adult)
    severe = [] if severity is None else elsewhere.read_severe(severity)
    unseen = choose_films(read_folder(images), read_trained_on(loaded.folder), everything=everything)
    cases = Cases.around(pick_films(unseen, films), SEED)
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(f"{len(cases.subjects)} films", total=count_runs())
        curves = measure(judge, cases, lambda: progress.advance(task))
    figures = figures_of(curves, len(cases.subjects))
    figures += elsewhere.adult_figures(judge, adults) if adults else []
    figures += elsewhere.severity_figures(judge, severe) if severe else []
    if plot is not None:
        plot.write_text(draw(curves, f"{loaded.identity}: {len(cases.subjects)} films, notes and values simulated"))
    shown = [
        item for item in figures if as_json or item.name.endswith("auc_drop") or item.name.startswith("elsewhere.")
    ]
    print_figures("robustness", shown, as_json=as_json)
