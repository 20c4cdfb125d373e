"""`mllm-cds fusion-check`: whether image and laboratory together tell more than each alone, on real data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cds_hooks.commands.training import AsJson, Folder, require_training


def fusion_check(
    images: Annotated[Path, typer.Option("--images", help="Folder laid out as chest-xray-severity is.")],
    checkpoint: Folder = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Compare image, laboratory and both for "ever in intensive care", by cross-validation over patients.

    Films and laboratory values are real, and known by the day of the film; only the image encoder is the checkpoint's.
    The protocol is written in `inference/training/fusion_check.py`. With some 60 patients the intervals are wide.

    Example: [bold]mllm-cds fusion-check --images ../shared/data/chest-xray-severity --json[/bold]
    """
    require_training()
    from cds_hooks.commands.figures import print_figures
    from inference.backends.cut import CutGraph
    from inference.checkpoint import Checkpoint
    from inference.training.fusion_check import fusion_figures
    from inference.training.robustness.judge import Judge
    from inference.training.severity_rows import read_patients

    loaded = Checkpoint.load(checkpoint)
    judge = Judge(loaded, CutGraph(loaded.model_path, threads=2))
    print_figures("fusion-check", fusion_figures(judge, read_patients(images)), as_json=as_json)
