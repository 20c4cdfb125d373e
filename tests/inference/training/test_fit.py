from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from inference.contract import DEMOGRAPHIC_SLOTS, IMAGE_SIZE, SLOTS
from inference.model.config import ModelConfig
from inference.model.mllm import MultimodalModel
from inference.training.cases import CaseTensors, tensors_of
from inference.training.data.films import Film
from inference.training.data.source import SimulatedSource
from inference.training.devices import Place
from inference.training.evaluate import judge
from inference.training.fit_fusion import FusionData, drop_modalities, encode_films, fit_fusion
from inference.training.fit_image import ImageClassifier, Pictures, fit_image, judge_images
from inference.training.losses import LossWeights
from inference.training.metrics import macro_auc
from inference.training.progress import Silent
from inference.training.recipe import read_recipe
from inference.training.tokenizer import train_tokenizer
from inference.words import open_tokenizer
from tests.inference.model.conftest import SMALL

FILMS = [Film(Path(f"film-{number}.jpeg"), number % 3, f"p{number}", f"p{number}") for number in range(96)]
MINIATURE: ModelConfig = replace(SMALL, vocabulary=400)
SOURCE = SimulatedSource(0)
CPU = Place(torch.device("cpu"))
TERMS = LossWeights(contrastive=0.05, comprehensiveness=0.1, sparsity=0.02)


class Heard(Silent):
    """Keeps the lines it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        """Keep it."""
        self.lines.append(line)


def draw_pictures() -> Pictures:
    """Squares of noise in which a bright corner tells the class."""
    pixels = np.random.default_rng(0).integers(60, 120, (len(FILMS), IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)
    for place, film in enumerate(FILMS):
        pixels[place, :48, 40 * film.label : 40 * film.label + 40] += 90
    return Pictures.of(pixels, [film.label for film in FILMS])


def draw_cases(tmp_path: Path, *, draw: int = 0, complete: float = 0.0) -> CaseTensors:
    path = tmp_path / "tokenizer.json"
    cases = SOURCE.cases(FILMS, draw=draw, complete=complete)
    if not path.exists():
        train_tokenizer([case.note or "" for case in cases], 400).save(str(path))
    return tensors_of(cases, open_tokenizer(path))


def test_miniature_image_training_beats_chance(tmp_path: Path) -> None:
    """A few steps on pictures with a plain sign are enough to tell them apart."""
    torch.manual_seed(0)
    pictures = draw_pictures()
    brief = replace(read_recipe().image[-1], epochs=12, batch=16, rate=1e-3, average=0.8)
    stage = replace(brief, stem_rate=1.0, cover=0.0, smoothing=0.0, dropout=0.0)
    run = (CPU, Silent(), tmp_path / "state.safetensors")

    fitted = fit_image(ImageClassifier(MINIATURE), stage, (pictures, pictures), 0, run)

    assert macro_auc(pictures.labels.numpy(), judge_images(fitted, pictures)) > 0.8


def test_miniature_fusion_training_beats_chance(tmp_path: Path) -> None:
    """Notes and measurements alone tell more than chance after a few epochs beside an untrained image encoder."""
    draw_cases(tmp_path)
    tokenizer = open_tokenizer(tmp_path / "tokenizer.json")
    stage = read_recipe().fusion[-1]
    # Everything measured, so that the little there is to see holds as much as it can.
    brief = replace(stage.optimisation, epochs=16, batch=16, rate=4e-3, average=0.8)
    stage = replace(stage, views=1, drop_value=0.0, complete=1.0, optimisation=brief)
    data, heard = FusionData(FILMS, draw_pictures(), SOURCE), Heard()
    run = (CPU, heard, tmp_path / "state.safetensors")

    model = fit_fusion(MultimodalModel(MINIATURE), (stage, TERMS), (data, data), tokenizer, 0, run)
    tokens = encode_films(model.image, data.pictures.pixels, None)
    logits = judge(model, tokens, draw_cases(tmp_path, draw=99, complete=1.0), ("text", "structured"))

    assert macro_auc(data.pictures.labels.numpy(), torch.from_numpy(logits).softmax(-1).numpy()) > 0.65
    assert len(heard.lines) == 16


def test_image_encoder_stands_still_while_fusion_learns(tmp_path: Path) -> None:
    """The tokens computed once stay those of the encoder that ships."""
    draw_cases(tmp_path)
    stage = read_recipe().fusion[-1]
    stage = replace(stage, views=1, optimisation=replace(stage.optimisation, epochs=1, batch=32))
    data = FusionData(FILMS, draw_pictures(), SOURCE)
    model = MultimodalModel(MINIATURE)
    before = {name: tensor.clone() for name, tensor in model.image.state_dict().items()}

    run = (CPU, Silent(), tmp_path / "state.safetensors")

    after = fit_fusion(model, (stage, TERMS), (data, data), open_tokenizer(tmp_path / "tokenizer.json"), 0, run)

    assert all(torch.equal(tensor, before[name]) for name, tensor in after.image.state_dict().items())


@pytest.mark.parametrize("rate", [0.3, 1.0])
def test_one_modality_always_stays(tmp_path: Path, rate: float) -> None:
    """However often modalities are taken away, no case is left with nothing."""
    stage = replace(read_recipe().fusion[-1], drop_image=rate, drop_text=rate, drop_values=rate, drop_value=0.0)
    everything = draw_cases(tmp_path)
    full = replace(everything, text_present=torch.ones(len(FILMS), 1), value_present=torch.ones(len(FILMS), SLOTS))

    kept, image = drop_modalities(full, stage, torch.Generator().manual_seed(0))

    measured = [place for place in range(SLOTS) if place not in DEMOGRAPHIC_SLOTS]
    there = torch.cat([image, kept.text_present, kept.value_present[:, measured].amax(1, keepdim=True)], 1)
    assert there.sum(1).min() == 1
    assert there.sum(1).max() <= 3
