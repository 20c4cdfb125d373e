"""The checkers share no code with what they check."""

import ast
from pathlib import Path

import pytest

import explain.check
from explain.check.vocabulary import kind_of_word, measures, plain_words
from explain.structured import DEMOGRAPHICS
from fhir_adapter.measurements.quantities import Quantity
from tests.explain.examples import MEASURED, normal_of

FOLDER = Path(explain.check.__file__).parent
TYPES = {
    "explain.evidence", "explain.facts", "explain.tested", "fhir_adapter.record", "inference.prediction",
    "inference.contract", "fhir_adapter.measurements.ucum",
}  # fmt: skip


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_checkers_import_types_only(path: Path) -> None:
    """Of the project a checker imports its own folder, types, and the UCUM library."""
    found = {
        node.module
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module
    }
    ours = {name for name in found if name.split(".")[0] in ("explain", "fhir_adapter", "inference", "cds_hooks")}
    assert {name for name in ours if not name.startswith("explain.check")} <= TYPES


@pytest.mark.parametrize("quantity", MEASURED, ids=lambda quantity: quantity.key)
def test_the_second_table_agrees_with_the_first(quantity: Quantity) -> None:
    """The checker's own table has what the model takes: codes, unit, range of ages 1 to 5, molar mass and name."""
    own = measures()[quantity.key]
    assert (own.loinc, own.unit, own.normal, own.molar_mass) == (
        frozenset(quantity.loinc), quantity.unit, normal_of(quantity.key), quantity.molar_mass,
    )  # fmt: skip
    assert quantity.name.lower() in own.names


def test_the_second_table_holds_nothing_else() -> None:
    """Besides the quantities it holds age and sex."""
    assert measures().keys() == {quantity.key for quantity in MEASURED} | DEMOGRAPHICS.keys()


def test_no_plain_word_is_a_clinical_one() -> None:
    """A word that may stand in any sentence is in no list of findings, advice, numbers, sides or denials."""
    assert not {word for word in plain_words() if kind_of_word(word) != "word"}
