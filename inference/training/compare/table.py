"""The figures of a comparison -> a table for people, with the paper's own figures beside it.

The paper's column is never in the JSON: it was measured by others on other data, and nothing here can check it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rich import box
from rich.table import Table

from inference.contract import MODALITIES
from inference.figures import Figure
from inference.training.compare.scores import METRICS
from inference.training.compare.systems import JUDGED_MASKS, TRAINED

AS_REPORTED: Final[Mapping[str, tuple[float, float]]] = {
    "mllm": (89.6, 92.3),
    "chexzero": (87.1, 89.5),
    "medclip": (86.4, 89.0),
    "biovil_t": (85.7, 88.2),
    "image_only": (80.4, 84.1),
    "text_only": (78.2, 82.5),
    "mllm_without_text": (82.5, 85.7),
    "mllm_without_image": (83.2, 86.3),
    "mllm_without_structured": (81.9, 84.9),
}
"""Accuracy and AUC in percent, from the tables of the source paper (Thiyagarajan, sections 4.3 and 4.4)."""
NAMES: Final[Mapping[str, str]] = {
    "mllm": "M-LLM",
    "chexzero": "CheXzero",
    "medclip": "MedCLIP",
    "biovil_t": "BioViL-T",
    "image_only": "image-only ViT",
    "text_only": "text-only encoder",
    **{f"mllm_without_{name}": f"no {name}, as it is" for name in MODALITIES},
    **{f"mllm_without_{name}_retrained": f"no {name}, retrained" for name in MODALITIES},
}
ORDER: Final = ("mllm", *TRAINED[:5], *list(JUDGED_MASKS)[1:], *TRAINED[5:])
CAPTION: Final = (
    "All in percent, with 95 % intervals by patients; paired where the M-LLM is ahead or behind in AUC. No image, text "
    "or structured: the M-LLM as it is, asked without it, or its fusion retrained without it. Compared systems: the "
    "published architectures at compact size, on one shared convolutional stem, trained on the same films with the "
    "same budget; the three image-text systems answer by a linear probe. Notes and measurements around the films are "
    "simulated. As reported: accuracy and AUC from the source paper, which was measured on other data; it does not "
    "say whether its M-LLM without a modality was trained anew, so both kinds stand beside the same figure."
)


def draw_table(figures: Sequence[Figure], caption: str) -> Table:
    """Return the table of a comparison's figures, a row a system; `caption` comes under it with what it must say."""
    found = {figure.name: figure for figure in figures}
    table = Table(
        title="mllm-cds compare",
        caption=f"{CAPTION} {caption}",
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("system")
    for heading in ("accuracy", "AUC", "precision", "recall", "F1", "M-LLM ahead", "as reported"):
        table.add_column(heading, justify="right")
    for system in ORDER:
        cells = [show(found[f"{system}.{metric}"]) for metric in METRICS]
        ahead = found.get(f"mllm_minus_{system}.auc")
        table.add_row(NAMES[system], *cells, "" if ahead is None else show(ahead, sign="+"), as_reported(system))
    return table


def show(figure: Figure, sign: str = "") -> str:
    """Write a figure in percent, over its interval."""
    value, low, high = (f"{100 * (number or 0):{sign}.1f}" for number in (figure.value, figure.low, figure.high))
    return f"{value}\n{low} to {high}" if sign else f"{value}\n{low}–{high}"


def as_reported(system: str) -> str:
    """Write what the paper says of a system, accuracy / AUC in percent."""
    reported = AS_REPORTED.get(system.removesuffix("_retrained"))
    return "" if reported is None else f"{reported[0]:.1f} / {reported[1]:.1f}"
