"""A checkpoint, its graph and films -> how many films in scope the gates keep, and how much else they flag.

Judged is what serves: the exported graph, the gate of the checkpoint, the rules of `inference.scope`. Pictures out of
scope are real where there are any (`strangers`), and else drawn by families that the gate was never fitted to; which
of both a figure is of, its name says (`_drawn`). Intervals are Wilson's, for as many observations as there are
patients or files: a recall of 1 in one file is worth little, and that shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from inference.backends import Backend
from inference.checkpoint import Checkpoint
from inference.figures import Figure
from inference.gate import ImageGate
from inference.training.data.films import Film, load_pixels
from inference.training.scope.features import Encode, served_encoder
from inference.training.scope.intervals import share_figure
from inference.training.scope.outliers import (
    JUDGED,
    Pixels,
    archived,
    as_seen,
    draw_family,
    invert,
    turn,
)
from inference.training.scope.stated import lateral_figure, note_figures
from inference.training.scope.strangers import (
    SAMPLES,
    AdultFilms,
    read_adults,
    read_samples,
    read_severe_adults,
    views_of,
)

SEED: Final = 30_000
"""Of everything drawn here; the fit of a gate has others."""
DRAWN: Final = 40
"""Pictures of each family that is drawn."""

Flags = npt.NDArray[np.bool_]
Flag = Callable[[Pixels], Flags]
"""Pictures (N, S, S) -> whether the gate refuses each."""


def scope_figures(
    checkpoint: Checkpoint,
    backend: Backend,
    films: Sequence[Film],
    adult_folder: Path | None,
    severity_folder: Path | None,
) -> list[Figure]:
    """Measure every scope gate.

    Args:
        checkpoint: its gate, tokenizer and scope; without an image gate only the others are measured.
        backend: runs its graph.
        films: in scope, and neither trained on nor in the calibration split.
        adult_folder: laid out as `chest-xray-adult`; only the half of its patients no gate is fitted to is used.
        severity_folder: laid out as `chest-xray-severity`; no gate is fitted to any of it.

    Raises:
        FolderError: a film or a table cannot be read.
    """
    figures = [lateral_figure(checkpoint), *note_figures(checkpoint, films, SEED)]
    if checkpoint.gate is None:
        return figures
    refuses = refuser(checkpoint.gate, served_encoder(backend))
    figures += film_figures(refuses, load_pixels(films), [film.group for film in films])
    figures += adult_figures(refuses, adult_folder, severity_folder)
    for kind, families in JUDGED.items():
        drawn = refuses(draw_family(families, DRAWN, np.random.default_rng(SEED)))
        name = f"scope.{kind}.recall" if kind not in SAMPLES else f"scope.{kind}_drawn.recall"
        figures.append(share_figure(name, drawn, len(drawn)))
    return [*figures, *sample_figures(refuses)]


def refuser(gate: ImageGate, encode: Encode) -> Flag:
    """Join an encoder and a gate."""

    def refuses(pictures: Pixels) -> Flags:
        flags: Flags = ~(gate.score(encode(pictures)) <= gate.threshold)
        return flags

    return refuses


def film_figures(refuses: Flag, films: Pixels, groups: Sequence[str]) -> list[Figure]:
    """Return how many films (N, S, S) are kept, also after another archive, and how many refused turned or inverted."""
    patients = len(set(groups))
    rng = np.random.default_rng(SEED)
    return [
        share_figure("scope.kept", ~refuses(films), patients),
        share_figure("scope.kept_recompressed", ~refuses(archived(films, rng)), patients),
        share_figure("scope.inverted.recall", refuses(invert(films)), patients),
        share_figure("scope.rotated.recall", refuses(turn(films)), patients),
    ]


def adult_figures(refuses: Flag, adult_folder: Path | None, severity_folder: Path | None) -> list[Figure]:
    """Return how many films of adults are refused: of the source fitted to, of another hospital, and of both."""
    sources: list[tuple[str, AdultFilms]] = []
    if adult_folder is not None:
        sources.append(("adult_same_source", read_adults(adult_folder).half(1)))
    if severity_folder is not None:
        sources.append(("adult_other_hospital", read_severe_adults(severity_folder)))
    found = [(name, refuses(adults.pixels), len(set(adults.patients))) for name, adults in sources]
    figures = [share_figure(f"scope.{name}.recall", flags, patients) for name, flags, patients in found]
    if found:
        flags = np.concatenate([flags for _, flags, _ in found])
        figures.insert(0, share_figure("scope.adult.recall", flags, sum(patients for _, _, patients in found)))
    return figures


def sample_figures(refuses: Flag) -> list[Figure]:
    """Return how many of the real sample files are refused: mean over files of the share of their views."""
    figures = []
    for kind in SAMPLES:
        samples = read_samples(kind).values()
        shares = [refuses(np.stack([as_seen(view) for view in views_of(picture, SEED)])).mean() for picture in samples]
        if shares:
            name = "adult_sample" if kind == "adult" else kind
            figures.append(share_figure(f"scope.{name}.recall", shares, len(shares)))
    return figures
