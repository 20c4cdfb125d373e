from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from explain.research.methods import SHIPPED
from explain.research.planted import covered, figures, teach
from explain.research.planted.cases import Ground, Planted, plant
from explain.research.planted.figures import entropy, planted_figures
from explain.research.planted.grounds import Grounds, choose_grounds
from explain.research.planted.judge import Judged
from explain.research.planted.plan import Plan
from explain.research.planted.teach import Teacher
from fhir_adapter.record import Modality
from inference.checkpoint import Checkpoint
from inference.contract import MODALITIES, PATCHES, IntArray
from inference.model.mllm import MultimodalModel
from inference.training.data.films import Film, FolderError
from inference.training.pack import load_weights
from inference.training.progress import Silent
from tests.inference.model.conftest import SMALL


def test_whole_run_on_a_small_checkpoint(checkpoint: Checkpoint, films: list[Film], plan: Plan) -> None:
    """Every modality is taught, and says how well it learnt and what was found before it did."""
    found = planted_figures(checkpoint.folder, films, plan=plan)
    names = {figure.name for figure in found}

    assert {f"planted.{modality}.{what}" for modality in MODALITIES for what in ("accuracy", "untaught")} <= names
    assert len(names) == len(found)


def test_planted_kinds_that_are_named_have_all_rates(
    checkpoint: Checkpoint, films: list[Film], plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the rate of what ships stand those of each method and of the controls, and the spread of attention."""
    monkeypatch.setattr(covered, "windows", lambda: np.ones((1, PATCHES), np.bool_))
    model = load_weights(checkpoint.folder / "model.safetensors").requires_grad_(requires_grad=False)
    teacher = Teacher(model, checkpoint, choose_grounds(films, plan), plan, None, Silent())
    planted = plant("image", teacher.grounds.judged, checkpoint.tokenizer, figures.JUDGED_DRAW)
    judged = figures.ask(model, "image", planted, checkpoint, ["covering", "raw_attention", "rollout", "random"])
    names = {figure.name for figure in figures.hit_figures("image", judged)}

    assert names == {"planted.image", "planted.image.attention_entropy"} | {
        f"planted.image.{method}" for method in ("covering", "raw_attention", "rollout", "random", "centre")
    }


def test_what_was_taught_is_not_taught_again(
    checkpoint: Checkpoint, films: list[Film], plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second run reads the first one's weights; another plan has others."""
    model = load_weights(checkpoint.folder / "model.safetensors").requires_grad_(requires_grad=False)
    teacher = Teacher(model, checkpoint, choose_grounds(films, plan), plan, tmp_path, Silent())
    first = teacher.teach("text")
    monkeypatch.setattr(teach, "tune", None)
    second = teacher.teach("text")

    assert all(torch.equal(one, other) for one, other in zip(first.parameters(), second.parameters(), strict=True))
    assert teacher.place("text") != replace(teacher, plan=replace(plan, views=2)).place("text")


def test_grounds_share_no_patient(films: list[Film], plan: Plan) -> None:
    """What is judged is of patients that nothing was learnt from, one film of each."""
    grounds = choose_grounds(films, plan)
    groups = [{film.group for film in ground.films} for ground in (grounds.learnt, grounds.validation, grounds.judged)]

    assert not groups[0] & groups[1]
    assert not (groups[0] | groups[1]) & groups[2]
    assert len(groups[2]) == len(grounds.judged.films)


def test_folder_without_a_split_is_refused(films: list[Film], plan: Plan) -> None:
    """The message names the split that is missing."""
    with pytest.raises(FolderError, match="validation"):
        choose_grounds([film for film in films if film.split != "validation"], plan)


class Knowing:
    """Answers with given kinds instead of reading."""

    def __init__(self, kinds: IntArray) -> None:
        self.answers = kinds


@pytest.mark.parametrize("wrong", [[], [0], list(range(12))])
def test_only_planted_cases_that_are_answered_rightly_count(
    wrong: list[int], ground: Ground, checkpoint: Checkpoint, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a case without a plant nor one whose plant was not read has anything to be pointed at."""
    kinds = plant("text", ground, checkpoint.tokenizer, figures.JUDGED_DRAW).kinds
    answers = kinds.copy()
    answers[wrong] = (kinds[wrong] + 1) % 3
    counted: list[Planted] = []

    def judge(subject: object, modality: Modality, planted: Planted, *_: object) -> Judged:
        counted.append(planted)
        return Judged({}, {SHIPPED[modality]: planted.kinds > 0})

    monkeypatch.setattr(figures, "before", lambda *_: Knowing(answers))
    monkeypatch.setattr(figures, "judge", judge)
    teacher = Teacher(MultimodalModel(SMALL), checkpoint, Grounds(ground, ground, ground), plan, None, Silent())
    monkeypatch.setattr(Teacher, "teach", lambda *_: teacher.model)
    rate = {figure.name: figure for figure in figures.figures_of("text", teacher)}

    assert rate["planted.text.accuracy"].value == pytest.approx(1 - len(wrong) / 12)
    assert ("planted.text" in rate) == (len(wrong) < 12)
    assert len(counted[0].kinds) == ((answers == kinds) & (kinds > 0)).sum() or len(wrong) == 12


@pytest.mark.parametrize(("attention", "spread"), [([0.25, 0.25, 0.25, 0.25], 1.0), ([1.0, 0.0, 0.0, 0.0], 0.0)])
def test_entropy_of_attention(attention: list[float], spread: float) -> None:
    """1 where attention is the same everywhere, 0 on a point."""
    assert entropy(np.array([attention])) == pytest.approx(spread, abs=1e-6)


def test_cases_that_count_are_drawn_evenly() -> None:
    """A part of them is not the first ones: these would be the films of one class."""
    found = figures.draw(np.arange(100) % 2 == 0, 20)

    assert len(found) == 20
    assert found.max() > 60
    assert (found % 2 == 0).all()
