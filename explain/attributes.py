"""attributes.json of a checkpoint -> its source attributes (ONC HTI-1), or a sentence on why there are none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from inference.attributes import ATTRIBUTES_NAME, NUMBER_OF_ATTRIBUTES, Attribute, AttributesFile
from inference.checkpoint import Card


@dataclass(frozen=True, slots=True)
class SourceAttributes:
    """The attributes in their order, or none and a sentence on why."""

    attributes: tuple[Attribute, ...]
    problem: str = ""


def read_attributes(folder: Path, card: Card) -> SourceAttributes:
    """Read the source attributes of a checkpoint; what is missing or belongs to another checkpoint is said, not raised.

    Args:
        folder: of the checkpoint.
        card: of the same checkpoint.
    """
    try:
        file = AttributesFile.model_validate_json((folder / ATTRIBUTES_NAME).read_bytes())
    except FileNotFoundError:
        return _none("This checkpoint carries no source attributes.")
    except (OSError, ValidationError):
        return _none("The source attributes of this checkpoint cannot be read.")
    if file.seal != card.seal:
        return _none("The source attributes in this checkpoint were written for another one, and are not shown.")
    if [one.number for one in file.attributes] != list(range(1, NUMBER_OF_ATTRIBUTES + 1)):
        return _none("The source attributes of this checkpoint are not complete, and are not shown.")
    return SourceAttributes(file.attributes)


def _none(why: str) -> SourceAttributes:
    return SourceAttributes((), f"{why} Whoever runs this service can write them: mllm-cds model-card.")
