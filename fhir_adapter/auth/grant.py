"""What a hook granted (`fhirAuthorization`) -> Access: checked for time, scope and patient before anything is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from pydantic import SecretStr

from fhir_adapter.auth.scopes import covers, read_scopes
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import AccessExpired, NotCovered
from fhir_adapter.rest.requests import Request
from fhir_adapter.rest.transport import bearer

MARGIN: Final = timedelta(seconds=3)
"""A token is not sent in its last seconds: it would expire on the way, or the server's clock may be ahead."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A bearer token and what is known of it (CDS Hooks, "Passing the Access Token to the CDS Service").

    Attributes:
        token: to be sent to the server of the hook, and nowhere else.
        expires_at: with its time zone, counted from when it came; None where that is not known.
        scope: as it came.
        patient_id: patient in its context; empty where it is not restricted to one.
    """

    token: SecretStr
    expires_at: datetime | None = None
    scope: str = ""
    patient_id: str = ""

    def to_content(self) -> dict[str, object]:
        """Return it for JSON, token and all: seal it at once."""
        return {
            "token": self.token.get_secret_value(),
            "expires_at": self.expires_at,
            "scope": self.scope,
            "patient_id": self.patient_id,
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Read what `to_content` gave, after it was JSON."""
        expires_at = content["expires_at"]
        return cls(
            SecretStr(content["token"]),
            datetime.fromisoformat(expires_at) if expires_at else None,
            content["scope"],
            content["patient_id"],
        )


class GrantAccess:
    """The right that a hook gave us.

    A scope string that cannot be read does not block: the server is asked and decides. See `scopes.covers`.

    Args:
        grant: what came.
        now: the time, with its zone.

    Raises:
        ValueError: the token cannot be one.
    """

    def __init__(self, grant: Grant, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._grant, self._now = grant, now
        self._headers = bearer(grant.token)
        self._scopes = read_scopes(grant.scope)

    async def headers(self, request: Request, deadline: Deadline) -> Mapping[str, str]:
        """Return the token's header.

        Raises:
            AccessExpired: its time is over.
            NotCovered: its scopes do not cover this, or this is about another patient than it is for.
        """
        del deadline
        ends = self._grant.expires_at
        if ends is not None and self._now() >= ends - MARGIN:
            raise AccessExpired(request.resource_type)
        if self._scopes is not None and not covers(self._scopes, request, self._grant.patient_id):
            raise NotCovered(request.resource_type)
        return self._headers

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Return False: only the next hook brings another token."""
        del refused
        return False
