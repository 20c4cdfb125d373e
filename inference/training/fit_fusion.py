"""Image tokens, notes and measurements -> a fused M-LLM: the stage after the image encoder.

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
from inference.model.mllm import MultimodalModel
from inference.training.augment import augment
from inference.training.batching import in_batches
from inference.training.cases import CaseTensors, tensors_of
from inference.training.data.films import Film
from inference.training.data.source import CaseSource
from inference.training.evaluate import judge
from inference.training.fit_image import BATCH_TO_JUDGE, Pictures, RunIn
from inference.training.losses import Alignment, Answered, LossWeights, extra_terms
from inference.training.metrics import macro_auc
from inference.training.optimise import Optimiser
from inference.training.recipe import FusionStage


@dataclass(frozen=True, slots=True)
class FusionData:
    """One split: films with their pictures, and where their cases come from."""

    films: Sequence[Film]
    pictures: Pictures
    source: CaseSource


class Trained(nn.Module):
    """The model with the projections that only the contrastive term needs."""

    def __init__(self, model: MultimodalModel) -> None:
        super().__init__()
        self.model, self.alignment = model, Alignment(model.config.fusion_width)


def encode_films(encoder: nn.Module, pixels: Tensor, generator: torch.Generator | None) -> Tensor:
    """Return image tokens (N, P, width) of pixels uint8 (N, 1, S, S).

    With a generator the films are augmented, and the tokens of half precision: many views must fit into memory.
    Without one they are what the served graph computes, in float32.
    """
    encoder.eval()
    device = next(encoder.parameters()).device
    parts = []
    with torch.no_grad():
        for part in in_batches(pixels, BATCH_TO_JUDGE):
            image = part.float() / 255
            if generator is None:
                parts.append(encoder(image.to(device)).cpu())
                continue
            with torch.autocast(device.type, torch.bfloat16):
                parts.append(encoder(augment(image, generator).to(device)).half().cpu())
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


def fusion_loss(
    trained: Trained, batch: tuple[CaseTensors, Tensor, Tensor, Tensor], stage: FusionStage, weights: LossWeights
) -> Tensor:
    """Return the loss () of a batch: cases, image_present (B, 1), image tokens (B, P, width) and labels (B,)."""
    cases, image_present, tokens, labels = batch
    model = trained.model
    encoded = model.encode(cases.trimmed().as_batch(image_present), tokens)
    queries = model.fusion.join(encoded.text, encoded.structured)
    output = model.fusion(queries, encoded.image, encoded.bias)
    smoothing = stage.optimisation.smoothing
    loss = nn.functional.cross_entropy(output.logits.float(), labels, label_smoothing=smoothing)
    chart = torch.maximum(cases.text_present, cases.value_present.amax(1, keepdim=True))
    answered = Answered(encoded, output, queries, labels, image_present, chart)
    return loss + extra_terms(answered, model.fusion, trained.alignment, weights)


def fit_fusion(
    model: MultimodalModel,
    stages: tuple[FusionStage, LossWeights],
    data: tuple[FusionData, FusionData],
    tokenizer: Tokenizer,
    seed: int,
    run: RunIn,
) -> MultimodalModel:
    """Train everything but the image encoder on (training, validation) data; returns the averaged weights.

    Args:
        model: trained in place.
        stages: the stage, and the weights of its loss.
        data: training and validation films with their cases.
        tokenizer: of the notes.
        seed: of everything that is drawn.
        run: where it runs, who is told, and the file from which it goes on when it was cut off.
    """
    (stage, weights), (train, validation), (place, progress, state) = stages, data, run
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model.requires_grad_().to(place.device)
    model.image.requires_grad_(requires_grad=False)
    views = [encode_films(model.image, train.pictures.pixels, generator) for _ in range(stage.views)]
    held_tokens = encode_films(model.image, validation.pictures.pixels, None)
    held_cases = tensors_of(validation.source.for_judging().cases(validation.films, draw=0), tokenizer)
    spread = torch.stack([view[::8].float().std((0, 1)) for view in views]).mean(0) * stage.image_noise
    labels, optimisation = train.pictures.labels, stage.optimisation
    steps = optimisation.epochs * (len(labels) // optimisation.batch)
    trained = Trained(model).to(place.device)
    optimiser = Optimiser(trained, optimisation, steps, place)
    for epoch in range(optimiser.resume(state, generator), optimisation.epochs):
        trained.train()
        model.image.eval()
        # New notes and measurements around the same films in every epoch.
        cases = tensors_of(train.source.cases(train.films, draw=epoch + 1, complete=stage.complete), tokenizer)
        order = torch.from_numpy(np.random.default_rng([seed, epoch]).permutation(len(labels)))
        losses = []
        for whole in in_batches(order, optimisation.batch, whole=True):
            index = place.share(whole)
            kept, image_present = drop_modalities(cases.pick(index), stage, generator)
            tokens = views[epoch % stage.views][index].float()
            tokens = tokens + torch.randn(tokens.shape, generator=generator) * spread
            with place.autocast():
                loss = fusion_loss(
                    trained,
                    (
                        kept.to(place.device),
                        image_present.to(place.device),
                        tokens.to(place.device),
                        labels[index].to(place.device),
                    ),
                    stage,
                    weights,
                )
            optimiser.step(loss)
            losses.append(loss.item())
            progress.step("fusion", optimiser.step_number, steps)
        heard = validate(optimiser.averaged.model, held_tokens, held_cases, validation.pictures.labels)
        mean_loss = sum(losses) / len(losses)
        progress.say(f"fusion epoch {epoch + 1}/{optimisation.epochs}: loss {mean_loss:.3f}, {heard}")
        optimiser.save(state, epoch + 1, generator)
    return optimiser.averaged.model
