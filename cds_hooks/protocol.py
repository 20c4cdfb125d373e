"""CDS Hooks 2.0 and 3.0.0-ballot as types: what a client sends and what it gets.

Fields that the specification may add later are accepted and kept (`model_extra`); nothing here knows of FHIR content.
Source: https://cds-hooks.hl7.org (2.0); HL7/cds-hooks `input/pagecontent/index.md` and its invariants `cds-r-*`,
`cds-resp-*`, `cds-fb-*` (3.0.0-ballot); HL7/cds-hooks-library, patient-view.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)

from fhir_adapter.references import is_fhir_id
from fhir_adapter.rest.transport import is_bearer_token

SUMMARY_LIMIT: Final = 140
"""A summary has fewer characters than this."""
HOOK: Final = "patient-view"
HOOK_VERSION: Final = "1.0"

Text = Annotated[str, StringConstraints(min_length=1)]


def _check_id(text: str) -> str:
    if not is_fhir_id(text):
        raise ValueError("a FHIR id has 1 to 64 letters, digits, hyphens and dots, and not dots alone")
    return text


ResourceId = Annotated[str, AfterValidator(_check_id)]
"""A FHIR id (https://hl7.org/fhir/datatypes.html#id): nothing in it can change the path of a request."""


class Incoming(BaseModel):
    """What a client sends: unknown fields are kept, so that newer clients are understood."""

    model_config = ConfigDict(extra="allow", frozen=True)


class FhirAuthorization(Incoming):
    """A bearer token for the client's FHIR server ("Passing the Access Token to the CDS Service")."""

    access_token: SecretStr
    token_type: Literal["Bearer"]
    expires_in: int = Field(gt=0)
    scope: Text
    subject: Text
    patient: ResourceId | None = None

    @field_validator("access_token")
    @classmethod
    def _fits_a_header(cls, token: SecretStr) -> SecretStr:
        # A line break in it would start another header.
        if not is_bearer_token(token.get_secret_value()):
            raise ValueError("this is not a bearer token (RFC 6750 section 2.1)")
        return token


class PatientViewContext(Incoming):
    """Context of `patient-view`."""

    patient_id: ResourceId = Field(alias="patientId")
    user_id: Text = Field(alias="userId")
    encounter_id: ResourceId | None = Field(default=None, alias="encounterId")


class HookRequest(Incoming):
    """One hook call ("Calling a CDS Service")."""

    hook: Text
    hook_instance: UUID = Field(alias="hookInstance")
    fhir_server: AnyHttpUrl | None = Field(default=None, alias="fhirServer")
    fhir_authorization: FhirAuthorization | None = Field(default=None, alias="fhirAuthorization")
    context: PatientViewContext
    prefetch: dict[str, Any] | None = None


class Outgoing(BaseModel):
    """What this service answers: built by us only, so that an unknown field is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object; a field without a value is left out ("Null and empty JSON elements")."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Coding(Outgoing):
    """A code with its system ("Coding")."""

    code: Text
    system: Text
    display: Text | None = None


class OverrideReason(Coding):
    """A reason a clinician may choose when overriding a card: here the display is required."""

    display: Text


class Source(Outgoing):
    """Where the guidance of a card comes from."""

    label: Text
    url: AnyHttpUrl | None = None
    topic: Coding | None = None


class Link(Outgoing):
    """A link of a card. This service has no SMART app, so that every link is absolute."""

    label: Text
    url: AnyHttpUrl
    type: Literal["absolute"] = "absolute"


class Action(Outgoing):
    """A change that the clinician may accept; this service only ever proposes to create."""

    type: Literal["create"] = "create"
    description: Text
    resource: dict[str, Any] = Field(min_length=1)


class Suggestion(Outgoing):
    """A set of changes that are accepted together."""

    label: Text
    uuid: UUID
    actions: tuple[Action, ...] = Field(min_length=1)


class Card(Outgoing):
    """One piece of guidance ("Card Attributes")."""

    uuid: UUID
    summary: Annotated[str, StringConstraints(min_length=1, max_length=SUMMARY_LIMIT - 1)]
    detail: Text | None = None
    indicator: Literal["info", "warning", "critical"]
    source: Source
    suggestions: tuple[Suggestion, ...] | None = Field(default=None, min_length=1)
    selection_behavior: Literal["at-most-one", "any"] | None = Field(default=None, alias="selectionBehavior")
    override_reasons: tuple[OverrideReason, ...] | None = Field(default=None, min_length=1, alias="overrideReasons")
    links: tuple[Link, ...] | None = Field(default=None, min_length=1)
    extension: dict[str, Any] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _pair_suggestions(self) -> Self:
        if (self.suggestions is None) != (self.selection_behavior is None):
            raise ValueError("suggestions and selectionBehavior come together (cds-resp-1, cds-resp-6)")
        return self


class HookResponse(Outgoing):
    """The answer to a hook call: at least one card, as none would read as "nothing found"."""

    cards: tuple[Card, ...] = Field(min_length=1)


class Service(Outgoing):
    """One entry of discovery ("Discovery"); `version` and `hookVersion` are of 3.0.0-ballot."""

    id: Text
    hook: Text
    title: Text
    description: Text
    prefetch: dict[str, Text] = Field(min_length=1)
    usage_requirements: Text | None = Field(default=None, alias="usageRequirements")
    version: Text | None = None
    hook_version: Text | None = Field(default=None, alias="hookVersion")
    potentially_long_running: Literal[True] | None = Field(default=None, alias="potentiallyLongRunning")


class Services(Outgoing):
    """The answer to discovery."""

    services: tuple[Service, ...]


class AcceptedSuggestion(Incoming):
    """A suggestion that the user accepted."""

    id: UUID


class ReasonCode(Incoming):
    """The override reason a user chose, as the client sends it back: the display may be absent."""

    code: Text
    system: Text


class GivenReason(Incoming):
    """Why a card was overridden."""

    reason: ReasonCode | None = None
    user_comment: str | None = Field(default=None, alias="userComment", max_length=10_000)

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.reason is None and not self.user_comment:
            raise ValueError("an overrideReason holds a reason, a userComment or both (cds-fb-3)")
        return self


class PageCode(Incoming):
    """A reason by its code alone: the page knows one system only."""

    code: Text = Field(max_length=64)


class PageReason(Incoming):
    """Why a reader of the page disagrees."""

    reason: PageCode | None = None
    user_comment: str | None = Field(default=None, alias="userComment", max_length=10_000)


class Feedback(Incoming):
    """What a user did with one card ("Feedback")."""

    card: UUID
    outcome: Literal["accepted", "overridden"]
    accepted_suggestions: tuple[AcceptedSuggestion, ...] | None = Field(
        default=None, alias="acceptedSuggestions", max_length=10
    )
    override_reason: GivenReason | None = Field(default=None, alias="overrideReason")
    outcome_timestamp: AwareDatetime = Field(alias="outcomeTimestamp")

    @model_validator(mode="after")
    def _accepted_names_what(self) -> Self:
        if self.outcome == "accepted" and not self.accepted_suggestions:
            raise ValueError("an accepted card names its acceptedSuggestions (cds-fb-2)")
        return self


class PageFeedback(Incoming):
    """What the page behind a card posts: the same words, but agreeing there accepts no suggestion."""

    outcome: Literal["accepted", "overridden"]
    override_reason: PageReason | None = Field(default=None, alias="overrideReason")


class FeedbackRequest(Incoming):
    """The body of a feedback call."""

    feedback: tuple[Feedback, ...] = Field(min_length=1, max_length=100)
