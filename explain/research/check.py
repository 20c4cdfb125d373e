"""A checkpoint and films -> every figure of its methods of explanation, and the parts of the composite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from explain.research import faithful, sanity
from explain.research.cases import read_cases
from explain.research.composite import composite_figures, geometric_mean, localisation_of, share_of, survives
from explain.research.faithful import (
    Faithfulness,
    choice_figures,
    judge_methods,
    method_figures,
    say_choice,
    shipped_figure,
)
from explain.research.intervals import mean_figure
from explain.research.material import Material
from explain.research.methods import METHODS, RANDOM, SHIPPED, draw_maps, shippable
from explain.research.passes import compact
from explain.research.randomise import LAST
from explain.research.ranks import spearman
from explain.research.relabel import LEAST_FILMS, STEPS, teach_wrong
from explain.research.sanity import Sanity, examine, with_model
from explain.research.served import graph_figures
from explain.research.variants import Subject
from fhir_adapter.record import Modality
from inference.checkpoint import Checkpoint
from inference.figures import Figure
from inference.training.pack import WEIGHTS_NAME, load_weights
from inference.training.progress import Progress

SEED: Final = 20_000
"""Of the cases around the films that judge: those of `mllm-cds evaluate`."""
SEED_OF_VALIDATION: Final = 20_001
SEED_OF_WRONG: Final = 20_002
SIGNED: Final = "randomised_rank_correlation.signed"


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of the methods of a checkpoint.

    Attributes:
        figures: all of them, the ones with goals first.
        faithfulness: F of the composite, 0..1.
        robustness: R of the composite, 0..1.
        surviving: modalities whose maps survive the forgetting of all weights.
        judged: number of cases.
    """

    figures: list[Figure]
    faithfulness: float
    robustness: float
    surviving: list[str]
    judged: int

    def composite(self, others: Sequence[Figure]) -> list[Figure]:
        """Return the composite with the figures of narrative and planted evidence; empty where one was not measured."""
        known = {figure.name: figure.value for figure in (*self.figures, *others)}
        localisation = localisation_of(known)
        if localisation is None or "claims_traced" not in known:
            return []
        parts = (self.faithfulness, localisation, self.robustness, known["claims_traced"])
        return composite_figures(parts, self.surviving, self.judged)


@dataclass(slots=True)
class Counter:
    """Tells how many steps of a stage are done."""

    progress: Progress
    stage: str
    total: int
    done: int = field(default=0)

    def __call__(self) -> None:
        """Count one more."""
        self.done += 1
        self.progress.step(self.stage, self.done, self.total)


def check_methods(checkpoint: Checkpoint, material: Material, progress: Progress) -> Checked:
    """Measure every method of a checkpoint.

    Raises:
        CheckpointError: its weights are not there.
        ResearchError: it is not of the preset `compact`, whose encoders the sanity checks take to pieces.
        FolderError: a film cannot be read.
    """
    model = load_weights(checkpoint.folder / WEIGHTS_NAME).requires_grad_(requires_grad=False)
    compact(model)
    temperatures = checkpoint.calibration.temperatures
    subject = Subject.of(model, read_cases(material.judged, checkpoint.tokenizer, SEED), temperatures)
    counter = Counter(progress, "faithfulness", faithful.count_methods())
    found = {modality: judge_methods(subject, modality, counter) for modality in METHODS}
    sane = examine(subject, Counter(progress, "sanity", sanity.count_looks()))
    maps = {(name, method): maps for name, one in found.items() for method, maps in one.maps.items()}
    figures = [figure for one in found.values() for figure in shipped_figure(one)]
    figures += forgotten_figures(sane)
    figures += [figure for one in found.values() for figure in method_figures(one)]
    figures += [*sane.figures(), *graph_figures(checkpoint.model_path, subject.cases, maps)]
    figures += wrong_label_figures(checkpoint, subject, material, progress)
    if material.validation:
        for one in judge_validation(validation_subject(checkpoint, subject, material), progress):
            figures += choice_figures(one)
            progress.say(say_choice(one))
    forgotten, chance = mean_forgotten(sane)
    return Checked(
        figures, faithfulness_of(found), robustness_of(figures), survives(forgotten, chance), len(subject.cases)
    )


