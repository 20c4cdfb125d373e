"""A checkpoint, a folder of figures and the source attributes -> docs/model-card.md, and the attributes for the page.

Every number in either comes out of a file of figures; nothing is typed in.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

import jinja2

from inference.attributes import RULE, Attribute, AttributesFile
from inference.checkpoint import Checkpoint
from inference.figures import Figure
from inference.training.card.figures import CardError, Printed, read_printed
from inference.training.compare.table import NAMES, ORDER, as_reported

HERE: Final = Path(__file__).parent
PAEDIATRIC: Final = "--images ../shared/data/chest-xray-paediatric"
MEDQA: Final = "--task medqa --medqa ../shared/data/medqa/test.jsonl"
FILES: Final = {
    "evaluate": f"mllm-cds evaluate {PAEDIATRIC}",
    "compare": f"mllm-cds compare {PAEDIATRIC}",
    "loss-ablation": f"mllm-cds ablate {PAEDIATRIC} --work runs/work --epochs 2",
    "entities": "mllm-cds evaluate --task entities",
    "medqa": f"mllm-cds train {MEDQA} --work runs/medqa-work --out runs/medqa\n"
    f"    mllm-cds evaluate {MEDQA} --checkpoint runs/medqa",
    "robustness": f"mllm-cds robustness {PAEDIATRIC} --adult ../shared/data/chest-xray-adult "
    "--severity ../shared/data/chest-xray-severity --films 120",
    "fusion-check": "mllm-cds fusion-check --images ../shared/data/chest-xray-severity",
}
"""Files of figures a card is made from, and the command that prints each (with --json for the file)."""


def number(value: float) -> str:
    """Write a number with three places, or none where it is whole and large."""
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.3f}"


def interval(figure: Figure) -> str:
    """Write a figure's 95 % interval, or nothing."""
    return "" if figure.low is None or figure.high is None else f"{number(figure.low)} to {number(figure.high)}"


def row(figure: Figure) -> str:
    """Write a figure as a table row: name, value, interval, n."""
    return f"| `{figure.name}` | {number(figure.value)} | {interval(figure)} | {figure.n} |"


def read_attributes() -> list[dict[str, Any]]:
    """Return the source attributes in their order: number, heading, text (a template) and category."""
    content = tomllib.loads((HERE / "source_attributes.toml").read_text(encoding="utf-8"))
    attributes: list[dict[str, Any]] = content["attribute"]
    return attributes


def render_card(checkpoint: Checkpoint, folder: Path) -> str:
    """Write the card of a checkpoint from the figures in a folder.

    Raises:
        CardError: a file is missing, or lacks a figure that the card states.
    """
    environment, known = _environment(), _known(checkpoint, folder)
    try:
        attributes = _filled(environment, known)
        return environment.get_template("model-card.md.jinja").render(known, attributes=attributes)
    except jinja2.UndefinedError as error:
        raise CardError(f"the card states what no figure says: {error.message}") from error


def render_attributes(checkpoint: Checkpoint, folder: Path) -> str:
    """Write attributes.json of a checkpoint from the figures in a folder; each attribute names its category.

    Raises:
        CardError: a file is missing, or lacks a figure that an attribute states.
    """
    try:
        filled = _filled(_environment(), _known(checkpoint, folder))
    except jinja2.UndefinedError as error:
        raise CardError(f"a source attribute states what no figure says: {error.message}") from error
    attributes, category = [], ""
    for one in filled:
        category = one.get("category", category)
        attributes.append(
            Attribute(number=one["number"], category=category, heading=one["heading"], text=_plain(one["text"]))
        )
    card = checkpoint.card
    file = AttributesFile(rule=RULE, checkpoint=checkpoint.identity, seal=card.seal, attributes=tuple(attributes))
    return file.model_dump_json(indent=2) + "\n"


def _plain(text: str) -> str:
    """Take the marks of code out of a sentence: the page shows it as it is."""
    return text.replace("`", "")


def _environment() -> jinja2.Environment:
    # Markdown, not HTML: escaping would spell quotation marks out. Nothing in it comes from a patient.
    environment = jinja2.Environment(  # noqa: S701
        loader=jinja2.FileSystemLoader(HERE),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"row": row, "number": number, "interval": interval}
    return environment


def _known(checkpoint: Checkpoint, folder: Path) -> dict[str, Any]:
    """Return what the templates may name.

    Raises:
        CardError: a file of figures is missing, or is not what a command prints.
    """
    printed: dict[str, Printed] = {name.replace("-", "_"): read_printed(folder / f"{name}.json") for name in FILES}
    return {
        **printed,
        "commands": {name.replace("-", "_"): command for name, command in FILES.items()},
        "checkpoint": checkpoint,
        "systems": ORDER,
        "names": NAMES,
        "as_reported": as_reported,
    }


def _filled(environment: jinja2.Environment, known: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the source attributes with the figures in their texts."""
    return [
        attribute | {"text": environment.from_string(attribute["text"]).render(known)}
        for attribute in read_attributes()
    ]
