"""Settings -> what words the tested claims of a judgement again, where a narrator is set up."""

from __future__ import annotations

from collections.abc import Callable

from cds_hooks.judgement import Judgement
from cds_hooks.settings import ServiceSettings
from explain.tested import Told

Narrate = Callable[[Judgement], Told]


def open_narrate(settings: ServiceSettings) -> Narrate | None:
    """Return a blocking call to the narrator of the settings, or None where they name none."""
    if settings.narrator_url is None:
        return None
    # Imported here: the narrator's packages would lengthen the start of every worker that has none.
    from explain.narrator import open_narrator, tell_again  # noqa: PLC0415

    narrator = open_narrator(
        str(settings.narrator_url),
        settings.narrator_kind,
        settings.narrator_model or "",
        settings.narrator_key,
        settings.narrator_timeout_s,
        allow_http=settings.narrator_allow_http,
    )
    if narrator is None:
        return None
    return lambda judgement: tell_again(narrator, judgement.prediction, judgement.explanation)
