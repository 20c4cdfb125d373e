"""The quantities read from a chart, by key and by LOINC code.

To add one: docs/add-a-measurement.md. docs/measurements.md holds the review of each row.
"""

from __future__ import annotations

from typing import Final

from fhir_adapter.measurements.quantity import Limits, Normal, Quantity
from fhir_adapter.measurements.table.blood_count import BLOOD_COUNT
from fhir_adapter.measurements.table.blood_gas import BLOOD_GAS
from fhir_adapter.measurements.table.chemistry import CHEMISTRY
from fhir_adapter.measurements.table.markers import MARKERS
from fhir_adapter.measurements.table.vitals import VITALS

__all__ = ["QUANTITIES", "QUANTITY_OF_KEY", "QUANTITY_OF_LOINC", "Limits", "Normal", "Quantity"]

QUANTITIES: Final = (*VITALS, *BLOOD_COUNT, *MARKERS, *CHEMISTRY, *BLOOD_GAS)
QUANTITY_OF_KEY: Final = {quantity.key: quantity for quantity in QUANTITIES}
QUANTITY_OF_LOINC: Final = {code: quantity for quantity in QUANTITIES for code in quantity.loinc}
