"""`mllm-cds explain-check`: how far each method of explanation can be relied on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cds_hooks.commands.training import AsJson, Folder, require_training

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cds_hooks.commands.progress_bars import Bars
    from explain.research.material import Material
    from inference.checkpoint import Checkpoint
    from inference.figures import Figure
    from inference.training.data.films import Film

ON_FILMS_OF_THE_DEMO: Final = {
    "bacterial": "bacterial",
    "contradiction": "bacterial",
    "healthy": "normal",
    "no-labs": "viral",
    "viral": "viral",
}
"""Class each demonstration film was made to show; see `cds_hooks/sandbox/films/ORIGIN.md`."""


def explain_check(
    images: Annotated[
        Path | None, typer.Option("--images", help="Folder of labelled radiographs; the demonstration's by default.")
    ] = None,
    checkpoint: Folder = None,
    films: Annotated[int, typer.Option(min=3, help="Judge this many films.")] = 80,
    *,
    planted: Annotated[
        bool, typer.Option("--planted/--no-planted", help="Train on planted evidence too: the longest part.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Measure every method of explanation beside its random control: faithful, stable, dependent on what was learned?

    Judged are films of patients the checkpoint was not trained on: the test split of its own folder, all of a folder
    that shares no film with it. Notes and measurements around the films are simulated. Without --images it is the five
    synthetic films of the demonstration: enough to see that everything runs, too few to conclude from.

    Example: [bold]mllm-cds explain-check --images ../shared/data/chest-xray-paediatric --json[/bold]
    """
    require_training()
    import torch

    from cds_hooks.commands.explain_report import print_report
    from cds_hooks.commands.figures import print_figures
    from cds_hooks.commands.progress_bars import Bars
    from cds_hooks.sandbox.films import FilmMissing
    from explain.research.passes import ResearchError
    from inference.backends import BackendError
    from inference.checkpoint import Checkpoint
    from inference.manifest import CheckpointError
    from inference.training.data.films import FolderError, read_folder

    torch.set_num_threads(1)  # the cores are shared out over batches, see explain.research.variants
    try:
        loaded = Checkpoint.load(checkpoint)
        folder = read_folder(images) if images else films_of_the_demo()
        with Bars() as bars:
            figures = measure(loaded, folder, films, bars, planted=planted)
    except (CheckpointError, FolderError, ResearchError, BackendError, FilmMissing) as error:
        typer.secho(str(error), err=True)
        raise typer.Exit(2) from error
    if as_json:
        print_figures("explain-check", figures, as_json=True)
    else:
        print_report(figures)


def films_of_the_demo() -> list[Film]:
    """Return the films that ship, each of a patient of its own."""
    from cds_hooks.sandbox.films import FOLDER
    from inference.training.data.films import LABEL_INDEX, Film

    return [
        Film(FOLDER / f"{name}.png", LABEL_INDEX[label], name, name) for name, label in ON_FILMS_OF_THE_DEMO.items()
    ]


def measure(checkpoint: Checkpoint, films: Sequence[Film], count: int, bars: Bars, *, planted: bool) -> list[Figure]:
    """Return all figures of a checkpoint on a folder of films."""
    from explain.research.check import check_methods
    from explain.research.material import choose_material
    from inference.training.trained_on import describe_choice, read_trained_on

    known = read_trained_on(checkpoint.folder)
    material = choose_material(films, known, count)
    bars.say(describe_choice(films, material.judged, known))
    # The short parts first: what is broken shows before the minutes are spent.
    others = [*narrative_figures(checkpoint), *served_figures(checkpoint, material, bars)]
    checked = check_methods(checkpoint, material, bars)
    if planted and len(material.judged) < len(films):
        bars.say("Planted evidence: the model is taught a mark, a phrase and a value that decide.")
        others += planted_figures(checkpoint, films, bars)
    composite = checked.composite(others)
    if not composite:
        bars.say("No composite: it needs planted evidence, and a folder of films to plant it in.")
    return [*composite, *checked.figures, *others]


def served_figures(checkpoint: Checkpoint, material: Material, bars: Bars) -> list[Figure]:
    """Return what the second tier finds and takes, and what the first tier costs."""
    from explain.research.check import SEED, Counter
    from explain.research.cost import measure_cost
    from explain.research.tiers import CASES, charts_in_scope, second_tier_figures
    from inference.training.robustness.charts import ASKED_AT

    count = min(CASES, len(material.judged))
    counter = Counter(bars, "second tier", count)
    figures = second_tier_figures(checkpoint, material.judged, SEED, counter)
    charts = charts_in_scope(checkpoint, material.judged, SEED)
    return figures + (measure_cost(checkpoint, [(chart, ASKED_AT) for chart in charts]) if charts else [])


def narrative_figures(checkpoint: Checkpoint) -> list[Figure]:
    """Return how far the narratives of the sample patients can be traced, as they come and after the second tier."""
    from cds_hooks.commands.narrative_check import check_demo_narratives
    from explain.second import check_case, check_inputs
    from inference.bank import Bank
    from inference.explore import Explorer
    from inference.figures import Figure

    explorer, bank = Explorer(checkpoint), Bank.load(checkpoint.folder)
    traced, found, counts = check_demo_narratives(
        checkpoint, lambda *answered: check_case(check_inputs(*answered), explorer, bank)
    )
    return [
        Figure("claims_traced", traced, "1", counts.claims),
        Figure("tampering_found", found, "1", counts.tampered),
    ]


def planted_figures(checkpoint: Checkpoint, films: Sequence[Film], bars: Bars) -> list[Figure]:
    """Return how often the methods point at evidence that is known to decide."""
    from explain.research.planted.figures import planted_figures

    return planted_figures(checkpoint.folder, films, progress=bars)
