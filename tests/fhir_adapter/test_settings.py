import pytest
from pydantic import ValidationError

from fhir_adapter.settings import FhirSettings


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every setting is a variable that starts with FHIR_."""
    monkeypatch.setenv("FHIR_ALLOWED_SERVERS", '["https://ehr.example.org/fhir"]')
    monkeypatch.setenv("FHIR_PAGE_SIZE", "50")

    read = FhirSettings()

    assert [str(url) for url in read.allowed_servers] == ["https://ehr.example.org/fhir"]
    assert read.page_size == 50


@pytest.mark.parametrize("url", ["https://u:p@ehr.example.org/fhir", "https://ehr.example.org/fhir?a=1", "ftp://x/"])
def test_address_that_is_no_base_is_refused_at_start(url: str) -> None:
    """An entry that could never match anything is an error at start, not a riddle later."""
    with pytest.raises(ValidationError):
        FhirSettings(allowed_servers=(url,))


def test_settings_cannot_change_while_running() -> None:
    """Settings are read once."""
    with pytest.raises(ValidationError):
        FhirSettings().page_size = 5  # type: ignore[misc]
