"""Environment -> what an operator may set about FHIR and DICOMweb."""

from __future__ import annotations

from pydantic import Field, HttpUrl, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MIB = 2**20


class FhirSettings(BaseSettings):
    """Read once at start, then passed on: `FHIR_ALLOWED_SERVERS='["https://ehr.example.org/fhir"]'` and so on.

    Attributes:
        allowed_servers: base addresses of the FHIR and DICOMweb servers that may be asked. `fhirServer` comes with
            the request and endpoint addresses come with the data, so nothing outside this list is ever contacted;
            an entry covers itself and what lies beneath its path. Empty: only what was prefetched is used.
        dicomweb_url: DICOMweb root used where the studies name no usable endpoint; allowed by being named here.
        page_size: resources asked for in one page.
        max_pages: pages read of one search before it is called incomplete.
        max_bytes: largest answer taken, after decompression.
        max_image_bytes: largest DICOM file or frame taken; where a file is larger, its frame is asked for.
        max_connections: connections open at once.
        keepalive_s: seconds an idle connection is kept.
    """

    model_config = SettingsConfigDict(env_prefix="FHIR_", frozen=True)

    allowed_servers: tuple[HttpUrl, ...] = ()
    dicomweb_url: HttpUrl | None = None
    page_size: int = Field(default=100, ge=1, le=1000)
    max_pages: int = Field(default=10, ge=1)
    max_bytes: int = Field(default=32 * MIB, ge=1)
    max_image_bytes: int = Field(default=64 * MIB, ge=1)
    max_connections: int = Field(default=20, ge=1)
    keepalive_s: float = Field(default=30.0, ge=0)

    @field_validator("allowed_servers", "dicomweb_url")
    @classmethod
    def _is_base(cls, value: tuple[HttpUrl, ...] | HttpUrl | None) -> tuple[HttpUrl, ...] | HttpUrl | None:
        """Refuse what cannot be a base address, before it silently matches nothing."""
        for url in value if isinstance(value, tuple) else (value,) if value else ():
            if url.query or url.fragment or url.username or url.password:
                raise ValueError("give the plain base address: no user name, no query, no fragment")
        return value
