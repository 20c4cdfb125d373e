from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.baselines.published.biovil_t import BioVil
from inference.baselines.published.grounding import blur, ground, to_film
from tests.inference.baselines.published.films import film
from tests.inference.baselines.published.small import BIOVIL, CXR_BERT, save, word_folder


def test_blur_agrees_with_scipy() -> None:
    """The Gaussian of sigma 1.5 with mirrored edges that the authors take from SciPy."""
    ndimage = pytest.importorskip("scipy.ndimage")
    similarity = (film(14, 14) / 255).astype(np.float32)

    assert np.allclose(ndimage.gaussian_filter(similarity, 1.5), blur(similarity), atol=1e-6)


def test_what_was_cropped_away_is_not_seen() -> None:
    """Of 512 by 600 pixels the model sees 448 by 448: the rest is NaN, the middle has the nearest patch."""
    placed = to_film(np.arange(4, dtype=np.float32).reshape(2, 2), (512, 600), 448)

    seen = ~np.isnan(placed)
    assert np.array_equal(seen.nonzero()[0][[0, -1]], [32, 479])
    assert np.array_equal(seen[100].nonzero()[0][[0, -1]], [76, 523])
    assert placed[[32, 32, 479, 479], [76, 523, 76, 523]].tolist() == [0, 1, 2, 3]


def test_film_is_grounded_on_its_own_scale(tmp_path: Path) -> None:
    """A film of 64 by 80 gets a map of 64 by 80: 60 by 60 cosines in the middle of BioViL's, and nothing outside."""
    image, text = save(tmp_path, "image", BIOVIL), save(tmp_path, "text", CXR_BERT)
    system = BioVil.open(image, text, word_folder(tmp_path / "words"))

    relevance = ground(system, film(64, 80), ["no pneumonia", "clear lungs"])

    assert relevance.shape == (64, 80)
    assert np.isfinite(relevance).sum() == 60 * 60
    assert np.nanmax(np.abs(relevance)) <= 1
