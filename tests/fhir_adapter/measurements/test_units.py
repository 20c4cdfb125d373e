import subprocess
import sys

import pytest
import ucumvert

from fhir_adapter.measurements.quantities import QUANTITIES, QUANTITY_OF_KEY, Quantity
from fhir_adapter.measurements.spellings import EXACT, SPELLINGS
from fhir_adapter.measurements.ucum import line_between
from fhir_adapter.measurements.units import AGREED, COMMON, to_unit, warm_up


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
        (4.1, "meq/L", "potassium", 4.1),
        (0.5, "mg/dL", "creatinine", 44.2008),
        (44.2, "µmol/L", "creatinine", 44.2),
        (30, "mg/dL", "urea", 4.99534),
        (14, "mg/dL", "urea_nitrogen", 14),
        (90, "mg/dL", "glucose", 4.99567),
        (1, "g/L", "glucose", 5.55074),
        (18, "mg/dL", "lactate", 1.99822),
        (1.2, "mg/dL", "bilirubin", 20.5248),
        (4.2, "g/dL", "albumin", 42),
        (0.7, "ukat/L", "alt", 42),
        (42, "IU/L", "alt", 42),
        (42, "[iU]/L", "alt", 42),
        (0.04, "ng/mL", "troponin_i", 40),
        (14, "pg/mL", "troponin_t_hs", 14),
        (14, "PG/ML", "troponin_t_hs", 14),
        (100, "pmol/L", "nt_pro_bnp", 845.7),
        (0.5, "ug/mL{FEU}", "d_dimer_feu", 0.5),
        (500, "ng/mL FEU", "d_dimer_feu", 0.5),
        (500, "ng{FEU}/mL", "d_dimer_feu", 0.5),
        (250, "ng/mL{DDU}", "d_dimer_ddu", 0.25),
        (250, "ng/mL", "d_dimer_ddu", 0.25),
        (5.33, "kPa", "pco2_arterial", 39.9783),
        (40, "mmHg", "pco2_venous", 40),
        (7.4, "[pH]", "ph_arterial", 7.4),
        (7.4, "pH", "ph_arterial", 7.4),
        (7.4, "{pH}", "ph", 7.4),
        (7.4, "1", "ph_venous", 7.4),
        (-6, "mmol/L", "base_excess", -6),
        (0.4, "1", "fio2", 40),
        (40, "%", "fio2", 40),
        (0.36, "L/L", "haematocrit", 36),
        (13.3, "kPa", "systolic", 99.7582),
        (30.5, "[lb_av]", "weight", 13.8346),
        (13_400, "g", "weight", 13.4),
        (38, "in", "height", 96.52),
        (0.96, "m", "height", 96),
        (500, "mL/min", "oxygen_flow", 0.5),
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
        ("meq/L", "glucose"),
        ("ueq/L", "creatinine"),
        ("mmol/L", "urea_nitrogen"),
        ("mg/dL", "sodium"),
        ("mg/L{FEU}", "d_dimer_ddu"),
        ("ng/mL DDU", "d_dimer_feu"),
        ("mg/L{FEU}", "crp"),
        ("[iU]/L", "crp"),
        ("1", "heart_rate"),
        ("nmol/L", "ph"),
        ("%", "ph"),
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
    assert ucumvert.parse_ucum(quantity.unit, ucumvert.get_ucum_parser()).data
    assert to_unit(7.0, quantity.unit, quantity) == 7.0


@pytest.mark.parametrize("unit", sorted({*SPELLINGS.values(), *EXACT.values()}))
def test_every_printed_form_means_a_ucum_unit(unit: str) -> None:
    """What a printed form is read as can be parsed, and is not itself read as something else."""
    assert ucumvert.parse_ucum(unit, ucumvert.get_ucum_parser()).data
    assert SPELLINGS.get(unit.lower(), unit) == unit


@pytest.mark.parametrize("pair", AGREED)
def test_what_laboratories_agree_on_is_unknown_to_the_library(pair: tuple[str, str]) -> None:
    """A conversion by agreement stands in only where UCUM has none."""
    assert line_between(*pair) is None


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
