"""A data set and a recipe -> a checkpoint: every step of training, each resumable from its file."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import nn

from inference.manifest import CheckpointError
from inference.model.config import ModelConfig
from inference.model.hugging_face.tokenizer import tokenizer_of
from inference.model.mllm import MultimodalModel
from inference.model.pretrained import build_base
from inference.model.text import TextEncoder
from inference.training.data.films import Split, load_pixels
from inference.training.data.source import Dataset
from inference.training.devices import Place
from inference.training.distil_text import Teacher, distil_text, find_teacher
from inference.training.fit_fusion import FusionData, fit_fusion
from inference.training.fit_image import ImageClassifier, Pictures, RunIn, fit_image
from inference.training.imagenet import load_imagenet
from inference.training.pretrain_image import MaskedFilms, pretrain_image
from inference.training.progress import Progress
from inference.training.recipe import FusionStage, Recipe, Stage
from inference.training.tokenizer import train_tokenizer
from inference.words import open_tokenizer

NOTES_FOR_WORDS: Final = 3
"""Notes a training film from which the word pieces are learnt, and the text encoder distilled."""


@dataclass(frozen=True, slots=True)
class Run:
    """One training run: its recipe, its folder of intermediate files, where its progress goes, and where it runs."""

    recipe: Recipe
    folder: Path
    progress: Progress
    place: Place

    def stage(self, name: str) -> RunIn:
        """Return what a stage is told of the run; its own state is in `<name>.state.safetensors`."""
        return self.place, self.progress, self.folder / f"{name}.state.safetensors"

    def kept(self, name: str, module: nn.Module, make: Callable[[], nn.Module]) -> None:
        """Load a module's weights from `<name>.safetensors`, or make them and write the file.

        A stage that was cut off goes on from its state file; a finished one leaves only its weights.
        """
        path = self.folder / f"{name}.safetensors"
        if not path.exists():
            weights = make().state_dict()
            if self.place.rank == 0:
                save_file({key: value.detach().cpu().contiguous() for key, value in weights.items()}, path)
                (self.folder / f"{name}.state.safetensors").unlink(missing_ok=True)
            module.load_state_dict(weights)
            return
        module.load_state_dict(load_file(path))


def take(dataset: Dataset, split: Split) -> FusionData:
    """Load one split into memory."""
    chosen = [film for film in dataset.films if film.split == split]
    return FusionData(chosen, Pictures.of(load_pixels(chosen), [film.label for film in chosen]), dataset.source)


def read_texts(train: FusionData, extra: Sequence[str]) -> list[str]:
    """Return what the words are learnt from: several notes of each training film, and texts that were given."""
    draws = range(-1, -1 - NOTES_FOR_WORDS, -1)
    notes = [
        case.note for draw in draws for case in train.source.cases(train.films, draw=draw) if case.note is not None
    ]
    return notes + list(extra)


def make_tokenizer(run: Run, texts: Sequence[str]) -> Tokenizer:
    """Train the tokenizer, or read the one of an interrupted run; always padding to the model's length."""
    path = run.folder / "tokenizer.json"
    if not path.exists():
        train_tokenizer(texts, run.recipe.vocabulary).save(str(path))
    return open_tokenizer(path)


def make_image_encoder(run: Run, config: ModelConfig, data: tuple[FusionData, FusionData]) -> ImageClassifier:
    """Pre-train without labels, then train with them: the image encoder with its head."""
    recipe, (train, validation) = run.recipe, data
    torch.manual_seed(recipe.seed)
    network = MaskedFilms(config)
    if recipe.imagenet:
        load_imagenet(network.encoder.stem)
    if (stage := recipe.pretrain) is not None:
        unlabelled = (stage, train.pictures.pixels, recipe.seed, run.stage("pretrained"))
        run.kept("pretrained", network.encoder, lambda: pretrain_image(network, *unlabelled))
    classifier = ImageClassifier(config)
    classifier.encoder.load_state_dict(network.encoder.state_dict())
    pictures = (train.pictures, validation.pictures)
    for number, stage in enumerate(recipe.image):
        name, seed = f"image-{number}", recipe.seed + number

        def fit(stage: Stage = stage, name: str = name, seed: int = seed) -> nn.Module:
            return fit_image(classifier, stage, pictures, seed, run.stage(name))

        run.kept(name, classifier, fit)
    return classifier


