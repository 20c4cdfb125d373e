from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from inference.contract import MEASUREMENTS, SLOT_OF_KEY, TEXT_TOKENS
from inference.training.augment import augment, cover
from inference.training.data.case import Case
from inference.training.encode_cases import arrays_of
from inference.training.recipe import COMPACT, RecipeError, read_recipe
from inference.training.tokenizer import train_tokenizer
from inference.words import open_tokenizer

NOTES = ["Fever and cough for three days.", "No wheeze, crackles right base.", "Cough, no fever, chest clear."] * 3


@pytest.fixture
def tokenizer_path(tmp_path: Path) -> Path:
    path = tmp_path / "tokenizer.json"
    train_tokenizer(NOTES, 200).save(str(path))
    return path


def test_tokenizer_frames_and_pads_as_serving_asks(tokenizer_path: Path) -> None:
    """What training writes is what serving opens: [CLS] … [SEP] and padding 0 to the contract's length."""
    encoding = open_tokenizer(tokenizer_path).encode("No fever.")

    assert encoding.tokens[:5] == ["[CLS]", "no", "fever", ".", "[SEP]"]
    assert (len(encoding.ids), encoding.ids[-1]) == (TEXT_TOKENS, 0)


def test_case_becomes_standardised_values(tokenizer_path: Path) -> None:
    """A value is standardised, its age counts in days, and what is missing is 0 with a mask of 0."""
    case = Case({"temperature": 39.0, "age": 32.0}, {"temperature": 12.0, "age": 0.0}, None)
    arrays = arrays_of([case], open_tokenizer(tokenizer_path))
    place = SLOT_OF_KEY["temperature"]

    assert arrays.values[0, place] == pytest.approx(1.0)
    assert arrays.value_age[0, place] == pytest.approx(0.5)
    assert arrays.value_present[0].sum() == 2
    assert not arrays.tokens.any()
    assert not arrays.text_present.any()


def test_augmentation_keeps_shape_and_range() -> None:
    """Films stay films: same shape, grey 0..1, and not the same picture."""
    image = torch.rand(4, 1, 32, 32)
    moved = augment(image, torch.Generator().manual_seed(0))

    assert moved.shape == image.shape
    assert moved.min() >= 0
    assert moved.max() <= 1
    assert not torch.allclose(moved, image, atol=0.05)


def test_augmentation_of_strength_nought_only_mirrors() -> None:
    """At strength 0 a film is itself or its mirror image."""
    image = torch.rand(8, 1, 32, 32)
    moved = augment(image, torch.Generator().manual_seed(0), 0.0)

    for before, after in zip(image, moved, strict=True):
        assert min((before - after).abs().max(), (before.flip(-1) - after).abs().max()) < 2e-3


def test_shipped_recipe_is_complete() -> None:
    """The recipe of the shipped checkpoint reads, with at least one image stage."""
    recipe = read_recipe()

    assert recipe.image
    assert recipe.scope.min_age_months < recipe.scope.max_age_months


@pytest.mark.parametrize(
    ("change", "named"),
    [(("seed = 0", ""), "seed"), (("views = 3", 'views = "three"'), "views"), (("[card]", "[car"), "TOML")],
)
def test_broken_recipe_names_the_field(tmp_path: Path, change: tuple[str, str], named: str) -> None:
    """A recipe that cannot be run is refused before hours are spent, by the name of what is wrong."""
    path = tmp_path / "recipe.toml"
    path.write_text(COMPACT.read_text().replace(*change, 1))

    with pytest.raises(RecipeError, match=named):
        read_recipe(path)


def test_standardising_inverts_to_the_centre() -> None:
    """The centre of each slot is 0 on the model's scale, and one scale away is 1."""
    for slot in MEASUREMENTS:
        centre = np.exp(slot.centre) if slot.log else slot.centre
        further = np.exp(slot.centre + slot.scale) if slot.log else slot.centre + slot.scale
        assert (slot.standardise(centre), slot.standardise(further)) == pytest.approx((0, 1), abs=1e-6)
    """The centre of each slot is 0 on the model's scale, and one scale away is 1."""
    for slot in MEASUREMENTS:
        centre = np.exp(slot.centre) if slot.log else slot.centre
        further = np.exp(slot.centre + slot.scale) if slot.log else slot.centre + slot.scale
        assert (slot.standardise(centre), slot.standardise(further)) == pytest.approx((0, 1), abs=1e-6)


def test_cover_hides_one_rectangle_of_mean_grey() -> None:
    """What is covered is a rectangle of one grey; the rest of the film is untouched."""
    image = torch.rand(16, 1, 40, 40)
    covered = cover(image, torch.Generator().manual_seed(0), 1.0)

    for before, after in zip(image[:, 0], covered[:, 0], strict=True):
        rows, columns = torch.nonzero(before != after, as_tuple=True)
        block = after[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert torch.allclose(block, before.mean())
        assert 0.1 * 40 <= rows.max() - rows.min() + 1 <= 0.5 * 40


def test_cover_of_no_share_changes_nothing() -> None:
    """Switched off, every film stays as it is."""
    image = torch.rand(4, 1, 40, 40)

    assert torch.equal(cover(image, torch.Generator().manual_seed(0), 0.0), image)
