"""A folder of films, a checkpoint and trained systems -> the figures of the table.

Every system is asked about the same films with the same simulated notes and measurements, which come from the grammar
that training never saw. The M-LLM and what it loses at inference are asked through the graph that serves.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from inference.backends import Backend
from inference.checkpoint import Checkpoint
from inference.contract import Tensor
from inference.figures import Figure
from inference.training.assess import SEED
from inference.training.cases import CaseTensors, tensors_of
from inference.training.compare.kept import Shelf, load_system
from inference.training.compare.maps import read_maps
from inference.training.compare.scores import score
from inference.training.compare.systems import JUDGED_MASKS, TRAINED, Ground, answer_all
from inference.training.data.films import Film
from inference.training.encode_cases import arrays_of, cases_of
from inference.training.metrics import Probabilities
from inference.training.served import Arrays, ask, inputs_of, mask_inputs

Answers = dict[str, list[Probabilities]]


def judge(
    checkpoint: Checkpoint, backend: Backend, ground: Ground, films: Sequence[Film], kept: tuple[Shelf, Sequence[int]]
) -> list[Figure]:
    """Ask every system about films and return the figures.

    Args:
        checkpoint: whose calibration makes the M-LLM's probabilities.
        backend: its graph.
        ground: its weights, which the trained systems stand on.
        films: all of them are judged.
        kept: where the trained systems lie, and the seeds to take.

    Raises:
        CheckpointError: a kept file is of another checkpoint.
    """
    drawn = cases_of(films, SEED, grammar="test")
    inputs = inputs_of(films, arrays_of(drawn, ground.tokenizer))
    labels = torch.tensor([film.label for film in films]).numpy()
    maps = read_maps(ground.encoder, torch.from_numpy(inputs[Tensor.IMAGE]))
    answers = ask_served(backend, inputs, checkpoint.calibration.temperatures)
    answers |= ask_trained(ground, kept, maps, tensors_of(drawn, ground.tokenizer))
    return score(labels, [film.group for film in films], answers)


def ask_served(backend: Backend, inputs: Arrays, temperatures: Sequence[float]) -> Answers:
    """Ask the graph that serves, with everything and with each modality absent."""
    return {name: [ask(backend, mask_inputs(inputs, mask), temperatures)] for name, mask in JUDGED_MASKS.items()}


def ask_trained(ground: Ground, kept: tuple[Shelf, Sequence[int]], maps: torch.Tensor, cases: CaseTensors) -> Answers:
    """Ask every trained system of every seed about maps (N, C, G, G) and the cases around them."""
    shelf, seeds = kept
    answers: Answers = {}
    for name in TRAINED:
        paths = [path for seed in seeds if (path := shelf.find(name, seed)) is not None]
        answers[name] = [answer_all(load_system(path, name, ground), ground, maps, cases) for path in paths]
    return answers
