"""A film that was used -> what a clinician should know of how it was had, as gaps: something of it is not there."""

from __future__ import annotations

from typing import Final

from fhir_adapter.record import Film, Gap, GapReason

_RENDERED: Final = Gap(
    "image",
    "original pixels of the radiograph",
    GapReason.UNREADABLE,
    "the archive's own rendering was used: 8 bits of grey in the archive's contrast",
)
_BLANKED: Final = Gap(
    "image",
    "lettering in the radiograph",
    GapReason.UNREADABLE,
    "it was painted over before the model and this page saw the film",
)
_NOT_FOUND: Final = Gap(
    "image",
    "lettering in the radiograph",
    GapReason.UNREADABLE,
    "the file says that there is some, and none was found to paint over",
)


def notices_of(film: Film) -> tuple[Gap, ...]:
    """Return what to say of a film: rendered by the archive, lettering painted over, lettering that was not found."""
    claimed = film.file is not None and film.file.burned_in == "YES"
    lettering = (_BLANKED,) if film.blanked else (_NOT_FOUND,) if claimed else ()
    return ((_RENDERED,) if film.rendered else ()) + lettering