def validation_subject(checkpoint: Checkpoint, subject: Subject, material: Material) -> Subject:
    """Return the validation films before the same model."""
    cases = read_cases(material.validation, checkpoint.tokenizer, SEED_OF_VALIDATION)
    return Subject.of(subject.model, cases, subject.temperatures)


def judge_validation(subject: Subject, progress: Progress) -> list[Faithfulness]:
    """Measure the methods that could ship on films that the choice between them may use."""
    total = sum(len(shippable(modality)) + 1 for modality in METHODS)
    counter = Counter(progress, "choice on validation", total)
    return [judge_methods(subject, modality, counter, shippable(modality)) for modality in METHODS]


def forgotten_figures(sane: Sanity) -> list[Figure]:
    """Return how alike the shipped maps are before and after the model has forgotten all weights."""
    figures = []
    for modality, method in SHIPPED.items():
        name = "randomised_rank_correlation" + ("" if modality == "image" else f".{modality}")
        figures += mean_figure(name, sane.stages[LAST][modality, method], sane.patients)
        figures += mean_figure(f"{SIGNED}.{modality}", sane.signed[modality, method], sane.patients)
        figures += mean_figure(
            f"randomised_rank_correlation.chance.{modality}", sane.chance[modality, method], sane.patients
        )
    return figures


def mean_forgotten(sane: Sanity) -> tuple[dict[str, float], dict[str, float]]:
    """Return the mean of what `survives` takes, for the shipped method of each modality."""
    last, chance = sane.stages[LAST], sane.chance
    shipped = list(SHIPPED.items())
    return (
        {modality: mean_of(last[modality, method]) for modality, method in shipped},
        {modality: mean_of(chance[modality, method]) for modality, method in shipped},
    )


def mean_of(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    """Return the mean of the numbers there are, 0 where there is none."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else 0.0


def wrong_label_figures(
    checkpoint: Checkpoint, subject: Subject, material: Material, progress: Progress
) -> Iterator[Figure]:
    """Yield `random_labels_rank_correlation.<modality>` of the shipped methods; nothing with too few films to learn."""
    if len(material.learnable) < LEAST_FILMS:
        progress.say("No films are left to teach wrong labels with: that check is left out.")
        return
    few = subject.pick(slice(sanity.CASES_OF_DEAR))

    def step(done: int) -> None:
        progress.step("wrong labels", done, STEPS)

    taught = teach_wrong(subject.model, material.learnable, checkpoint.tokenizer, SEED_OF_WRONG, step)
    other = with_model(few, taught)
    for modality, method in SHIPPED.items():
        one = {method: METHODS[modality][method]}
        before, after = draw_maps(few, one)[method], draw_maps(other, one)[method]
        alike = np.abs(spearman(before, after, few.cases.there(modality)))
        yield from mean_figure(f"random_labels_rank_correlation.{modality}", alike, few.cases.patients)


def faithfulness_of(found: Mapping[Modality, Faithfulness]) -> float:
    """Return F: the gain of the shipped methods over chance as a share of the best method's, geometric mean."""
    shares = []
    for modality, one in found.items():
        gains = {name: one.over_random(name, "gain") for name in one.curves if name != RANDOM}
        few = min(len(gain) for gain in gains.values())
        means = {name: mean_of(gain[:few]) for name, gain in gains.items()}
        shares.append(share_of(means[SHIPPED[modality]], max(means.values())))
    return geometric_mean(shares)


def robustness_of(figures: Sequence[Figure]) -> float:
    """Return R: the lower of the rank correlations under noise and 8 bits of the shipped methods, mean of the three."""
    known = {figure.name: figure.value for figure in figures}
    lows = []
    for modality, method in SHIPPED.items():
        names = [f"method.{modality}.{method}.{what}" for what in ("stability", "int8")]
        lows.append(min((max(known[name], 0.0) for name in names if name in known), default=0.0))
    return float(np.mean(lows))
