"""A TOML file -> the numbers of one training run."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from inference.manifest import CardText, Scope
from inference.training.losses import LossWeights

COMPACT: Final = Path(__file__).parent / "recipes" / "compact.toml"


class RecipeError(ValueError):
    """A recipe that cannot be run; the message names the file and the field."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of training: AdamW, warm-up, cosine decay, averaged weights.

    Attributes:
        epochs: passes over the training films.
        batch: films a step.
        rate: highest learning rate.
        decay: weight decay.
        smoothing: share of each label spread over all classes.
        average: decay of the moving average of the weights, which is what is kept.
        dropout: of the blocks.
        augmentation: strength of the changes made to films, 0 for none; only the image stages use it.
        cover: share of the films of which a part is covered; only the image stages use it.
        stem_rate: rate of the convolutional stem, as a share of `rate`; 0 leaves it as it is.
    """

    epochs: int
    batch: int
    rate: float
    decay: float
    smoothing: float
    average: float
    dropout: float = 0.1
    augmentation: float = 1.0
    stem_rate: float = 0.5
    cover: float = 0.0


@dataclass(frozen=True, slots=True)
class FusionStage:
    """What a fusion stage has beside `optimisation`.

    Attributes:
        views: augmented views of each film whose image tokens are kept.
        drop_image, drop_text, drop_values: probability that a modality is taken away from a case (never all three).
        drop_value: probability that a single measurement is taken away from a case.
        image_noise: deviation of the noise on image tokens, as a share of their own: the encoder knows its training
            films better than any new one, and fusion must not learn to lean on that.
        complete: share of the cases in which everything was measured: what hospitals seldom order is else seldom seen.
    """

    optimisation: Stage
    views: int
    drop_image: float
    drop_text: float
    drop_values: float
    drop_value: float
    image_noise: float
    complete: float = 0.0


@dataclass(frozen=True, slots=True)
class Base:
    """Where the encoders of the preset `base` come from: folders in the Hugging Face layout, or names on the hub.

    Attributes:
        image: ViT-B/16.
        text: BioBERT-base, a folder with its vocab.txt.
    """

    image: str
    text: Path


@dataclass(frozen=True, slots=True)
class Recipe:
    """One run.

    Pre-training, image stages, then fusion stages follow each other on the same weights; `seed` decides everything that
    is drawn; `card` and `scope` go into the checkpoint as they stand.

    Attributes:
        pretrain: self-supervised stage of the image encoder; None leaves it out.
        text: distillation of the text encoder from MiniLM; None starts it from nothing.
        base: encoders of the preset `base`; pre-training, image and text stages are then left out, since both
            come trained. None trains `compact`.
        imagenet: whether the stem starts from ImageNet weights (`inference.training.imagenet`).
        losses: weights of the terms beside cross-entropy, in the fusion stages.
    """

    name: str
    version: str
    seed: int
    vocabulary: int
    card: CardText
    scope: Scope
    image: tuple[Stage, ...]
    fusion: tuple[FusionStage, ...]
    pretrain: Stage | None = None
    text: Stage | None = None
    imagenet: bool = False
    base: Base | None = None
    losses: LossWeights = field(default_factory=LossWeights)


def read_recipe(path: Path = COMPACT) -> Recipe:
    """Read a recipe.

    Raises:
        RecipeError: the file is missing, not TOML, or has missing or wrong fields.
    """
    try:
        return TypeAdapter(Recipe).validate_python(tomllib.loads(path.read_text()))
    except OSError as error:
        raise RecipeError(f"{path} cannot be read: give a recipe such as {COMPACT}") from error
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors())
        raise RecipeError(f"{path} has missing or wrong fields: {fields}") from error
