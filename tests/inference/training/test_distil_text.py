from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel

from inference.manifest import CheckpointError
from inference.training.devices import Place
from inference.training.distil_text import Teacher, distance, distil_text, mean_of_words
from inference.training.progress import Silent
from inference.training.recipe import Stage
from inference.training.tokenizer import train_tokenizer
from inference.words import open_tokenizer
from tests.inference.model.conftest import SMALL

TEXTS = ["Fever and cough for three days.", "No wheeze.", "Chest clear, well child, here for a check of the ears."]
STAGE = Stage(epochs=12, batch=3, rate=5e-3, decay=0.0, smoothing=0.0, average=0.5, dropout=0.0)


class Heard(Silent):
    """Keeps the lines it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        """Keep it."""
        self.lines.append(line)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence encoder of random weights, in the layout that the package has."""
    made = tmp_path_factory.mktemp("teacher")
    tokenizer = train_tokenizer(TEXTS * 3, 60)
    tokenizer.save(str(made / "tokenizer.json"))
    torch.manual_seed(0)
    BertModel(
        BertConfig(vocab_size=60, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    ).save_pretrained(made)
    return made


def test_texts_keep_their_places(folder: Path) -> None:
    """Batches are sorted by length inside; each text still gets its own embedding, of unit length."""
    teacher = Teacher(folder)
    together = teacher.embed(TEXTS)
    alone = torch.cat([teacher.embed([text]) for text in TEXTS])

    assert torch.allclose(together, alone, atol=2e-2)  # bfloat16
    assert torch.allclose(together.norm(dim=-1), torch.ones(3), atol=1e-5)


def test_padding_has_no_part_in_the_mean() -> None:
    """The mean is of the words alone."""
    states = torch.tensor([[[1.0], [3.0], [100.0]]])

    assert mean_of_words(states, torch.tensor([[1, 1, 0]])).item() == pytest.approx(2)


def test_equal_embeddings_are_at_no_distance() -> None:
    """A student that places every text where the teacher does has nothing left to learn."""
    places = torch.nn.functional.normalize(torch.randn(5, 8, generator=torch.Generator().manual_seed(0)), dim=-1)

    assert distance(places, places).item() == pytest.approx(0, abs=1e-6)
    assert distance(places, -places).item() == pytest.approx(2, abs=1e-5)


def test_miniature_distillation_comes_nearer(folder: Path, tmp_path: Path) -> None:
    """After a few epochs the student's places are nearer to the teacher's."""
    tokenizer = open_tokenizer(folder / "tokenizer.json")
    tokens = torch.tensor([item.ids for item in tokenizer.encode_batch(TEXTS)])
    heard = Heard()

    distil_text(
        SMALL, STAGE, (tokens, Teacher(folder).embed(TEXTS)), 0, (Place(torch.device("cpu")), heard, tmp_path / "s")
    )

    distances = [float(line.rsplit(" ", 1)[1]) for line in heard.lines]
    assert distances[-1] < 0.7 * distances[0]


def test_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    """A folder that holds no encoder is named, with what to install."""
    with pytest.raises(CheckpointError, match="install"):
        Teacher(tmp_path)
