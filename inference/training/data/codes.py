"""Diagnosis codes of an illness -> bacterial, viral, normal, or why its cause is not known."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import TypeAdapter, ValidationError

from inference.training.data.films import FolderError

CODES: Final = Path(__file__).parent / "diagnosis_codes.toml"
System = Literal["icd9", "icd10", "snomed"]
SYSTEM_OF_URI: Final[dict[str, System]] = {
    "http://snomed.info/sct": "snomed",
    "http://hl7.org/fhir/sid/icd-10": "icd10",
    "http://hl7.org/fhir/sid/icd-10-cm": "icd10",
    "urn:oid:2.16.840.1.113883.6.90": "icd10",
    "http://hl7.org/fhir/sid/icd-9-cm": "icd9",
    "urn:oid:2.16.840.1.113883.6.103": "icd9",
}
"""FHIR code systems (R4 terminologies); WHO's ICD-10 and the American modification agree on the codes of our table."""

BOTH: Final = "codes of a bacterial and of a viral pneumonia"
UNSTATED: Final = "a pneumonia whose cause no code states"


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One row of the table: see the comment at its head."""

    system: System
    code: str
    title: str
    diagnosis: Literal["bacterial", "viral", "unstated", "normal"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the codes of one illness come to.

    Attributes:
        label: key of a diagnosis, or None.
        reason: why there is no label; empty where no code speaks of a pneumonia at all.
    """

    label: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CodeTable:
    """The rows of a table of codes."""

    rows: tuple[CodeRow, ...]

    def meaning(self, system: System, code: str) -> str | None:
        """Return what a code says, or None where it does not speak of our question; points and blanks do not count."""
        plain = code.replace(".", "").strip().upper()
        fitting = [
            row
            for row in self.rows
            if row.system == system and (row.code == plain if system == "snomed" else plain.startswith(row.code))
        ]
        return max(fitting, key=lambda row: len(row.code)).diagnosis if fitting else None

    def judge(self, codes: Iterable[tuple[System, str]]) -> Verdict:
        """Return the label that codes of one illness agree on; a stated cause stands beside an unstated one."""
        said = {meaning for system, code in codes if (meaning := self.meaning(system, code))}
        if said >= {"bacterial", "viral"}:
            return Verdict(reason=BOTH)
        for label in ("bacterial", "viral"):
            if label in said:
                return Verdict(label)
        if "unstated" in said:
            return Verdict(reason=UNSTATED)
        return Verdict("normal" if "normal" in said else None)


def read_codes(path: Path = CODES) -> CodeTable:
    """Read a table of codes.

    Raises:
        FolderError: the file is missing, not TOML, or has missing or wrong fields.
    """
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8"))["code"]
        return CodeTable(TypeAdapter(tuple[CodeRow, ...]).validate_python(rows))
    except OSError as error:
        raise FolderError(f"{path} cannot be read: give a table such as {CODES}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError) as error:
        raise FolderError(f"{path} is no table of [[code]] rows: take {CODES} as the example") from error
    except ValidationError as error:
        fields = ", ".join(sorted({".".join(map(str, fault["loc"])) for fault in error.errors()}))
        raise FolderError(f"{path} has missing or wrong fields: {fields}") from error
