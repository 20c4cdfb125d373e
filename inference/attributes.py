"""What attributes.json of a checkpoint holds: its source attributes (ONC HTI-1), with the figures already in them.

`mllm-cds model-card` writes the file beside the graph, so that whoever serves needs neither figures nor templates.
"""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict

ATTRIBUTES_NAME: Final = "attributes.json"
RULE: Final = "45 CFR 170.315(b)(11)(iv)(B)"
NUMBER_OF_ATTRIBUTES: Final = 31


class Attribute(BaseModel):
    """One source attribute; `category` is that of the rule, and holds for those behind it until the next one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    category: str
    heading: str
    text: str


class AttributesFile(BaseModel):
    """All of attributes.json; `seal` is that of the checkpoint whose figures it states."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    checkpoint: str
    seal: str
    attributes: tuple[Attribute, ...]
