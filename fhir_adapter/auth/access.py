"""What a client asks before every request: may this be asked, and with which header?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from pydantic import SecretStr

from fhir_adapter.deadline import Deadline
from fhir_adapter.rest.requests import Request
from fhir_adapter.rest.transport import bearer


class Access(Protocol):
    """The right to ask one FHIR server; its headers go to that server's own base address and nowhere else."""

    async def headers(self, request: Request, deadline: Deadline) -> Mapping[str, str]:
        """Return the headers that show the right to ask this; they are secret.

        Raises:
            FhirRefused: the server need not be asked: `NotCovered`, `AccessExpired`, or no token is to be had.
            FhirError: a token server did not give one in time, see `rest.transport.fetch`.
        """
        ...

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Take note that the server answered 401 to these headers; True when fresh ones may do better."""
        ...


class Bearer:
    """A fixed bearer token, or none, of which nothing else is known.

    Raises:
        ValueError: the token cannot be one.
    """

    def __init__(self, token: SecretStr | None) -> None:
        self._headers: Final = bearer(token)

    async def headers(self, request: Request, deadline: Deadline) -> Mapping[str, str]:
        """Return the one header, whatever is asked."""
        del request, deadline
        return self._headers

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Return False: there is no other token."""
        del refused
        return False


def access_of(token: SecretStr | Access | None) -> Access:
    """Return what a caller gave as an Access.

    Raises:
        ValueError: a token that cannot be one.
    """
    return Bearer(token) if token is None or isinstance(token, SecretStr) else token
