from contextlib import nullcontext

import pytest
from pydantic import ValidationError

from fhir_adapter.settings import BackendClient, FhirSettings


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


def test_registrations_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two servers have a registration each, by base address."""
    keys = '"client_id": "mllm-cds", "keys": "/run/secrets/keys.json"'
    first = f'"https://a.example.org/fhir": {{{keys}}}'
    second = f'"https://b.example.org/fhir": {{{keys}, "scope": "system/Patient.rs"}}'
    monkeypatch.setenv("FHIR_CLIENTS", f"{{{first}, {second}}}")

    assert [client.scope for client in FhirSettings().clients.values()] == ["system/*.rs", "system/Patient.rs"]


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://auth.example.org/token", True),
        ("http://127.0.0.1:9000/token", True),
        ("http://localhost/token", True),
        ("http://[::1]/token", True),
        ("http://auth.example.org/token", False),
        ("http://localhost.example.org/token", False),
        ("http://10.0.0.1/token", False),
    ],
)
def test_token_endpoint_is_asked_where_nobody_can_read_along(url: str, allowed: bool) -> None:  # noqa: FBT001
    """The token endpoint is https, or on this machine; anything else is refused at start."""
    given = {"client_id": "mllm-cds", "keys": "keys.json", "token_url": url}

    with nullcontext() if allowed else pytest.raises(ValidationError, match="https"):
        BackendClient.model_validate(given)


def test_settings_cannot_change_while_running() -> None:
    """Settings are read once."""
    with pytest.raises(ValidationError):
        FhirSettings().page_size = 5  # type: ignore[misc]
