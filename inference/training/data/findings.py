"""Films with findings, age and sex but without a diagnosis of our question -> labelled films, where a map says how.

A finding such as "Pneumonia" names no cause. Whoever maps findings to diagnoses takes that on; without a map these
films serve image pre-training and the scope only.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from inference.training.data.case import Case
from inference.training.data.films import LABEL_INDEX, Film, FolderError, Split, check_classes
from inference.training.data.source import Dataset, RecordedSource

NO_RULE: Final = "no rule of the label map fits its findings"


@dataclass(frozen=True, slots=True)
class FoundFilm:
    """One radiograph and what its report says.

    Attributes:
        path: the image file.
        patient: whose it is, unique within the data set.
        age_months: in the middle of the year of age that is stated, or None.
        female: 1, 0, or None where the sex is not stated.
        view: DICOM ViewPosition, or an empty string.
        present, uncertain: findings that are stated, and those stated as possible. What is in neither was denied or
            not mentioned.
        given: the published split, or None.
    """

    path: Path
    patient: str
    age_months: float | None
    female: float | None
    view: str
    present: frozenset[str]
    uncertain: frozenset[str] = frozenset()
    given: Split | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of a label map: films with all of `present` and none of `absent`, not even as possible."""

    diagnosis: str
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    def fits(self, film: FoundFilm) -> bool:
        """Say whether a film's findings are those of the rule."""
        return film.present.issuperset(self.present) and not (film.present | film.uncertain).intersection(self.absent)


def read_label_map(path: Path, findings: frozenset[str]) -> tuple[Rule, ...]:
    """Read a map: `[[rule]]` with `diagnosis`, `present`, `absent`; the first rule that fits a film counts.

    Args:
        path: a TOML file.
        findings: the names that the data set uses.

    Raises:
        FolderError: it is missing or not TOML, or a rule names an unknown diagnosis or finding, or no finding at all.
    """
    try:
        rules = TypeAdapter(tuple[Rule, ...]).validate_python(tomllib.loads(path.read_text(encoding="utf-8"))["rule"])
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, ValidationError) as error:
        raise FolderError(f"{path} is no label map: write [[rule]] with diagnosis, present and absent") from error
    for number, rule in enumerate(rules, 1):
        named = {*rule.present, *rule.absent}
        if rule.diagnosis not in LABEL_INDEX:
            raise FolderError(f"{path} rule {number}: diagnosis must be one of {', '.join(LABEL_INDEX)}")
        if not named or not named <= findings:
            raise FolderError(f"{path} rule {number}: findings must be of {', '.join(sorted(findings))}")
    return rules


def label_films(films: Sequence[FoundFilm], rules: Sequence[Rule], folder: Path) -> Dataset:
    """Return the films that a rule fits; around each stand its age and sex, the only measurements there are.

    Raises:
        FolderError: a diagnosis has no film.
    """
    chosen = [(film, next((rule.diagnosis for rule in rules if rule.fits(film)), None)) for film in films]
    labelled = tuple(
        Film(film.path, LABEL_INDEX[label], film.patient, film.patient, film.given)
        for film, label in chosen
        if label is not None
    )
    check_classes((film.label for film in labelled), folder)
    return Dataset(labelled, RecordedSource({film.path: case_of(film) for film in films}), left_out(films, labelled))


def left_out(films: Sequence[FoundFilm], labelled: Sequence[Film]) -> dict[str, int]:
    """Count the films that no rule fitted."""
    count = len(films) - len(labelled)
    return {NO_RULE: count} if count else {}


def case_of(film: FoundFilm) -> Case:
    """Return age and sex as the case around a film."""
    known = {"age": film.age_months, "female": film.female}
    values = {key: value for key, value in known.items() if value is not None}
    return Case(values, dict.fromkeys(values, 0.0), None)


def months_of(years: float) -> float:
    """Return the middle of a year of age in months: wrong by half a year at most."""
    return 12 * years + 6
