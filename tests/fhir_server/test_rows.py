"""No row of the tables in `shared/reference/hapi.md` is without its test."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.fhir_server.rows import CODE_FOR, DANGER, SEEN

HERE = Path(__file__).parent
REFERENCE = HERE.parents[2] / "shared" / "reference" / "hapi.md"
TABLES = [CODE_FOR, DANGER, SEEN]
BEARER = "token (bearer)"


def rows_of_reference() -> list[list[str]]:
    """Return the first cells of each table, in order; the header and the rule below it are left out."""
    tables: list[list[str]] = [[]]
    for line in REFERENCE.read_text().splitlines():
        if line.startswith("|"):
            tables[-1].append(line.removeprefix("| ").replace("\\|", "/").split(" | ")[0].strip())
        elif tables[-1]:
            tables.append([])
    return [table[2:] for table in tables if table]


@pytest.mark.skipif(not REFERENCE.exists(), reason="needs ../shared/reference/hapi.md, which is not in the repository")
@pytest.mark.parametrize(("place", "table"), list(enumerate(TABLES)), ids=["code for", "danger", "seen"])
def test_every_row_has_its_test(place: int, table: Mapping[str, Sequence[str]]) -> None:
    """Row by row, in the order of the tables: the name here is how the row there begins."""
    rows = rows_of_reference()[place]
    names = [name.removesuffix(" (bearer)") for name in table]

    assert len(rows) == len(names)
    assert [row for row, name in zip(rows, names, strict=False) if not row.startswith(name)] == []


def test_every_named_test_is_there() -> None:
    """A test that was renamed or lost is missed here."""
    trees = [ast.parse(path.read_text()) for path in HERE.glob("test_*.py")]
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    there = {node.name for tree in trees for node in tree.body if isinstance(node, functions)}
    named = {name for table in TABLES for tests in table.values() for name in tests}

    assert named - there == set()
