"""Checkpoint and films -> how often each explanation points at what was planted, as figures.

For each modality a copy of the model is taught that a plant decides: a mark on the film, a sentence of the note, an
extreme among the measurements. Of patients it has not learnt from, only cases that hold a plant and are answered
rightly count: a model that does not use the plant has nothing to be pointed at. How often it does,
`planted.<modality>.accuracy` says.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from explain.research.methods import SHIPPED
from explain.research.passes import compact
from explain.research.planted.cases import Planted, plant
from explain.research.planted.grounds import choose_grounds
from explain.research.planted.judge import Judged, judge, names_of
from explain.research.planted.plan import Plan
from explain.research.planted.pointing import Flags
from explain.research.planted.teach import Teacher
from explain.research.variants import Doubles, Subject
from fhir_adapter.record import Modality
from inference.checkpoint import Checkpoint
from inference.contract import MODALITIES, IntArray
from inference.figures import Figure
from inference.model.mllm import MultimodalModel
from inference.training.data.films import Film
from inference.training.pack import WEIGHTS_NAME, load_weights
from inference.training.progress import Progress, Silent
from inference.training.scope.intervals import share_figure

ATTENTION: Final = "raw_attention"
JUDGED_DRAW: Final = 1000
UNTAUGHT: Final = 30
"""Planted cases on which what ships is tried with the model as it was, to which marks and sentences mean nothing.

An extreme measurement may mean something to it: that control is above chance.
"""


def planted_figures(
    checkpoint_folder: Path,
    films: Sequence[Film],
    *,
    work: Path | None = None,
    plan: Plan | None = None,
    progress: Progress | None = None,
) -> list[Figure]:
    """Measure `planted.<modality>` of what ships, and `planted.<modality>.<method>` of all methods.

    Args:
        checkpoint_folder: checkpoint with its weights.
        films: a whole folder; its splits are kept apart.
        work: folder where what the copies learnt is kept, so that a second run need not teach them again.
        plan: sizes of the run.
        progress: is told what is done.

    Raises:
        CheckpointError: the weights are missing, or a file in `work` is of no use.
        ResearchError: the checkpoint is not of the preset `compact`.
        FolderError: a split has no film, or a film cannot be read.
    """
    checkpoint = Checkpoint.load(checkpoint_folder)
    model = load_weights(checkpoint.folder / WEIGHTS_NAME).requires_grad_(requires_grad=False)
    compact(model)
    plan = plan or Plan()
    teacher = Teacher(model, checkpoint, choose_grounds(films, plan), plan, work, progress or Silent())
    return [figure for modality in MODALITIES for figure in figures_of(modality, teacher)]


def figures_of(modality: Modality, teacher: Teacher) -> list[Figure]:
    """Teach one modality and judge its explanations."""
    checkpoint, name = teacher.checkpoint, f"planted.{modality}"
    taught = teacher.teach(modality)
    planted = plant(modality, teacher.grounds.judged, checkpoint.tokenizer, JUDGED_DRAW)
    right = before(taught, planted, checkpoint).answers == planted.kinds
    counts = draw(right & (planted.kinds > 0), teacher.plan.counted)
    some = draw(planted.kinds > 0, UNTAUGHT)
    found: list[Figure] = []
    if len(counts):
        judged = ask(taught, modality, planted.pick(counts), checkpoint, names_of(modality))
        found += hit_figures(modality, judged)
    found.append(share(f"{name}.accuracy", right))
    if len(some):
        shipped = SHIPPED[modality]
        unknowing = ask(teacher.model, modality, planted.pick(some), checkpoint, [shipped])
        found.append(share(f"{name}.untaught", unknowing.hits[shipped]))
    return found


def draw(flags: Flags, most: int) -> IntArray:
    """Return the places of at most `most` true flags (N,), drawn: films stand in the order of their names."""
    places = np.flatnonzero(flags)
    return np.sort(np.random.default_rng(0).permutation(places)[:most])


def before(model: MultimodalModel, planted: Planted, checkpoint: Checkpoint) -> Subject:
    """Put planted cases before a model."""
    return Subject.of(model, planted.cases(checkpoint.tokenizer), checkpoint.calibration.temperatures)


def ask(
    model: MultimodalModel, modality: Modality, planted: Planted, checkpoint: Checkpoint, names: Collection[str]
) -> Judged:
    """Judge some of the explanations that a model gives of planted cases."""
    return judge(before(model, planted, checkpoint), modality, planted, checkpoint.tokenizer, names)


def hit_figures(modality: Modality, judged: Judged) -> list[Figure]:
    """Return the rate of hits of what ships and of each method, and how evenly the question looked at the film."""
    name = f"planted.{modality}"
    found = [share(name, judged.hits[SHIPPED[modality]])]
    found += [share(f"{name}.{method}", hits) for method, hits in judged.hits.items()]
    if modality == "image":
        spread = entropy(judged.maps[ATTENTION])
        found.append(Figure(f"{name}.attention_entropy", float(spread.mean()), "1", len(spread)))
    return found


def share(name: str, flags: Flags) -> Figure:
    """Return the share of flags, one of each patient, with Wilson's interval."""
    return share_figure(name, flags, len(flags))


def entropy(attention: Doubles) -> Doubles:
    """Return the entropy of attention (N, P) as a share of the largest, (N,): 1 where it is the same everywhere."""
    parts = attention / attention.sum(1, keepdims=True)
    spread: Doubles = -(parts * np.log(parts.clip(1e-12))).sum(1) / np.log(parts.shape[1])
    return spread
