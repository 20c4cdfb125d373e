"""Environment -> what an operator may set about FHIR and DICOMweb."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MIB = 2**20


def is_private_way(url: str) -> bool:
    """Whether nobody on the way can read along: https, or http to this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost"))


class BackendClient(BaseModel):
    """How this service is registered at one FHIR server (SMART App Launch 2.2, Backend Services).

    Attributes:
        client_id: as the server's administrator gave it out.
        keys: file with a JSON Web Key Set of private keys (RFC 7517); the first usable one signs, see `auth.keys`.
        scope: what to ask for, `system/*.rs` and the like, with blanks between.
        token_url: the server's token endpoint, https; found by `.well-known/smart-configuration` where not set.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    client_id: str = Field(min_length=1)
    keys: Path
    scope: str = Field(default="system/*.rs", min_length=1)
    token_url: HttpUrl | None = None

    @field_validator("token_url")
    @classmethod
    def _is_secure(cls, url: HttpUrl | None) -> HttpUrl | None:
        if url is not None and not is_private_way(str(url)):
            raise ValueError("the token endpoint must be https: what is sent there opens patients' records")
        return url


class FhirSettings(BaseSettings):
    """Read once at start, then passed on: `FHIR_ALLOWED_SERVERS='["https://ehr.example.org/fhir"]'` and so on.

    Attributes:
        allowed_servers: base addresses of the FHIR and DICOMweb servers that may be asked. `fhirServer` comes with
            the request and endpoint addresses come with the data, so nothing outside this list is ever contacted;
            an entry covers itself and what lies beneath its path. Empty: only what was prefetched is used.
        dicomweb_url: DICOMweb root used where the studies name no usable endpoint; allowed by being named here.
        clients: by base address, how this service gets tokens of its own for work outside a hook.
        search_by: `get`, or `post` to keep ids out of the server's access log; a server that takes no POST gets GET.
        page_size: resources asked for in one page.
        max_pages: pages read of one search before it is called incomplete.
        max_resources: resources read of one search, included ones too, before it is called incomplete.
        max_search_bytes: bytes read of one search, after decompression, before it is called incomplete.
        max_bytes: largest answer taken, after decompression.
        reroot_links: follow links to a next page that name another host or port at our own base address; for servers
            behind a proxy that writes its inner address into them.
        max_connections: connections open at once.
        max_connections_per_server: of them to one server, so that a slow one cannot take them all.
        keepalive_s: seconds an idle connection is kept.
        max_attempts: times a question is asked at most when a server is overloaded or cannot be reached; 1: no retry.
        capabilities_s: seconds a server's CapabilityStatement is taken to hold.
        etag_s: seconds an answer is kept to be asked about with `If-None-Match`; 0 keeps none.
        etag_entries: answers kept so.
        etag_bytes: their size altogether.
    """

    model_config = SettingsConfigDict(env_prefix="FHIR_", frozen=True)

    allowed_servers: tuple[HttpUrl, ...] = ()
    dicomweb_url: HttpUrl | None = None
    clients: dict[HttpUrl, BackendClient] = Field(default_factory=dict)
    search_by: Literal["get", "post"] = "get"
    page_size: int = Field(default=100, ge=1, le=1000)
    max_pages: int = Field(default=10, ge=1)
    max_resources: int = Field(default=20_000, ge=1)
    max_search_bytes: int = Field(default=64 * MIB, ge=1)
    max_bytes: int = Field(default=32 * MIB, ge=1)
    reroot_links: bool = False
    max_connections: int = Field(default=40, ge=1)
    max_connections_per_server: int = Field(default=20, ge=1)
    keepalive_s: float = Field(default=30.0, ge=0)
    max_attempts: int = Field(default=3, ge=1, le=10)
    capabilities_s: float = Field(default=3600.0, ge=0)
    etag_s: float = Field(default=300.0, ge=0)
    etag_entries: int = Field(default=256, ge=0)
    etag_bytes: int = Field(default=16 * MIB, ge=0)

    @field_validator("allowed_servers", "dicomweb_url", "clients")
    @classmethod
    def _is_base(
        cls, value: tuple[HttpUrl, ...] | HttpUrl | dict[HttpUrl, BackendClient] | None
    ) -> tuple[HttpUrl, ...] | HttpUrl | dict[HttpUrl, BackendClient] | None:
        """Refuse what cannot be a base address, before it silently matches nothing."""
        for url in value if isinstance(value, (tuple, dict)) else (value,) if value else ():
            if url.query or url.fragment or url.username or url.password:
                raise ValueError("give the plain base address: no user name, no query, no fragment")
        return value
