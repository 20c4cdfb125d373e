from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch

from fhir_adapter.record import Film, Source
from inference.baselines.published.biovil_t import BioVil
from inference.baselines.published.chexzero import CheXzero
from inference.baselines.published.medclip import MedClipSystem
from inference.baselines.published.protocol import (
    PROMPTS,
    GreyImage,
    Prompts,
    ZeroShot,
    batches,
    grey_of,
    probabilities,
    softmax_rows,
)
from inference.contract import CLASSES, DIAGNOSES, FloatArray
from tests.inference.baselines.published.films import film
from tests.inference.baselines.published.small import (
    BIOVIL_T,
    CLIP,
    CXR_BERT,
    MEDCLIP_SWIN,
    clip_folder,
    save,
    word_folder,
)


class Echo:
    """A system whose figures are the numbers of texts it was given."""

    def judge(self, images: Sequence[GreyImage], texts: Sequence[Sequence[str]]) -> FloatArray:
        """Count the texts of each class."""
        return np.array([[len(some) for some in texts]] * len(images), np.float32)


def open_system(name: str, folder: Path) -> ZeroShot:
    if name == "chexzero":
        return CheXzero.open([save(folder, "a", CLIP)], clip_folder(folder))
    if name == "medclip":
        return MedClipSystem.open(save(folder, "pytorch_model", MEDCLIP_SWIN), word_folder(folder))
    return BioVil.open(save(folder, "a", BIOVIL_T), save(folder, "pytorch_model", CXR_BERT), word_folder(folder))


@pytest.mark.parametrize("name", ["chexzero", "medclip", "biovil_t"])
def test_every_system_judges_our_diagnoses(tmp_path: Path, name: str) -> None:
    """Films of two sizes give two rows of our diagnoses that add up to 1, and two different ones."""
    rows = probabilities(open_system(name, tmp_path), [film(), film(60, 45, phase=2)])

    assert rows.shape == (2, CLASSES)
    assert np.allclose(rows.sum(1), 1, atol=1e-5)
    assert not np.allclose(rows[0], rows[1], atol=1e-4)


def test_columns_stand_in_the_order_of_the_contract() -> None:
    """However the prompts are ordered, column k is `DIAGNOSES[k]`."""
    prompts = {diagnosis.key: ["text"] * (place + 1) for place, diagnosis in enumerate(DIAGNOSES)}

    rows = probabilities(Echo(), [film()], dict(reversed(prompts.items())))

    assert rows.tolist() == [[place + 1 for place in range(CLASSES)]]


def test_every_diagnosis_has_its_prompts() -> None:
    """A label that is added to the contract cannot be forgotten here."""
    assert PROMPTS.keys() == {diagnosis.key for diagnosis in DIAGNOSES}
    assert probabilities(Echo(), []).shape == (0, CLASSES)


@pytest.mark.parametrize(
    "prompts",
    [
        {},
        {**PROMPTS, "oedema": ["oedema"]},
        {**PROMPTS, "normal": []},
        {**PROMPTS, "normal": "no pneumonia"},
    ],
)
def test_prompts_for_other_labels_are_refused(prompts: Prompts) -> None:
    """One or more texts for each diagnosis and nothing else; a bare string would be read letter by letter."""
    with pytest.raises(ValueError, match="normal, bacterial, viral"):
        probabilities(Echo(), [film()], prompts)


@pytest.mark.parametrize(
    "image",
    [film().astype(np.float32) / 255, np.zeros((4, 4, 3), np.uint8), np.zeros((0, 4), np.uint8)],
)
def test_image_that_is_no_grey_film_is_refused(image: GreyImage) -> None:
    """Values of 0..1 or colours would be taken for a very dark or a very odd film."""
    with pytest.raises(ValueError, match="grey uint8"):
        probabilities(Echo(), [image])


def test_film_of_a_record_is_given_as_bytes() -> None:
    """Bone stays white: 0, 0.5 and 1 become 0, 128 and 255, and what is beyond is cut off."""
    pixels = np.array([[0, 0.502, 1, 1.2]], np.float32)
    record = Film(pixels, "AP", "DX", "CHEST", datetime(2026, 1, 1, tzinfo=UTC), Source("ImagingStudy/1", "1"))

    assert grey_of(record).tolist() == [[0, 128, 255, 255]]


def test_films_are_judged_in_batches_that_lose_none() -> None:
    """Every film is in exactly one batch, the last one included."""
    assert [place for few in batches(35) for place in range(35)[few]] == list(range(35))


@pytest.mark.parametrize("temperature", [0.0, -1.0])
def test_temperature_must_be_positive(temperature: float) -> None:
    """A temperature of 0 has no softmax and one below 0 turns the answer round."""
    with pytest.raises(ValueError, match="above 0"):
        softmax_rows(torch.zeros(1, 3), temperature)
