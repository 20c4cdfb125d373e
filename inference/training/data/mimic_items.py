"""`mimic_items.toml` and the dictionaries of MIMIC-IV -> which itemid is which quantity."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from inference.training.data.films import FolderError
from inference.training.data.tables import find_table, read_rows

ITEMS: Final = Path(__file__).parent / "mimic_items.toml"
Kind = Literal["lab", "vital"]


@dataclass(frozen=True, slots=True)
class Item:
    """One row of the table: a quantity as MIMIC-IV names it."""

    quantity: str
    loinc: str
    label: str
    itemids: tuple[int, ...]
    unit: str


def read_items(kind: Kind) -> list[Item]:
    """Return the rows of one kind."""
    rows: list[dict[str, Any]] = tomllib.loads(ITEMS.read_text(encoding="utf-8"))[kind]
    return [Item(**{**row, "itemids": tuple(row["itemids"])}) for row in rows]


def lab_items(hosp: Path) -> dict[str, Item]:
    """Return the item of each itemid of labevents, by `d_labitems`: those of blood with a label of ours.

    Raises:
        FolderError: the dictionary is missing, or gives an itemid of ours another label.
    """
    return match_items(find_table(hosp, "d_labitems"), "lab", "fluid")


def vital_items(icu: Path) -> dict[str, Item]:
    """Return the item of each itemid of chartevents, by `d_items`; raises as `lab_items` does."""
    return match_items(find_table(icu, "d_items"), "vital", "linksto")


def match_items(path: Path, kind: Kind, place_column: str) -> dict[str, Item]:
    """Match a dictionary's rows by label, and check the itemids that we know."""
    place = {"lab": "blood", "vital": "chartevents"}[kind]
    items = read_items(kind)
    by_label = {item.label.casefold(): item for item in items}
    known = {str(itemid): item for item in items for itemid in item.itemids}
    found: dict[str, Item] = {}
    for line, (itemid, label, where) in read_rows(path, ("itemid", "label", place_column)):
        name = label.strip().casefold()
        if itemid in known and name != known[itemid].label.casefold():
            raise FolderError(
                f"{path} line {line}: item {itemid} is not {known[itemid].label} here: "
                f"this is another version of MIMIC-IV, so correct {ITEMS.name}"
            )
        # A vital sign has many items of similar names; of laboratories' items the label says enough.
        if itemid in known or (kind == "lab" and name in by_label and where.strip().casefold() == place):
            found[itemid] = by_label[name]
    if not found:
        raise FolderError(f"{path} has none of the items that are read: name the folder of MIMIC-IV 2 or 3")
    return found
