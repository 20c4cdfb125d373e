"""A folder and the name of its layout -> a data set to train on or to judge with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from inference.training.data.adult import read_adult
from inference.training.data.chexpert import read_chexpert
from inference.training.data.fhir_export import read_fhir_export
from inference.training.data.films import FolderError, read_folder
from inference.training.data.leakage import check_split
from inference.training.data.mimic import MimicFolders, read_mimic
from inference.training.data.readable import check_readable
from inference.training.data.source import Dataset, SimulatedSource


class Layout(StrEnum):
    """Published layouts of data sets, by the name the command line takes."""

    PAEDIATRIC = "paediatric"
    MIMIC = "mimic"
    CHEXPERT = "chexpert"
    ADULT = "adult"
    FHIR = "fhir"


@dataclass(frozen=True, slots=True)
class Beside:
    """What some layouts need beside the folder of films.

    Attributes:
        records: MIMIC-IV, whose films are in MIMIC-CXR-JPG.
        reports: MIMIC-CXR reports, where they lie apart from the films.
        label_map: which findings mean which diagnosis, for sets that name no cause of a pneumonia.
    """

    records: Path | None = None
    reports: Path | None = None
    label_map: Path | None = None


def open_dataset(layout: Layout, folder: Path, beside: Beside, seed: int) -> Dataset:
    """Read a data set and check it: before hours are spent, not after.

    Args:
        layout: of the folder.
        folder: of the films.
        beside: what the layout needs more.
        seed: of the simulated cases, where the layout has no charts.

    Raises:
        FolderError: a file is missing, unreadable or misnamed, a class is empty, or a patient is on two sides.
    """
    dataset = read_layout(layout, folder, beside, seed)
    films = list(dataset.films)
    check_split(films, check_readable(films))
    return dataset


def read_layout(layout: Layout, folder: Path, beside: Beside, seed: int) -> Dataset:
    """Read a data set of a layout, without the checks of its films."""
    if layout is Layout.MIMIC:
        if beside.records is None:
            raise FolderError("MIMIC-CXR has no measurements of its own: give the folder of MIMIC-IV with --records")
        return read_mimic(MimicFolders(beside.records, folder, beside.reports))
    if layout is Layout.CHEXPERT:
        return read_chexpert(folder, beside.label_map)
    if layout is Layout.ADULT:
        return read_adult(folder, beside.label_map)
    if layout is Layout.FHIR:
        return read_fhir_export(folder)
    return Dataset(tuple(read_folder(folder)), SimulatedSource(seed))
