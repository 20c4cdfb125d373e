"""Named regions of the film."""

import numpy as np
import pytest

from explain.regions import AREA_OF_REGION, CENTRE, OUTSIDE, ZONES, region_shares
from inference.contract import GRID, PATCHES


def spot(row: int, column: int) -> np.ndarray:
    relevance = np.zeros(PATCHES, np.float32)
    relevance[row * GRID + column] = 2.5
    return relevance


@pytest.mark.parametrize(
    ("row", "column", "name"),
    [
        (2, 1, "right upper zone"),
        (2, 6, "left upper zone"),
        (3, 2, "right middle zone"),
        (3, 5, "left middle zone"),
        (5, 1, "right lower zone"),
        (5, 6, "left lower zone"),
        (0, 3, OUTSIDE),
        (7, 4, OUTSIDE),
        (4, 0, OUTSIDE),
    ],
)
def test_picture_left_is_the_patients_right(row: int, column: int, name: str) -> None:
    """A patch is named for the region that holds most of it, the patient's right on the left of the picture."""
    assert region_shares(spot(row, column))[0].name == name


@pytest.mark.parametrize("column", [3, 4])
def test_centre_shares_its_patches_with_the_lungs(column: int) -> None:
    """A patch across the border of the mediastinum gives each side its part."""
    found = {region.name: region.share for region in region_shares(spot(3, column))}
    assert found[CENTRE] == pytest.approx(0.64)
    assert found["right middle zone" if column == 3 else "left middle zone"] == pytest.approx(0.36 * 0.96)


@pytest.mark.parametrize("seed", range(10))
def test_shares_add_up_to_one(seed: int) -> None:
    """The shares of all regions add up to 1, largest first."""
    shares = [region.share for region in region_shares(np.random.default_rng(seed).random(PATCHES).astype(np.float32))]
    assert sum(shares) == pytest.approx(1.0, abs=1e-12)
    assert shares == sorted(shares, reverse=True)


def test_even_map_gives_each_region_its_area() -> None:
    """Relevance spread evenly gives each region the part of the film it covers."""
    found = {region.name: region.share for region in region_shares(np.ones(PATCHES, np.float32))}
    assert found == pytest.approx(AREA_OF_REGION)


def test_zones_mirror_each_other_and_do_not_overlap() -> None:
    """Right and left zones are mirror images, and all regions together are the film."""
    right, left = (zone for zone in ZONES if "upper" in zone.name)
    assert (1 - left.across[1], 1 - left.across[0]) == pytest.approx(right.across)
    assert sum(AREA_OF_REGION.values()) == pytest.approx(1.0)


def test_no_relevance_names_no_region() -> None:
    """A map without any relevance names nothing rather than everything."""
    assert region_shares(np.zeros(PATCHES, np.float32)) == ()


@pytest.mark.parametrize("relevance", [np.ones(PATCHES - 1), -np.ones(PATCHES), np.full(PATCHES, np.nan)])
def test_odd_relevance_is_refused(relevance: np.ndarray) -> None:
    """What is no relevance map is refused."""
    with pytest.raises(ValueError, match="image relevance"):
        region_shares(relevance)
