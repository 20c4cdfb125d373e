from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from inference.training.data.films import FolderError
from inference.training.data.tables import check_listed, check_present, find_table, number_of, read_rows


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_rows_come_in_the_order_asked_for(tmp_path: Path, name: str) -> None:
    """Columns are found by name, plain or gzipped, and each row has its line for messages."""
    data = b'a,b,c\n1,"two, and",3\n'
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)

    assert list(read_rows(find_table(tmp_path, "t"), ("c", "b"))) == [(2, ("3", "two, and"))]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a,b\n1,2\n", "no column c"),
        (b"a,b,c\n1,2,3\n4\n", "line 3 has too few cells"),
        (b"a,b,c\n\xff\xfe,2,3\n", "cannot be read"),
        (b"", "no column a, c"),
    ],
)
def test_broken_table_is_refused_by_file_and_line(tmp_path: Path, data: bytes, message: str) -> None:
    """What is wrong is said with the file, the line where there is one, and what to do."""
    (tmp_path / "t.csv").write_bytes(data)

    with pytest.raises(FolderError, match=rf"t\.csv.*{message}"):
        list(read_rows(tmp_path / "t.csv", ("a", "c")))


def test_download_that_broke_off_is_refused(tmp_path: Path) -> None:
    """Half a gzip file is no table, however far it reads."""
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"a,c\n" + b"1,2\n" * 5000)[:-20])

    with pytest.raises(FolderError, match="EOFError"):
        list(read_rows(tmp_path / "t.csv.gz", ("a", "c")))


def test_missing_table_is_named_with_both_endings(tmp_path: Path) -> None:
    """The message says which file is looked for."""
    with pytest.raises(FolderError, match=r"labels\.csv\.gz is not there \(nor labels\.csv\)"):
        find_table(tmp_path, "labels")


@pytest.mark.parametrize(
    ("text", "value"), [("1.5", 1.5), ("", None), ("nan", None), ("___", None), ("-inf", float("-inf"))]
)
def test_cell_is_a_number_or_nothing(text: str, value: float | None) -> None:
    """Only what is a number is one."""
    assert number_of(text) == value


def test_row_without_file_is_refused(tmp_path: Path) -> None:
    """The first lost file is named and the others are counted."""
    with pytest.raises(FolderError, match=r"a\.jpg \(and 1 more\) is in t\.csv but not there"):
        check_present(tmp_path / "t.csv", [tmp_path / "b.jpg", tmp_path / "a.jpg"])


def test_file_without_row_is_refused(tmp_path: Path) -> None:
    """A film that no table knows is an error, not a film that is silently left out."""
    with pytest.raises(FolderError, match=r"stray\.jpg has no row in t\.csv"):
        check_listed(tmp_path / "t.csv", [tmp_path / "a.jpg"], [tmp_path / "a.jpg", tmp_path / "stray.jpg"])
