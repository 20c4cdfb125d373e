from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from explain.research import relabel
from explain.research.passes import ResearchError
from explain.research.relabel import LEARNT, teach_wrong
from inference.model.mllm import MultimodalModel
from inference.training.data.films import read_folder
from inference.words import open_tokenizer
from tests.inference.model.conftest import SMALL
from tests.inference.tiny_checkpoint import write_tokenizer
from tests.inference.training.made import make_folder


def test_only_fusion_and_transformer_learn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stem and chart encoders stay; what learns begins from nothing, and the model it is copied from stays too."""
    monkeypatch.setattr(relabel, "STEPS", 2)
    monkeypatch.setattr(relabel, "BATCH", 2)
    monkeypatch.setattr(relabel, "LEAST_FILMS", 3)
    write_tokenizer(tmp_path / "tokenizer.json")
    tokenizer = open_tokenizer(tmp_path / "tokenizer.json")
    model = MultimodalModel(replace(SMALL, vocabulary=256)).eval()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    done: list[int] = []
    taught = teach_wrong(model, read_folder(make_folder(tmp_path / "films", 1)), tokenizer, 1, done.append)

    changed = {name for name, weight in taught.state_dict().items() if not torch.equal(weight, before[name])}
    assert done == [1, 2]
    assert all(name.startswith(LEARNT) for name in changed)
    assert any(name.startswith("image.blocks.") for name in changed)
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())


def test_too_few_films_are_refused(model: MultimodalModel, tmp_path: Path) -> None:
    """Nothing can be learnt from a handful, so nothing is said of it."""
    write_tokenizer(tmp_path / "tokenizer.json")
    films = read_folder(make_folder(tmp_path / "films", 1))

    with pytest.raises(ResearchError, match="cannot be learnt from"):
        teach_wrong(model, films, open_tokenizer(tmp_path / "tokenizer.json"), 1, lambda _: None)
