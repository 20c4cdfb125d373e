"""Options that name a data set -> the data set, or a sentence on what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from inference.training.data.source import Dataset

DataLayout = Annotated[
    str, typer.Option("--data", help="Layout of --images: paediatric, mimic, chexpert, adult or fhir.")
]
Records = Annotated[Path | None, typer.Option("--records", help="Folder of MIMIC-IV, beside films of MIMIC-CXR-JPG.")]
Reports = Annotated[Path | None, typer.Option("--reports", help="Folder of MIMIC-CXR's reports, where apart.")]
LabelMap = Annotated[
    Path | None, typer.Option("--label-map", help="TOML: which findings mean which diagnosis (CheXpert, adult).")
]


def open_images(layout: str, images: Path, beside: tuple[Path | None, Path | None, Path | None], seed: int) -> Dataset:
    """Read and check a data set; `beside` is records, reports and label map. Says what was left out, and why."""
    from inference.training.data.films import FolderError
    from inference.training.data.layouts import Beside, Layout, open_dataset

    try:
        dataset = open_dataset(Layout(layout), images, Beside(*beside), seed)
    except FolderError as error:
        typer.secho(str(error), err=True)
        raise typer.Exit(2) from error
    except ValueError as error:
        typer.secho(f"--data {layout} is not known: use one of {', '.join(Layout)}", err=True)
        raise typer.Exit(2) from error
    for reason, count in dataset.left_out.items():
        typer.secho(f"left out {count}: {reason}", err=True)
    return dataset
