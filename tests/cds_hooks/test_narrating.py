from __future__ import annotations

from cds_hooks.narrating import open_narrate
from tests.cds_hooks.fakes import make_settings
from tests.cds_hooks.samples import make_judgement
from tests.servers import free_port


def test_no_address_is_no_narrator() -> None:
    """Without a setting nothing is asked and nothing leaves the machine."""
    assert open_narrate(make_settings()) is None


def test_narrator_of_the_settings_is_asked() -> None:
    """The model that the settings name is asked; one that is not there refuses, and raises nothing."""
    narrate = open_narrate(make_settings(narrator_url=f"http://127.0.0.1:{free_port()}/v1", narrator_model="m 1"))
    assert narrate is not None
    told = narrate(make_judgement())

    assert (told.narrator, told.sentences) == ("m 1", ())
    assert told.refused
