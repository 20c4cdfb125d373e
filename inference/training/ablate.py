"""A run's image encoder, text encoder and cases -> what each term of the loss is worth.

Each variant trains the fusion anew, from the same start, with the same brief stage, and is judged on the test split:
how well it answers, how far its answer falls when the patches it attends to fade, and how spread its attention is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import Tensor

from inference.figures import Figure
from inference.model.mllm import MultimodalModel
from inference.training.batching import in_batches
from inference.training.cases import CaseTensors, tensors_of
from inference.training.data.films import Split, read_folder
from inference.training.data.source import Dataset, SimulatedSource
from inference.training.evaluate import BATCH, judge
from inference.training.fit_fusion import FusionData, encode_films, fit_fusion
from inference.training.losses import LossWeights, attention_on_image, erase, sparsity_loss
from inference.training.metrics import macro_auc
from inference.training.recipe import FusionStage
from inference.training.resampling import interval, patient_weights, weighted_macro_auc
from inference.training.run import Run, reopen, take

EVERYTHING: Final = ("image", "text", "structured")


def variants(weights: LossWeights) -> Mapping[str, LossWeights]:
    """Return the weights of each variant: everything, each term switched off, and cross-entropy alone."""
    off = {"contrastive": 0.0, "comprehensiveness": 0.0, "sparsity": 0.0}
    without = {f"without_{term}": replace(weights, **{term: 0.0}) for term in off}
    return {"all_terms": weights, **without, "cross_entropy_only": replace(weights, **off)}


@dataclass(frozen=True, slots=True)
class Judged:
    """One variant on the test split: probabilities (N, classes), fall of the answer (N,), entropy of attention (N,)."""

    found: npt.NDArray[np.float32]
    fall: npt.NDArray[np.float32]
    entropy: npt.NDArray[np.float32]


def look_at_attention(model: MultimodalModel, tokens: Tensor, cases: CaseTensors) -> tuple[Tensor, Tensor]:
    """Return by how much the answered probability falls when attended patches fade, and the entropy; each (N,)."""
    model.eval()
    falls, entropies = [], []
    with torch.no_grad():
        for index in in_batches(torch.arange(len(tokens)), BATCH):
            batch = cases.pick(index).as_batch(torch.ones(len(index), 1))
            encoded = model.encode(batch, tokens[index].float())
            queries = model.fusion.join(encoded.text, encoded.structured)
            output = model.fusion(queries, encoded.image, encoded.bias)
            attention = attention_on_image(output)
            faded = erase(encoded.image, attention, model.fusion.absent_image)
            after = model.fusion(queries, faded, encoded.bias).logits.softmax(-1)
            before = output.logits.softmax(-1)
            answer = before.argmax(-1, keepdim=True)
            falls.append((before.gather(1, answer) - after.gather(1, answer))[:, 0])
            entropies.append(torch.stack([sparsity_loss(row[None]) for row in attention]))
    return torch.cat(falls), torch.cat(entropies)


def judge_variant(model: MultimodalModel, tokens: Tensor, cases: CaseTensors) -> Judged:
    """Judge one variant on held-out films."""
    logits = torch.from_numpy(judge(model, tokens, cases, EVERYTHING))
    fall, entropy = look_at_attention(model, tokens, cases)
    return Judged(logits.softmax(-1).numpy(), fall.numpy(), entropy.numpy())


def train_variants(
    run: Run,
    start: Mapping[str, Tensor],
    model: MultimodalModel,
    stage: FusionStage,
    data: tuple[FusionData, FusionData, FusionData],
    tokenizer: Tokenizer,
) -> dict[str, Judged]:
    """Train and judge every variant.

    Args:
        run: recipe, folder, progress and place; a variant whose weights are in the folder is not trained again.
        start: state dict that every variant starts from.
        model: of that shape; its weights are changed.
        stage: the same for every variant.
        data: training, validation and test films.
        tokenizer: of the notes.
    """
    train, validation, test = data
    tokens = encode_films(model.image, test.pictures.pixels, None)
    cases = tensors_of(test.source.for_judging().cases(test.films, draw=0), tokenizer)
    judged = {}
    for name, weights in variants(run.recipe.losses).items():
        model.load_state_dict(dict(start))
        run.progress.say(f"loss ablation: {name}")

        def fit(weights: LossWeights = weights, name: str = name) -> MultimodalModel:
            arms = (stage, weights), (train, validation)
            return fit_fusion(model, *arms, tokenizer, run.recipe.seed, run.stage(f"ablate-{name}"))

        run.kept(f"ablate-{name}", model, fit)
        judged[name] = judge_variant(model, tokens, cases)
    return judged


def figures_of(judged: Mapping[str, Judged], labels: npt.NDArray[np.int64], groups: list[str]) -> list[Figure]:
    """Return the figures `loss.<variant>.…`, and what all terms gain over each variant, by paired bootstrap."""
    weights, figures = patient_weights(groups), []
    whole = judged["all_terms"].found
    of_whole = weighted_macro_auc(labels, whole, weights)
    for name, variant in judged.items():
        auc, drawn = macro_auc(labels, variant.found), weighted_macro_auc(labels, variant.found, weights)
        figures += [
            Figure(f"loss.{name}.auc", auc, "1", len(labels), *interval(drawn)),
            Figure(f"loss.{name}.fall_without_attended", float(variant.fall.mean()), "1", len(labels)),
            Figure(f"loss.{name}.attention_entropy", float(variant.entropy.mean()), "1", len(labels)),
        ]
        if name != "all_terms":
            gain = macro_auc(labels, whole) - auc
            figures.append(
                Figure(f"loss.all_terms_minus_{name}.auc", gain, "1", len(labels), *interval(of_whole - drawn))
            )
    return figures


def ablate_losses(run: Run, images: Path, epochs: int) -> list[Figure]:
    """Train and judge every variant on a folder of films, from the encoders in a run's folder.

    Args:
        run: its folder must hold what `train_model` leaves behind.
        images: folder laid out as the paediatric set is.
        epochs: of each variant; the stage is otherwise the recipe's second, with one view of each film.

    Raises:
        CheckpointError: the run was not finished.
    """
    dataset = Dataset(tuple(read_folder(images)), SimulatedSource(run.recipe.seed))
    splits: tuple[Split, Split, Split] = ("train", "validation", "test")
    train, validation, test = (take(dataset, split) for split in splits)
    model, tokenizer = reopen(run)
    stage = run.recipe.fusion[min(1, len(run.recipe.fusion) - 1)]
    stage = replace(stage, views=1, optimisation=replace(stage.optimisation, epochs=epochs))
    start = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    judged = train_variants(run, start, model, stage, (train, validation, test), tokenizer)
    groups = [film.group for film in test.films]
    return figures_of(judged, test.pictures.labels.numpy(), groups)