def make_text_encoder(run: Run, config: ModelConfig, texts: Sequence[str], tokenizer: Tokenizer) -> TextEncoder | None:
    """Distil the text encoder from its teacher; None where the recipe has no such stage."""
    if (stage := run.recipe.text) is None:
        return None
    encoder = TextEncoder(config)

    def distil() -> nn.Module:
        wanted = Teacher(find_teacher()).embed(texts)
        tokens = torch.tensor([item.ids for item in tokenizer.encode_batch(list(texts))])
        return distil_text(config, stage, (tokens, wanted), run.recipe.seed, run.stage("text"))

    run.kept("text", encoder, distil)
    return encoder


def make_fused(
    run: Run, model: MultimodalModel, data: tuple[FusionData, FusionData], tokenizer: Tokenizer
) -> MultimodalModel:
    """Train the parts behind the image encoder, stage after stage."""
    for number, stage in enumerate(run.recipe.fusion):
        # Another seed for each stage: it should see other changes of the same films.
        name, seed = f"fusion-{number}", run.recipe.seed + number

        def fit(stage: FusionStage = stage, name: str = name, seed: int = seed) -> nn.Module:
            return fit_fusion(model, (stage, run.recipe.losses), data, tokenizer, seed, run.stage(name))

        run.kept(name, model, fit)
    return model


def new_model(run: Run, vocabulary: int, encoders: tuple[nn.Module, nn.Module | None]) -> MultimodalModel:
    """Return a model that starts from an image encoder and, where there is one, a text encoder."""
    torch.manual_seed(run.recipe.seed)
    model = MultimodalModel(ModelConfig(vocabulary=vocabulary))
    image, text = encoders
    model.image.load_state_dict(image.state_dict())
    if text is not None:
        model.text.load_state_dict(text.state_dict())
    return model


def reopen(run: Run) -> tuple[MultimodalModel, Tokenizer]:
    """Return the model before its fusion was trained, and the tokenizer, from the files of a finished run.

    Raises:
        CheckpointError: a file is missing.
    """
    image, text = run.folder / f"image-{len(run.recipe.image) - 1}.safetensors", run.folder / "text.safetensors"
    needed = [image, run.folder / "tokenizer.json", *([text] if run.recipe.text else [])]
    if missing := [path for path in needed if not path.exists()]:
        raise CheckpointError(f"{missing[0]} is missing: finish `mllm-cds train --work {run.folder}` first")
    tokenizer = open_tokenizer(run.folder / "tokenizer.json")
    config = config_for(tokenizer)
    classifier, words = ImageClassifier(config), TextEncoder(config) if run.recipe.text else None
    classifier.load_state_dict(load_file(image))
    if words is not None:
        words.load_state_dict(load_file(text))
    return new_model(run, config.vocabulary, (classifier.encoder, words)), tokenizer


def config_for(tokenizer: Tokenizer) -> ModelConfig:
    """Return the compact sizes with room for a tokenizer's words."""
    return ModelConfig(vocabulary=math.ceil(tokenizer.get_vocab_size() / 8) * 8)


def train_model(run: Run, dataset: Dataset, extra_texts: Sequence[str]) -> tuple[MultimodalModel, Tokenizer]:
    """Train a model on the training split of a data set; steps whose file is in the run's folder are not repeated."""
    run.folder.mkdir(parents=True, exist_ok=True)
    data = take(dataset, "train"), take(dataset, "validation")
    if (base := run.recipe.base) is not None:
        tokenizer = tokenizer_of(base.text)
        return make_fused(run, build_base(base.image, base.text), data, tokenizer).cpu(), tokenizer
    texts = read_texts(data[0], extra_texts)
    tokenizer = make_tokenizer(run, texts)
    config = config_for(tokenizer)
    image = make_image_encoder(run, config, data).encoder
    text = make_text_encoder(run, config, texts, tokenizer)
    model = new_model(run, config.vocabulary, (image, text))
    return make_fused(run, model, data, tokenizer).cpu(), tokenizer
