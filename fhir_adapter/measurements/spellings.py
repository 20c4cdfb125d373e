"""Units as laboratories print them -> UCUM. Only what has one meaning in a chart; what has two is not here."""

from __future__ import annotations

from typing import Final

SPELLINGS: Final = {
    spelling: unit
    for unit, spellings in {
        "10*9/L": "10^9/l 10e9/l 10e+9/l x10^9/l x10e9/l x10*9/l 10**9/l 10⁹/l x10⁹/l gpt/l giga/l bil/l",
        "10*3/uL": "10^3/ul 10e3/ul 10e+3/ul x10^3/ul x10e3/ul x10*3/ul 10**3/ul x10**3/ul 10³/ul x10³/ul k/ul "
        "k/mm3 k/cumm k/mm^3 thou/ul thous/ul thousand/ul tsd/ul 10*3/mm3 10^3/mm3 x10^3/mm3 10³/mm³",
        "10*6/uL": "10^6/ul 10e6/ul x10^6/ul x10e6/ul x10*6/ul m/ul mil/ul million/ul",
        "/uL": "cells/ul cell/ul #/ul 1/ul /mm3 /cumm cells/mm3 cells/cumm",
        "/min": "bpm beats/min beats/minute breaths/min breaths/minute br/min resp/min /minute 1/min min-1 min^-1",
        "Cel": "c °c ℃ degc deg_c degreesc degreescelsius celsius",
        "[degF]": "f °f ℉ degf deg_f degreesf degreesfahrenheit fahrenheit",
        "%": "percent pct %spo2 %sat %o2 vol% vol.%",
        "mmol/L": "mmol/l",
        "umol/L": "umol/l mcmol/l",
        "meq/L": "meq/l",
        "mg/L": "mg/l",
        "mg/dL": "mg/dl mg% mg/100ml",
        "g/L": "g/l",
        "g/dL": "g/dl gm/dl g% gm% g/100ml",
        "ug/L": "ug/l mcg/l",
        "ug/mL": "ug/ml mcg/ml",
        "ng/mL": "ng/ml",
        "ng/L": "ng/l",
        "pg/mL": "pg/ml",
        "U/L": "u/l units/l",
        "[iU]/L": "iu/l [iu]/l",
        "mm[Hg]": "mmhg mm(hg) torr",
        "kPa": "kpa",
        "[pH]": "ph phunits",
        "L/min": "l/min lpm liters/min litres/min l/minute",
        "kg": "kg kgs kilogram kilograms",
        "[lb_av]": "lb lbs pound pounds [lb_us]",
        "cm": "cm centimeter centimetre centimeters centimetres",
        "[in_i]": "in inch inches [in_us]",
    }.items()
    for spelling in spellings.split()
}
"""Written forms that are no UCUM, or UCUM for something absurd (`K/uL` is kelvin per microlitre, `PG/ML` petagram per
megalitre), compared in lower case and without blanks."""

EXACT: Final = {"G/L": "10*9/L", "{pH}": "[pH]"}
"""What is looked up as it is written: giga per litre is no gram per litre, and of pH there may be nothing but this."""
