from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import torch

from inference.contract import GRID
from inference.training.compare.budget import Budget, read_budget
from inference.training.compare.left_out import LeftOut, drop_others
from inference.training.compare.maps import read_maps, read_tokens
from inference.training.compare.material import Material, gather, hide_pieces, spread_of, steps_of
from inference.training.compare.systems import Ground
from inference.training.data.films import Film
from inference.training.recipe import RecipeError


@pytest.fixture
def material(ground: Ground, budget: Budget, films: list[Film]) -> Material:
    return gather(ground, budget, films)


def test_maps_are_the_stem_s_and_tokens_the_encoder_s(ground: Ground) -> None:
    """Maps read through the rest of the encoder are what the whole encoder sees."""
    images, encoder = torch.rand(3, 1, 16 * GRID, 16 * GRID), ground.encoder
    maps = read_maps(encoder, images)

    assert maps.shape == (3, encoder.stem_width, GRID, GRID)
    assert torch.allclose(read_tokens(encoder, maps), encoder.from_map(encoder.stem_map(images)))


def test_only_the_training_split_is_trained_on(material: Material) -> None:
    """Validation films are held apart, and no film of another split is touched."""
    assert {film.split for film in material.films} == {"train"}
    assert {film.split for film in material.held[0]} == {"validation"}
    assert [len(view) for view in material.maps] == [len(material.films)] * 2


def test_every_system_gets_the_same_batches(material: Material, budget: Budget) -> None:
    """Two systems of a seed see the same films with the same notes in the same order; another seed sees others."""

    def batches(seed: int) -> list[torch.Tensor]:
        return [step.cases.tokens for step in steps_of(material, budget.passes, seed, tokens=False, written=False)]

    first, again, other = batches(0), batches(0), batches(1)

    assert all(torch.equal(one, two) for one, two in zip(first, again, strict=True))
    assert not all(torch.equal(one, two) for one, two in zip(first, other, strict=True))


def test_pairs_have_a_note(material: Material, budget: Budget) -> None:
    """Who learns from film and note is given no case without one."""
    steps = list(steps_of(material, budget.passes, 0, tokens=False, written=True))

    assert steps
    assert all(step.cases.text_present.all() for step in steps)


def test_hidden_pieces_are_words(ground: Ground) -> None:
    """Frame and padding stay whatever the share."""
    tokens = torch.tensor([[2, 20, 21, 3, 0, 0]])
    hidden = hide_pieces(tokens, 1.0, ground.tokenizer, torch.Generator().manual_seed(0))

    assert hidden[0, [0, 3, 4, 5]].tolist() == [2, 3, 0, 0]
    assert not (hidden[0, 1:3] == tokens[0, 1:3]).any()


@pytest.mark.parametrize("shape", [(50, 4, 3, 3), (50, 9, 4)])
def test_noise_is_scaled_to_each_channel(shape: tuple[int, ...]) -> None:
    """A channel that varies ten times as much gets ten times the noise, in maps and in tokens."""
    seen = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    scales = torch.tensor([1.0, 10.0, 1.0, 1.0])
    seen = seen * (scales[:, None, None] if len(shape) == 4 else scales)

    assert spread_of(seen).flatten().tolist() == pytest.approx([1, 10, 1, 1], rel=0.15)


@pytest.mark.parametrize("absent", ["image", "text", "structured"])
def test_absent_modality_is_never_kept(absent: str, budget: Budget) -> None:
    """However the others are drawn, the one that is left out stays out, and one of the others is always there."""
    kept = drop_others(absent, 400, budget, torch.Generator().manual_seed(0))
    place = ("image", "text", "structured").index(absent)

    assert not kept[:, place].any()
    assert sorted(set(kept.sum(1).tolist())) == [1, 2]


@pytest.mark.parametrize("absent", ["image", "text", "structured"])
def test_left_out_model_does_not_hear_what_is_left_out(absent: str, material: Material) -> None:
    """Changing the absent modality changes no answer; changing another does."""
    torch.manual_seed(0)
    system, cases = LeftOut(material.ground.model, absent).eval(), material.draw(0, 0).pick(torch.arange(8))
    tokens = material.views(tokens=True)[0][:8].float()
    changed = {
        "image": (tokens + 3, cases),
        "text": (tokens, cases.keep(torch.zeros(8, 1), torch.ones(8, 1))),
        "structured": (tokens, cases.keep(torch.ones(8, 1), torch.zeros(8, 1))),
    }
    # Age and sex are known of a patient of whom nothing was measured: they are heard by all.
    changed["structured"][1].value_present[:, :2], changed["structured"][1].values[:, :2] = (
        cases.value_present[:, :2],
        cases.values[:, :2],
    )
    changed["structured"][1].value_age[:, :2] = cases.value_age[:, :2]
    same = {name: torch.allclose(system(*given), system(tokens, cases), atol=1e-6) for name, given in changed.items()}

    assert same == {name: name == absent for name in changed}


def test_gradients_reach_all_that_a_left_out_model_trains(material: Material) -> None:
    """The shared image encoder stands still; so does the text encoder of a model that never reads."""
    system = LeftOut(material.ground.model, "text")
    cases, tokens = material.draw(0, 0).pick(torch.arange(8)), material.views(tokens=True)[0][:8].float()
    system(tokens, cases).sum().backward()
    trained = {name.split(".")[1] for name, weight in system.named_parameters() if weight.grad is not None}

    assert trained == {"structured", "fusion"}


def test_shipped_budget_reads() -> None:
    """What every system gets is a file that can be read."""
    budget = read_budget()

    assert budget.views >= 1
    assert budget.passes.epochs >= 1


@pytest.mark.parametrize(("text", "named"), [("views = 0", "views"), ("[passes", "TOML")])
def test_unusable_budget_is_refused(text: str, named: str, tmp_path: Path) -> None:
    """The error names the field, or says what the file should be."""
    path = tmp_path / "compare.toml"
    path.write_text(text)

    with pytest.raises(RecipeError, match=named):
        read_budget(path)


def test_draws_take_turns(material: Material) -> None:
    """With two draws a film, the third epoch has the cases of the first."""
    draws = [material.draw(0, epoch).tokens for epoch in range(3)]

    assert torch.equal(draws[0], draws[2])
    assert not any(torch.equal(one, two) for one, two in pairwise(draws))
