"""Tuned models <-> files: only what learnt is written, under a name that changes with all that it depends on."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from explain.research.planted.cases import SEED
from explain.research.planted.grounds import MISSING
from explain.research.planted.plan import Plan
from explain.research.planted.tune import LEARNT
from fhir_adapter.record import Modality
from inference.checkpoint import CheckpointError
from inference.model.mllm import MultimodalModel
from inference.training.data.films import Film


def path_in(work: Path, modality: Modality, weights: Path, plan: Plan, films: Sequence[Film]) -> Path:
    """Return where a tuned model is kept.

    Args:
        work: folder.
        modality: in which something is planted.
        weights: file of the checkpoint that is tuned.
        plan: of the run.
        films: it learns from, and stops by.
    """
    digest = hashlib.sha256(weights.read_bytes())
    digest.update(repr((SEED, MISSING, plan.views, plan.enough, plan.stages[modality])).encode())
    digest.update("\n".join(film.path.name for film in films).encode())
    return work / f"planted-{modality}-{digest.hexdigest()[:16]}.safetensors"


def save_tuned(path: Path, model: MultimodalModel, modality: Modality) -> None:
    """Write what a model learnt."""
    state = {
        name: tensor.contiguous() for name, tensor in model.state_dict().items() if name.startswith(LEARNT[modality])
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    # A run that is cut off while it writes leaves no half file under the name that counts.
    partial = path.with_suffix(".partial")
    save_file(state, partial)
    partial.replace(path)


def load_tuned(path: Path, model: MultimodalModel, modality: Modality) -> MultimodalModel:
    """Return a copy of a model with the weights of a file.

    Raises:
        CheckpointError: the file cannot be read, or is not of such a model.
    """
    tuned = copy.deepcopy(model)
    wanted = {name for name in tuned.state_dict() if name.startswith(LEARNT[modality])}
    try:
        state = load_file(path)
        if set(state) != wanted:
            raise CheckpointError(f"{path} has missing or unknown weights: delete it, and it is learnt again")
        tuned.load_state_dict(state, strict=False)
    except (OSError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"{path} cannot be read: delete it, and it is learnt again") from error
    return tuned
