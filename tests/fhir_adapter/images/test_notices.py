from dataclasses import replace

import numpy as np
import pytest

from fhir_adapter.images.notices import notices_of
from fhir_adapter.record import Film, FilmFile, Source
from tests.fhir_adapter.builders import ASKED_AT

FILM = Film(np.zeros((64, 64), dtype=np.float32), "AP", "CR", "CHEST", ASKED_AT, Source("ImagingStudy/s", "1"))
CLAIMED = FilmFile("1.1", "1.2", "1.3", "1.4", burned_in="YES")


@pytest.mark.parametrize(
    ("film", "details"),
    [
        (FILM, []),
        (replace(FILM, file=replace(CLAIMED, burned_in="NO")), []),
        (replace(FILM, rendered=True), ["rendering was used"]),
        (replace(FILM, blanked=2), ["painted over before"]),
        (replace(FILM, file=CLAIMED), ["none was found"]),
        (replace(FILM, file=CLAIMED, blanked=1, rendered=True), ["rendering was used", "painted over before"]),
    ],
)
def test_what_a_clinician_should_know_of_a_film_is_said(film: Film, details: list[str]) -> None:
    """Rendered by the archive, lettering painted over, lettering claimed and not found: each in one clause."""
    told = [gap.detail for gap in notices_of(film)]

    assert len(told) == len(details)
    assert all(detail in text for detail, text in zip(details, told, strict=True))
