"""A data set and a recipe -> a whole checkpoint: training, entity head, graph, scope gate, calibration.

Gate and calibration are fitted on the calibration split, by the graph that will serve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tokenizers import Tokenizer

from inference.backends.cut import CutGraph
from inference.checkpoint import GATE_NAME, MODEL_NAME, Checkpoint, seal
from inference.model.entities import EntityHead
from inference.model.mllm import MultimodalModel
from inference.training.calibration import DRAWS, fit_calibration
from inference.training.data.films import Film, FolderError, load_pixels
from inference.training.data.medqa import read_questions
from inference.training.data.source import Dataset
from inference.training.entities import fit_entities
from inference.training.fill_bank import fill_bank
from inference.training.judged import judge_films
from inference.training.pack import write_model
from inference.training.run import Run, train_model
from inference.training.scope.features import served_encoder
from inference.training.scope.fit import fit_scope_gate
from inference.training.scope.strangers import read_adults
from inference.training.served import ServedFilms
from inference.training.trained_on import write_trained_on

CALIBRATION_SEED: Final = 10_000
"""Of the simulated cases that the calibration is fitted with; training and figures have others."""


def train_checkpoint(
    run: Run, dataset: Dataset, out: Path, *, medqa: Path | None = None, adult: Path | None = None
) -> Checkpoint:
    """Train on a data set and write a checkpoint to `out`.

    Args:
        run: recipe, working folder, progress and place; steps whose file is in the folder are not repeated.
        dataset: films with the source of their cases, checked.
        out: the checkpoint folder.
        medqa: MedQA questions, so that ordinary English is in the vocabulary; None learns it from the notes alone.
        adult: adults' films for the scope gate; None makes one that does not know them.

    Raises:
        FolderError: no film for the calibration.
    """
    texts = [] if medqa is None else [question.text for question in read_questions(medqa)]
    model, tokenizer = train_model(run, dataset, texts)
    train_entities(run, model, tokenizer)
    films = {split: [film for film in dataset.films if film.split == split] for split in ("train", "calibration")}
    if not films["calibration"]:
        raise FolderError("no film is in the calibration split: give more patients")
    run.progress.say("writing the graph")
    write_model(model, tokenizer, out)
    write_trained_on(dataset.films, out)
    settings = fit_settings(run, tokenizer, out, (films["train"], films["calibration"]), adult)
    run.progress.say("encoding a few films and notes as what an absent one may be")
    fill_bank(seal(out, settings), films["calibration"])
    return seal(out, settings)


def train_entities(run: Run, model: MultimodalModel, tokenizer: Tokenizer) -> None:
    """Train the head for named entities on the text encoder, which stands still."""

    def fit() -> EntityHead:
        return fit_entities(model.text, model.entities, tokenizer, run.recipe.seed, run.progress.say)

    run.kept("entities", model.entities, fit)


def fit_settings(
    run: Run, tokenizer: Tokenizer, folder: Path, films: tuple[Sequence[Film], Sequence[Film]], adult: Path | None
) -> dict[str, Any]:
    """Fit gate and calibration by the graph in a folder; writes the gate, and returns what `seal` wants."""
    train, held = films
    backend = CutGraph(folder / MODEL_NAME, threads=2)
    adults = None if adult is None else read_adults(adult).half(0).pixels
    run.progress.say("fitting the scope gate")
    gate = fit_scope_gate(served_encoder(backend), load_pixels(train), load_pixels(held), adults, run.recipe.seed)
    gate.gate.arrays.save(folder / GATE_NAME)
    run.progress.say("fitting temperatures, sets and the bar for an answer")
    answers = judge_films(ServedFilms(backend, held), held, tokenizer, CALIBRATION_SEED, DRAWS)
    recipe = run.recipe
    return {
        "name": recipe.name,
        "version": recipe.version,
        "card": asdict(recipe.card),
        "scope": asdict(recipe.scope) | gate.settings(),
        "calibration": asdict(fit_calibration(answers)),
    }
