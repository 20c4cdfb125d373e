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

FORMAT: Final = 2
CONFIG_NAME: Final = "config.json"
FORMAT_1: Final = (
    "in its calibration put `temperatures`, the one `temperature` repeated for each label, and set `format` to 2; "
    "then run `mllm-cds calibrate`, or train it again"
)
"""What to do with a checkpoint of the first format, which had one temperature for all diagnoses."""
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
        image_gate_threshold: score of `inference.gate` beyond which a film is refused; None where there is no gate.
        image_gate_kinds: what the gate was taught to know that is not in scope.
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
    image_gate_kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """When the model answers and when it says that it is unsure.

    Attributes:
        error: share of the answers that may be wrong, as it was aimed at.
        doubt: chance that the thresholds, fitted on few patients, miss that aim.
        answer_from: for each of `MASKS` the least probability that is an answer; 1 where none kept the aim, so that
            with these modalities the model is always unsure.
    """

    error: Annotated[float, Field(gt=0, lt=1)]
    doubt: Annotated[float, Field(gt=0, lt=1)]
    answer_from: Mapping[str, Annotated[float, Field(ge=0, le=1)]]


@dataclass(frozen=True, slots=True)
class Calibration:
    """How logits become probabilities, sets and answers.

    Attributes:
        temperatures: one for each of `DIAGNOSES`; that of the likeliest one divides all logits of a case.
        coverage: share of cases whose diagnosis lies in the prediction set.
        quantiles: conformal quantile of 1 - p(true) for each of `MASKS`: which modalities are there changes it.
        selection: None where every single diagnosis in a set is an answer, however improbable.
    """

    temperatures: tuple[Annotated[float, Field(gt=0)], ...]
    coverage: Annotated[float, Field(gt=0, lt=1)]
    quantiles: Mapping[str, Annotated[float, Field(ge=0, le=1)]]
    selection: Selection | None = None


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
        remedy = FORMAT_1 if number == 1 else "use the version of this program that made it, or train it again"
        raise CheckpointError(f"{path} has format {number}, this version reads format {FORMAT}: {remedy}")


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
    calibration = manifest.calibration
    if len(calibration.temperatures) != len(DIAGNOSES):
        raise CheckpointError(
            f"{path} has {len(calibration.temperatures)} temperatures for {len(DIAGNOSES)} labels: give one for each"
        )
    check_masks(path, "conformal quantile", calibration.quantiles)
    if calibration.selection is not None:
        check_masks(path, "threshold to answer from", calibration.selection.answer_from)
    if manifest.scope.min_age_months >= manifest.scope.max_age_months:
        raise CheckpointError(f"{path} has a scope without any age: make scope.min_age_months less than max_age_months")


def check_masks(path: Path, what: str, given: Mapping[str, float]) -> None:
    """Refuse a figure that is not there for every set of modalities."""
    if missing := [mask for mask in MASKS if mask not in given]:
        raise CheckpointError(
            f"{path} has no {what} for {', '.join(missing)}: give 1, which excludes nothing, then run "
            "`mllm-cds calibrate` on the checkpoint"
        )
