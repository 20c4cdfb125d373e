"""One compared system by name -> its trained weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from inference.baselines.compact.joint import JointModel
from inference.baselines.compact.single import TextOnly
from inference.training.batching import in_batches
from inference.training.cases import tensors_of
from inference.training.compare.left_out import LeftOut, drop_others
from inference.training.compare.material import Material, Step, steps_of
from inference.training.compare.systems import answer, answer_all, build, reads_tokens
from inference.training.encode_cases import cases_of
from inference.training.metrics import macro_auc
from inference.training.optimise import Network, Optimiser
from inference.training.progress import Progress
from inference.training.recipe import Stage


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one stage of one system's training is called, how it is run, and who is told."""

    told: str
    stage: Stage
    steps: int
    progress: Progress


def train_system(name: str, material: Material, seed: int, progress: Progress) -> nn.Module:
    """Train one system with the budget that all have; returns its averaged weights, ready to be asked."""
    torch.manual_seed(seed)
    system, budget = build(name, material.ground), material.budget
    told = f"seed {seed}: {name}"
    lesson = Lesson(told, budget.passes, budget.passes.epochs * (len(material.films) // budget.passes.batch), progress)
    if isinstance(system, TextOnly):
        system.learn_prior(material.labels)
    if isinstance(system, JointModel):
        paired = fit_pairs(system, material, seed, lesson)
        round_weights(paired)
        trained: nn.Module = fit_probe(paired, material, seed, lesson)
    else:
        trained = fit_labels(system, material, seed, lesson)
    progress.say(f"{told}: validation AUC {validate(trained, material, seed):.4f}")
    return trained


def follow(network: Network, lesson: Lesson, losses: Iterator[Tensor]) -> Network:
    """Take a step for each loss () as it comes; returns the averaged weights."""
    optimiser = Optimiser(network, lesson.stage, max(1, lesson.steps))
    network.train()
    for number, loss in enumerate(losses, start=1):
        optimiser.step(loss)
        lesson.progress.step(lesson.told, min(number, lesson.steps), lesson.steps)
    # Cases without a note are passed over by who learns from pairs: such a run ends before its last step.
    lesson.progress.step(lesson.told, lesson.steps, lesson.steps)
    return optimiser.averaged


def fit_pairs(system: JointModel, material: Material, seed: int, lesson: Lesson) -> JointModel:
    """Train both towers on films and their notes."""

    def loss_of(step: Step) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            image, text = system.look(step.seen), system.read(step.cases.tokens)
        return system.align(image, text, step.labels)

    steps = steps_of(material, lesson.stage, seed, tokens=False, written=True)
    return follow(system, lesson, (loss_of(step) for step in steps))


def round_weights(system: nn.Module) -> None:
    """Round to half precision, in place: the probe is fitted to the embedding that is kept."""
    with torch.no_grad():
        for weight in system.parameters():
            weight.copy_(weight.half().float())


def fit_labels(system: nn.Module, material: Material, seed: int, lesson: Lesson) -> nn.Module:
    """Train a system to name the class, by cross-entropy."""
    generator = torch.Generator().manual_seed(seed)
    smoothing = lesson.stage.smoothing

    def loss_of(step: Step) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            logits = answer_part(system, step, material, generator)
        return nn.functional.cross_entropy(logits.float(), step.labels, label_smoothing=smoothing)

    steps = steps_of(material, lesson.stage, seed, tokens=reads_tokens(system), written=False)
    return follow(system, lesson, (loss_of(step) for step in steps))


def answer_part(system: nn.Module, step: Step, material: Material, generator: torch.Generator) -> Tensor:
    """Return the logits (B, classes) of a training batch; an M-LLM misses another modality or value now and then."""
    if not isinstance(system, LeftOut):
        return answer(system, step.seen, step.cases)
    budget, cases = material.budget, step.cases
    measured = (torch.rand(cases.values.shape, generator=generator) >= budget.drop_value).float()
    kept = drop_others(system.absent, len(step.labels), budget, generator)
    logits: Tensor = system(step.seen, cases.keep(torch.ones(len(kept), 1), measured), kept)
    return logits


def fit_probe(system: JointModel, material: Material, seed: int, lesson: Lesson) -> JointModel:
    """Fit the linear probe to the finished embeddings of every view, by cross-entropy."""
    stage, system = material.budget.probe, system.eval()
    views = replace(stage, epochs=len(material.maps))
    with torch.no_grad():
        rows = [
            (system.embed(step.seen, step.cases.tokens, step.cases.text_present), step.labels)
            for step in steps_of(material, views, seed, tokens=False, written=False)
        ]
    seen, labels = (torch.cat(part) for part in zip(*rows, strict=True))
    system.learn_scale(seen)
    seen, probe = system.standardise(seen), system.probe.requires_grad_()
    told = replace(lesson, told=f"{lesson.told}, probe", stage=stage, steps=stage.epochs * (len(labels) // stage.batch))

    def losses() -> Iterator[Tensor]:
        for epoch in range(stage.epochs):
            order = torch.from_numpy(np.random.default_rng([seed, epoch]).permutation(len(labels)))
            for index in in_batches(order, stage.batch, whole=True):
                yield nn.functional.cross_entropy(probe(seen[index]), labels[index], label_smoothing=stage.smoothing)

    system.probe = follow(probe, told, losses())
    return system


def validate(system: nn.Module, material: Material, seed: int) -> float:
    """Return the macro AUC on the validation split, which decides nothing; NaN where a class is missing there."""
    films, maps = material.held
    labels = np.array([film.label for film in films], np.int64)
    if len(set(labels.tolist())) < material.ground.model.config.classes:
        return float("nan")
    cases = tensors_of(cases_of(films, seed, grammar="test"), material.ground.tokenizer)
    return macro_auc(labels, answer_all(system, material.ground, maps, cases))
