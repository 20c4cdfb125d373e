import httpx
import pytest

from fhir_adapter.errors import ServerNotAllowed
from fhir_adapter.rest.addresses import is_within
from fhir_adapter.rest.client import check_allowed
from fhir_adapter.settings import FhirSettings
from tests.fhir_adapter.builders import SERVER, settings


@pytest.mark.parametrize(
    "url",
    [
        SERVER,
        SERVER + "/",
        SERVER + "/tenant-1",
        "https://EHR.example.org/fhir",
        "https://ehr.example.org:443/fhir",
    ],
)
def test_listed_server_is_allowed(url: str) -> None:
    """An entry allows itself and what lies beneath it, however host and port are written."""
    check_allowed(url, settings())


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.org/fhir",
        "https://ehr.example.org.evil.org/fhir",
        "http://ehr.example.org/fhir",
        "https://ehr.example.org:8443/fhir",
        "https://ehr.example.org/fhirish",
        "https://ehr.example.org/",
        "https://ehr.example.org/fhir/../admin",
        "https://ehr.example.org/fhir/%2e%2e/admin",
        "https://ehr.example.org/fhir/..;/admin",
        "https://ehr.example.org/fhir/.;x=1/admin",
        "https://ehr.example.org/fhir/..%3b/admin",
        "https://ehr.example.org/fhir/%252e%252e/admin",
        "https://ehr.example.org/fhir\\..\\admin",
        "https://user:secret@ehr.example.org/fhir",
        "https://ehr.example.org@evil.example.org/fhir",
        "https://ehr.example.org/fhir?x=1",
        "https://ehr.example.org/fhir#x",
        "file:///etc/passwd",
        "ehr.example.org/fhir",
        "http://169.254.169.254/latest/meta-data",
        "https://[::1",
        "",
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    """`fhirServer` comes from outside: whatever is not on the list is never contacted."""
    with pytest.raises(ServerNotAllowed):
        check_allowed(url, settings())


def test_empty_list_allows_nothing() -> None:
    """Without an allow-list there is no server that may be asked."""
    with pytest.raises(ServerNotAllowed):
        check_allowed(SERVER, FhirSettings(allowed_servers=()))


@pytest.mark.parametrize("path", ["", "?_getpages=1", "/?_getpages=1", "/Observation?x=%2F..%2F"])
def test_paging_links_of_the_server_root_lie_within(path: str) -> None:
    """HAPI's paging links have no type in the path, and a query may hold anything."""
    assert is_within(httpx.URL(SERVER + path), httpx.URL(SERVER))


def test_refusal_says_what_to_do_and_not_where_it_led() -> None:
    """The message names the setting and repeats nothing of the address, which may hold an id."""
    with pytest.raises(ServerNotAllowed, match="FHIR_ALLOWED_SERVERS") as caught:
        check_allowed("https://evil.example.org/Patient/secret-7", settings())

    assert "secret-7" not in str(caught.value)
