"""What can be asked of a FHIR server: a read by id or a search of one type, as an address. No network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Self

import httpx

from fhir_adapter.references import is_fhir_id

Interaction = Literal["read", "search"]


@dataclass(frozen=True, slots=True)
class Request:
    """One question; made by `read_of` and `search_of`, which check it.

    Attributes:
        resource_type: `Observation`, `Patient`, ...
        interaction: `read` for one resource by its id, `search` for a type, its later pages included.
        resource_id: of a read; empty where the address comes from elsewhere (an attachment, `metadata`).
        params: of a search; empty where only a link to a page is known.
    """

    resource_type: str
    interaction: Interaction
    resource_id: str = ""
    params: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read_of(cls, resource_type: str, resource_id: str) -> Self:
        """Return a read.

        Raises:
            ValueError: the id is none (programming error: ids are checked where they come in).
        """
        if not is_fhir_id(resource_id):
            raise ValueError("not a FHIR id: refuse it before reading")
        return cls(resource_type, "read", resource_id)

    @classmethod
    def search_of(cls, resource_type: str, params: Mapping[str, str]) -> Self:
        """Return a search.

        Raises:
            ValueError: a parameter is empty. HAPI ignores such a parameter and answers with everybody's data.
        """
        if not params or any(not value.strip().strip("/") or value.endswith("/") for value in params.values()):
            raise ValueError("an empty search parameter would match every patient")
        return cls(resource_type, "search", params=params)

    @property
    def path(self) -> str:
        """Address beneath the base, parameters encoded."""
        if self.interaction == "read":
            return f"{self.resource_type}/{self.resource_id}"
        return f"{self.resource_type}?{self.form}"

    @property
    def form(self) -> str:
        """The parameters, encoded as a form is."""
        return str(httpx.QueryParams(dict(self.params)))

    @property
    def wants_parts(self) -> bool:
        """Whether only parts of each resource are asked for, so that SUBSETTED is no news."""
        return bool({"_elements", "_summary"} & self.params.keys())

    @property
    def patient_id(self) -> str:
        """Id of the one patient who is asked about, or an empty string where the question does not tell."""
        if self.resource_type == "Patient":
            return self.resource_id or self.params.get("_id", "")
        return (self.params.get("patient") or self.params.get("subject") or "").rpartition("/")[2]


METADATA: Final = Request("CapabilityStatement", "read")
"""`GET [base]/metadata`."""
BINARY: Final = Request("Binary", "read")
"""What an attachment points to."""
