import subprocess
import sys

import pytest

from fhir_adapter.measurements.quantities import QUANTITIES, QUANTITY_OF_KEY, Quantity
from fhir_adapter.measurements.ucum import line_between
from fhir_adapter.measurements.units import COMMON, to_unit, warm_up


@pytest.mark.parametrize(
    ("value", "unit", "key", "expected"),
    [
        (38.5, "Cel", "temperature", 38.5),
        (100.4, "[degF]", "temperature", 38.0),
        (100.4, "°F", "temperature", 38.0),
        (38.5, "degC", "temperature", 38.5),
        (310.15, "K", "temperature", 37.0),
        (120, "/min", "heart_rate", 120),
        (120, "{beats}/min", "heart_rate", 120),
        (2, "Hz", "heart_rate", 120),
        (40, "{breaths}/min", "respiratory_rate", 40),
        (40, "breaths/min", "respiratory_rate", 40),
        (97, "%", "spo2", 97),
        (97, "%{saturation}", "spo2", 97),
        (0.97, "1", "spo2", 97),
        (12.5, "10*3/uL", "wbc", 12.5),
        (12.5, "10*9/L", "wbc", 12.5),
        (12.5, "10*9.L-1", "wbc", 12.5),
        (12_500, "/uL", "wbc", 12.5),
        (12_500, "{cells}/uL", "wbc", 12.5),
        (12_500, "/mm3", "wbc", 12.5),
        (12.5, "K/uL", "wbc", 12.5),
        (12.5, "k/mcL", "wbc", 12.5),
        (12.5, "10^3/µL", "wbc", 12.5),
        (12.5, "x10E3/uL", "wbc", 12.5),
        (12.5, "x 10^9/L", "wbc", 12.5),
        (12.5, "×10⁹/L", "wbc", 12.5),
        (12.5, "G/L", "wbc", 12.5),
        (0.3, "10*6/uL", "platelets", 300),
        (11.2, "g/dL", "haemoglobin", 112),
        (112, "g/L", "haemoglobin", 112),
        (7.0, "mmol/L", "haemoglobin", 112.802),
        (4.8, "mg/dL", "crp", 48),
        (48, "mg/l", "crp", 48),
        (48_000, "ug/L", "crp", 48),
        (0.4, "ug/L", "procalcitonin", 0.4),
        (400, "pg/mL", "procalcitonin", 0.4),
        (138, "mEq/L", "sodium", 138),
        (138_000, "umol/L", "sodium", 138),
    ],
)
def test_unit_as_laboratories_write_it(value: float, unit: str, key: str, expected: float) -> None:
    """Every usual way to write a unit gives the value in the unit of its quantity."""
    assert to_unit(value, unit, QUANTITY_OF_KEY[key]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("unit", "key"),
    [
        ("", "wbc"),
        (" ", "wbc"),
        ("{cells}", "wbc"),
        ("furlong", "wbc"),
        ("mg/L", "wbc"),
        ("nmol/L", "crp"),
        ("g/L", "sodium"),
        ("mm[Hg]", "spo2"),
        ("[pH]", "spo2"),
        ("(((", "wbc"),
        ("10*3/uL and more text that nobody would call a unit", "wbc"),
        ("10*9999999999/L", "wbc"),
        ("m" * 10_000, "wbc"),
    ],
)
def test_unknown_unit_is_not_guessed(unit: str, key: str) -> None:
    """A unit that is missing, unknown, of another kind or absurd gives no value, and costs no time."""
    assert to_unit(5.0, unit, QUANTITY_OF_KEY[key]) is None


def test_giga_per_litre_is_no_gram_per_litre() -> None:
    """Where only the case tells two units apart, the case decides."""
    assert to_unit(5.0, "g/L", QUANTITY_OF_KEY["wbc"]) is None
    assert to_unit(5.0, "G/L", QUANTITY_OF_KEY["haemoglobin"]) is None


@pytest.mark.parametrize(("pair", "line"), COMMON.items())
def test_table_agrees_with_the_library(pair: tuple[str, str], line: tuple[float, float]) -> None:
    """The table of common units only saves time: each row is what the UCUM library says."""
    assert line_between(*pair) == pytest.approx(line)


@pytest.mark.parametrize("quantity", QUANTITIES, ids=lambda quantity: quantity.key)
def test_unit_of_every_quantity_is_ucum(quantity: Quantity) -> None:
    """A quantity with a misspelt unit would silently refuse every value, so each one is parsed."""
    assert line_between(quantity.unit, quantity.unit) == pytest.approx((1, 0))


def test_units_that_are_no_straight_line_are_refused() -> None:
    """A logarithmic scale cannot be converted by a factor."""
    assert line_between("B", "%") is None


def test_library_is_loaded_only_when_needed() -> None:
    """Importing the adapter, and converting common units, loads neither the UCUM library nor pydicom."""
    program = (
        "import sys, fhir_adapter.build, fhir_adapter.collect\n"
        "from fhir_adapter.measurements.units import to_unit\n"
        "from fhir_adapter.measurements.quantities import QUANTITY_OF_KEY\n"
        "to_unit(100.4, '[degF]', QUANTITY_OF_KEY['temperature'])\n"
        "print([name for name in ('pint', 'ucumvert', 'pydicom', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_warm_up_leaves_the_library_ready() -> None:
    """A process that wants no first slow conversion loads the library at start."""
    warm_up()

    assert "ucumvert" in sys.modules
