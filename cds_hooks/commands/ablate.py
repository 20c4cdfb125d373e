"""`mllm-cds ablate`: what each term of the loss is worth, on a run's own encoders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cds_hooks.commands.training import AsJson, Images, require_training


def ablate(
    images: Images,
    work: Annotated[Path, typer.Option(help="Working folder of a finished `mllm-cds train`: its encoders are used.")],
    recipe: Annotated[Path | None, typer.Option(help="TOML of the run; the shipped checkpoint's by default.")] = None,
    epochs: Annotated[int, typer.Option(help="Epochs of each variant's fusion.")] = 4,
    *,
    as_json: AsJson = False,
) -> None:
    """Train the fusion with each term of the loss switched off in turn, and compare on the test split.

    Example: [bold]mllm-cds ablate --images ../shared/data/chest-xray-paediatric --work runs/work[/bold]
    """
    require_training()
    from cds_hooks.commands.figures import print_figures
    from cds_hooks.commands.progress_bars import Bars
    from inference.training.ablate import ablate_losses
    from inference.training.devices import open_place
    from inference.training.recipe import COMPACT, read_recipe
    from inference.training.run import Run

    with Bars() as bars:
        run = Run(read_recipe(recipe or COMPACT), work, bars, open_place())
        figures = ablate_losses(run, images, epochs)
    print_figures(f"ablate --images {images} --work {work} --epochs {epochs}", figures, as_json=as_json)
