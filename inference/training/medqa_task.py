"""MedQA questions -> a head on the text encoder that picks one of the options (paper 3.4), and how often it is right.

A small encoder knows next to no medicine: the figure stands beside chance, however small the gain is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from inference.contract import TEXT_TOKENS
from inference.figures import Figure
from inference.model.config import ModelConfig
from inference.model.text import PADDING
from inference.training.batching import in_batches
from inference.training.data.films import FolderError
from inference.training.data.medqa import Question
from inference.training.distil_text import mean_of_words
from inference.training.fit_image import RunIn
from inference.training.optimise import Optimiser
from inference.training.recipe import Stage

HELD_OUT: Final = 0.3
"""Share of the questions that are kept for the figure: the published test file is all there is."""
STAGE: Final = Stage(epochs=6, batch=16, rate=5e-4, decay=0.05, smoothing=0.0, average=0.98, dropout=0.2)


def is_held_out(question: Question) -> bool:
    """Say whether a question is kept for the figure: decided by its text alone, the same on every machine."""
    digest = hashlib.sha256(f"medqa-1:{question.text}".encode()).hexdigest()
    return int(digest[:12], 16) / 16**12 < HELD_OUT


@dataclass(frozen=True, slots=True)
class Encoded:
    """Questions as word pieces, one text for each option: tokens (N, options, T) and the right option (N,)."""

    tokens: Tensor
    answers: Tensor


class Chooser(nn.Module):
    """A text encoder with a score for each text of question and option."""

    def __init__(self, encoder: nn.Module, config: ModelConfig) -> None:
        super().__init__()
        self.encoder = encoder
        width = config.text_width
        self.score = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Dropout(0.2), nn.Linear(width, 1))

    def forward(self, tokens: Tensor) -> Tensor:
        """Score options: tokens (B, options, T) to logits (B, options)."""
        flat = tokens.flatten(0, 1)
        pooled = mean_of_words(self.encoder(flat), flat != PADDING)
        scores: Tensor = self.score(pooled).view(tokens.shape[:2])
        return scores


def join_tokens(question: Sequence[int], option: Sequence[int], separator: int) -> list[int]:
    """Join the pieces of a question and an option to at most `TEXT_TOKENS`, cutting the question's beginning.

    The last sentences of a vignette hold what is asked; `question` and `option` are framed as [CLS] … [SEP].
    """
    body, ending = list(question[1:-1]), [*option[1:-1], separator]
    room = max(TEXT_TOKENS - len(ending) - 2, 0)
    joined = [question[0], *body[max(len(body) - room, 0) :], separator, *ending]
    return (joined + [PADDING] * TEXT_TOKENS)[:TEXT_TOKENS]


def encode_questions(questions: Sequence[Question], tokenizer: Tokenizer) -> Encoded:
    """Encode questions.

    Raises:
        FolderError: they have not all the same number of options.
    """
    plain = Tokenizer.from_str(tokenizer.to_str())
    plain.no_padding()
    plain.no_truncation()
    separator = int(plain.token_to_id("[SEP]") or 0)
    rows, answers = [], []
    for question in questions:
        asked = plain.encode(question.text).ids
        rows.append([join_tokens(asked, plain.encode(option).ids, separator) for option in question.options])
        answers.append(question.answer)
    if len({len(row) for row in rows}) > 1:
        raise FolderError("the questions differ in their number of options: keep those with four in the file")
    return Encoded(torch.tensor(rows), torch.tensor(answers))


def fit_chooser(chooser: Chooser, data: Encoded, seed: int, run: RunIn, stage: Stage = STAGE) -> Chooser:
    """Train encoder and head to pick the right option; returns the averaged weights."""
    place, progress, state = run
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    chooser.requires_grad_().to(place.device)
    steps = stage.epochs * (len(data.answers) // stage.batch)
    optimiser = Optimiser(chooser, stage, steps, place)
    for epoch in range(optimiser.resume(state, generator), stage.epochs):
        chooser.train()
        losses = []
        for whole in in_batches(torch.randperm(len(data.answers), generator=generator), stage.batch, whole=True):
            index = place.share(whole)
            with place.autocast():
                logits = chooser(data.tokens[index].to(place.device))
            loss = nn.functional.cross_entropy(logits.float(), data.answers[index].to(place.device))
            optimiser.step(loss)
            losses.append(loss.item())
            progress.step("medqa", optimiser.step_number, steps)
        progress.say(f"medqa epoch {epoch + 1}/{stage.epochs}: loss {sum(losses) / len(losses):.3f}")
        optimiser.save(state, epoch + 1, generator)
    return optimiser.averaged


def judge_chooser(chooser: Chooser, data: Encoded) -> list[Figure]:
    """Return the accuracy with its 95 % interval by bootstrap over questions, and chance."""
    chooser.eval()
    device = next(chooser.parameters()).device
    with torch.no_grad():
        picked = [chooser(part.to(device)).argmax(-1).cpu() for part in in_batches(data.tokens, 32)]
    right = (torch.cat(picked) == data.answers).double().numpy()
    drawn = np.random.default_rng(0).choice(right, size=(2000, len(right))).mean(1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return [
        Figure("medqa.accuracy", float(right.mean()), "1", len(right), float(low), float(high)),
        Figure("medqa.chance", 1 / data.tokens.shape[1], "1", len(right)),
    ]
