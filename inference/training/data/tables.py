"""CSV files, gzipped or not -> rows of the columns asked for; and whether a table and a folder name the same files."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from inference.training.data.films import FolderError

ENDINGS: Final = (".csv.gz", ".csv")


def find_table(folder: Path, name: str) -> Path:
    """Return the file of a table, `name.csv.gz` before `name.csv`.

    Raises:
        FolderError: there is neither.
    """
    paths = [folder / f"{name}{ending}" for ending in ENDINGS]
    found = next((path for path in paths if path.is_file()), None)
    if found is None:
        raise FolderError(f"{paths[0]} is not there (nor {paths[1].name}): download it, or name the right folder")
    return found


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the line number and the cells of `columns` of each row, in that order; a file of any length.

    Raises:
        FolderError: a column is missing, a row is cut short, or the file is no text; it names file and line.
    """
    number = 1
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8", newline="")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8-sig", newline="") as lines
        ):
            rows = csv.reader(lines)
            header = next(rows, [])
            if missing := [column for column in columns if column not in header]:
                raise FolderError(f"{path} has no column {', '.join(missing)}: this is not the published layout")
            places = [header.index(column) for column in columns]
            for row in rows:
                number = rows.line_num
                if row:
                    yield number, tuple(row[place] for place in places)
    except IndexError:
        raise FolderError(f"{path} line {number} has too few cells: download the file again") from None
    except (EOFError, OSError, UnicodeDecodeError, csv.Error) as error:
        raise FolderError(
            f"{path} cannot be read after line {number} ({type(error).__name__}): download the file again"
        ) from None


def number_of(text: str) -> float | None:
    """Return a cell as a finite or infinite number, or None where it is blank or no number."""
    try:
        value = float(text)
    except ValueError:
        return None
    return None if value != value else value  # noqa: PLR0124 - NaN


def check_present(table: Path, named: Iterable[Path]) -> None:
    """Refuse rows without a file.

    Raises:
        FolderError: it names the first and counts the others.
    """
    if lost := sorted(path for path in set(named) if not path.is_file()):
        raise FolderError(f"{lost[0]}{others(lost)} is in {table.name} but not there: add the file or take the row out")


def check_listed(table: Path, named: Iterable[Path], found: Iterable[Path]) -> None:
    """Refuse files without a row; raises as `check_present` does."""
    if stray := sorted(set(found) - set(named)):
        raise FolderError(f"{stray[0]}{others(stray)} has no row in {table.name}: add the row or take the file out")


def others(items: Sequence[object]) -> str:
    """Return how many more there are than the first, in words."""
    return f" (and {len(items) - 1} more)" if len(items) > 1 else ""
