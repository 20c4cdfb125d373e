"""Image tokens, notes and measurements -> a fused M-LLM: the second stage of training.

The image encoder stands still, so its tokens are computed once; text, structured and fusion parts learn together, with
modalities taken away at random, so that every non-empty subset of them is a valid input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from inference.contract import DEMOGRAPHIC_SLOTS
from inference.model.image import ImageEncoder
from inference.model.mllm import MultimodalModel
from inference.training.augment import augment
from inference.training.batching import in_batches
from inference.training.cases import CaseTensors, tensors_of
from inference.training.data.films import Film
from inference.training.encode_cases import cases_of
from inference.training.evaluate import judge
from inference.training.fit_image import BATCH_TO_JUDGE, Pictures, Report
from inference.training.metrics import macro_auc
from inference.training.optimise import Optimiser
from inference.training.recipe import FusionStage


@dataclass(frozen=True, slots=True)
class FusionData:
    """One split: films with their pictures."""

    films: Sequence[Film]
    pictures: Pictures


def encode_films(encoder: ImageEncoder, pixels: Tensor, generator: torch.Generator | None) -> Tensor:
    """Return image tokens (N, P, width) of pixels uint8 (N, 1, S, S).

    With a generator the films are augmented, and the tokens of half precision: many views must fit into memory.
    Without one they are what the served graph computes, in float32.
    """
    encoder.eval()
    parts = []
    with torch.no_grad():
        for part in in_batches(pixels, BATCH_TO_JUDGE):
            image = part.float() / 255
            if generator is None:
                parts.append(encoder(image))
                continue
            with torch.autocast("cpu", torch.bfloat16):
                parts.append(encoder(augment(image, generator)).half())
    return torch.cat(parts)


def drop_modalities(cases: CaseTensors, stage: FusionStage, generator: torch.Generator) -> tuple[CaseTensors, Tensor]:
    """Take modalities and single values away; returns the cases and image_present (B, 1). One modality always stays."""
    batch = len(cases.tokens)
    chances = torch.tensor([stage.drop_image, stage.drop_text, stage.drop_values])
    kept = torch.rand(batch, 3, generator=generator) >= chances
    rescued = torch.randint(0, 3, (batch,), generator=generator)
    kept[torch.arange(batch), rescued] |= ~kept.any(1)
    keep = kept.float()
    values = (torch.rand(cases.values.shape, generator=generator) >= stage.drop_value).float() * keep[:, 2:3]
    # At the bedside age and sex are known even where nothing was measured; in half of such cases they stay here too.
    known = (torch.rand(batch, 1, generator=generator) < 0.5).float()
    values[:, DEMOGRAPHIC_SLOTS] = torch.maximum(values[:, DEMOGRAPHIC_SLOTS], (1 - keep[:, 2:3]) * known)
    return cases.keep(keep[:, 1:2], values), keep[:, :1]


def validate(model: MultimodalModel, tokens: Tensor, cases: CaseTensors, labels: Tensor) -> str:
    """Return the macro AUC of the validation films with everything and with the image alone, in words."""
    full = judge(model, tokens, cases, ("image", "text", "structured"))
    alone = judge(model, tokens, cases, ("image",))
    auc = [macro_auc(labels.numpy(), torch.from_numpy(logits).softmax(-1).numpy()) for logits in (full, alone)]
    return f"validation AUC {auc[0]:.4f}, image alone {auc[1]:.4f}"


def fit_fusion(
    model: MultimodalModel,
    stage: FusionStage,
    data: tuple[FusionData, FusionData],
    tokenizer: Tokenizer,
    seed: int,
    report: Report,
) -> MultimodalModel:
    """Train everything but the image encoder on (training, validation) data; returns the averaged weights."""
    train, validation = data
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model.requires_grad_()
    model.image.requires_grad_(requires_grad=False)
    views = [encode_films(model.image, train.pictures.pixels, generator) for _ in range(stage.views)]
    held_tokens = encode_films(model.image, validation.pictures.pixels, None)
    held_cases = tensors_of(cases_of(validation.films, seed, grammar="test"), tokenizer)
    spread = torch.stack([view.float().std((0, 1)) for view in views]).mean(0) * stage.image_noise
    labels, optimisation = train.pictures.labels, stage.optimisation
    steps = optimisation.epochs * (len(labels) // optimisation.batch)
    optimiser = Optimiser(model, optimisation, steps)
    for epoch in range(optimisation.epochs):
        model.train()
        model.image.eval()
        # New notes and measurements around the same films in every epoch.
        cases = tensors_of(
            cases_of(train.films, seed, grammar="train", draw=epoch + 1, complete=stage.complete), tokenizer
        )
        order = torch.from_numpy(np.random.default_rng([seed, epoch]).permutation(len(labels)))
        for index in in_batches(order, optimisation.batch, whole=True):
            kept, image_present = drop_modalities(cases.pick(index), stage, generator)
            tokens = views[epoch % stage.views][index].float()
            tokens = tokens + torch.randn(tokens.shape, generator=generator) * spread
            with torch.autocast("cpu", torch.bfloat16):
                logits = model(kept.as_batch(image_present), tokens).logits
            loss = nn.functional.cross_entropy(logits.float(), labels[index], label_smoothing=optimisation.smoothing)
            optimiser.step(loss)
        heard = validate(optimiser.averaged, held_tokens, held_cases, validation.pictures.labels)
        report(f"fusion epoch {epoch + 1}/{optimisation.epochs}: loss {loss.item():.3f}, {heard}")
    return optimiser.averaged
