"""config.json -> what a checkpoint says of itself, refused where it disagrees with the contract.

This module opens no other file of the checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from inference.contract import DIAGNOSES, IMAGE_SIZE, MEASUREMENTS, MODALITIES, SUBSETS, TEXT_TOKENS, Slot

FORMAT: Final = 1
CONFIG_NAME: Final = "config.json"
MASKS: Final = tuple(
    "+".join(name for name, kept in zip(MODALITIES, subset, strict=True) if kept) for subset in SUBSETS if any(subset)
)
"""Every set of modalities that can be there, as the keys of `Calibration.quantiles`: `image+structured`."""


class CheckpointError(RuntimeError):
    """A checkpoint that must not answer; the message names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class Label:
    """One place of the logits: key and SNOMED CT concept, as in `contract.DIAGNOSES`."""

    key: str
    snomed: str


@dataclass(frozen=True, slots=True)
class CardText:
    """The sentences a model card needs and no code can derive."""

    scope: str
    intended_use: str
    not_for: tuple[str, ...]
    simulated: str


@dataclass(frozen=True, slots=True)
class Scope:
    """What the checkpoint may be asked about.

    Attributes:
        min_age_months: youngest age, included.
        max_age_months: oldest age, not included: 72 is "up to and with the last day at 5 years".
        modalities: DICOM Modality (0008,0060) of films it reads.
        body_parts: DICOM BodyPartExamined (0018,0015); the empty string where an unstated one is accepted.
        views: DICOM ViewPosition (0018,5101); the empty string likewise.
        film_max_age_h: hours after which a film no longer shows this illness.
        note_max_age_h: the same for a note.
        max_unfamiliar_words: share of the note's words that may be foreign to the tokenizer, 0..1.
        image_gate_threshold: Mahalanobis distance beyond which a film is refused; None where there is no image gate.
    """

    min_age_months: Annotated[float, Field(ge=0)]
    max_age_months: Annotated[float, Field(gt=0)]
    modalities: tuple[str, ...]
    body_parts: tuple[str, ...]
    views: tuple[str, ...]
    film_max_age_h: Annotated[float, Field(gt=0)]
    note_max_age_h: Annotated[float, Field(gt=0)]
    max_unfamiliar_words: Annotated[float, Field(ge=0, le=1)]
    image_gate_threshold: Annotated[float, Field(gt=0)] | None = None


@dataclass(frozen=True, slots=True)
class Calibration:
    """How logits become probabilities and sets.

    Attributes:
        temperature: the logits are divided by it.
        coverage: share of cases whose diagnosis lies in the prediction set.
        quantiles: conformal quantile of 1 - p(true) for each of `MASKS`: which modalities are there changes it.
    """

    temperature: Annotated[float, Field(gt=0)]
    coverage: Annotated[float, Field(gt=0, lt=1)]
    quantiles: Mapping[str, Annotated[float, Field(ge=0, le=1)]]


@dataclass(frozen=True, slots=True)
class Manifest:
    """All of config.json; `files` holds the SHA-256 of each other file, hexadecimal."""

    format: int
    name: str
    version: str
    card: CardText
    labels: tuple[Label, ...]
    measurements: tuple[Slot, ...]
    image_size: int
    text_tokens: int
    scope: Scope
    calibration: Calibration
    files: Mapping[str, str]


def contract_fields() -> dict[str, Any]:
    """Return the fields of config.json that are the contract's, for whoever writes one."""
    return {
        "format": FORMAT,
        "labels": [{"key": diagnosis.key, "snomed": diagnosis.snomed} for diagnosis in DIAGNOSES],
        "measurements": [asdict(slot) for slot in MEASUREMENTS],
        "image_size": IMAGE_SIZE,
        "text_tokens": TEXT_TOKENS,
    }


def read_manifest(folder: Path) -> Manifest:
    """Read and check config.json.

    Raises:
        CheckpointError: it is missing, not JSON, of another format, incomplete, or made for another contract.
    """
    path = folder / CONFIG_NAME
    try:
        content = path.read_bytes()
        found = orjson.loads(content)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: give a folder made by `mllm-cds export`") from error
    except orjson.JSONDecodeError as error:
        raise CheckpointError(f"{path} is not JSON: export the checkpoint again with `mllm-cds export`") from error
    check_format(path, found)
    try:
        manifest = TypeAdapter(Manifest).validate_json(content, strict=True)
    except ValidationError as error:
        raise CheckpointError(describe(path, error)) from error
    check_contract(path, manifest)
    check_values(path, manifest)
    return manifest


def check_format(path: Path, found: object) -> None:
    """Refuse another format before its fields are looked at, since they may mean something else."""
    number = found.get("format") if isinstance(found, dict) else None
    if number != FORMAT:
        raise CheckpointError(
            f"{path} has format {number}, this version reads format {FORMAT}: "
            "export the checkpoint again with this version's `mllm-cds export`"
        )


def describe(path: Path, error: ValidationError) -> str:
    """Say which fields are wrong and why, without the values."""
    faults = [f"{'.'.join(map(str, fault['loc']))} ({fault['msg'].lower()})" for fault in error.errors()]
    return f"{path} is not complete: {'; '.join(faults)}. Correct it, or export the checkpoint again"


def check_contract(path: Path, manifest: Manifest) -> None:
    """Refuse a checkpoint whose arrays mean something else than the contract's."""
    expected = {
        "labels": tuple(Label(diagnosis.key, diagnosis.snomed) for diagnosis in DIAGNOSES),
        "measurements": MEASUREMENTS,
        "image_size": IMAGE_SIZE,
        "text_tokens": TEXT_TOKENS,
    }
    if differing := [name for name, value in expected.items() if getattr(manifest, name) != value]:
        raise CheckpointError(
            f"{path} was made for other {', '.join(differing)} than inference/contract.py has: "
            "use the version of this program that made it, or train and export again"
        )


def check_values(path: Path, manifest: Manifest) -> None:
    """Refuse figures that are each possible but not together."""
    if missing := [mask for mask in MASKS if mask not in manifest.calibration.quantiles]:
        raise CheckpointError(
            f"{path} has no conformal quantile for {', '.join(missing)}: run `mllm-cds calibrate` on the checkpoint"
        )
    if manifest.scope.min_age_months >= manifest.scope.max_age_months:
        raise CheckpointError(f"{path} has a scope without any age: make scope.min_age_months less than max_age_months")
