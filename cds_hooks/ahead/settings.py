"""Environment -> which servers are watched, how, and for whose news cases are computed ahead."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AnyHttpUrl, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from fhir_adapter.references import split_reference

LISTS = ("Group", "List")


class WatchSettings(BaseSettings):
    """What an operator may set, as CDS_WATCH_SERVERS and so on. Off without a server.

    Attributes:
        servers: base addresses of the FHIR servers to be watched, separated by commas, as hooks name them in
            `fhirServer`; each must be allowed (FHIR_ALLOWED_SERVERS).
        by: `poll` asks for what was stored since the last time; `subscription` waits to be told, and asks seldom.
        every_s: seconds between two polls of a server.
        catch_up_s: the same where it is told by subscriptions: what a notification that was lost would have brought.
        overlap_s: how far a poll looks back behind the newest resource it has seen.
        topics: canonical of the SubscriptionTopic for each interest, as JSON: `{"labs": "https://…"}`; without one
            R4 and R4B servers are asked by criteria, and R5 servers cannot be.
        whom: `opened`, patients whose chart was opened here lately; `list`, members of `lists`; `all`.
        opened_within: what lately means.
        lists: `Group/ID` or `List/ID` of each server, separated by commas.
        quiet_s: how long a patient's news must have stopped before the case is computed.
        at_most_s: how long they may go on before it is computed all the same.
        per_minute: cases computed ahead in a minute at most, by each web process.
        keep_fresh: for how long after the last news a result that is too old to be reused is computed again; 0 leaves
            it at the first.
    """

    model_config = SettingsConfigDict(env_prefix="CDS_WATCH_", frozen=True, extra="forbid")

    servers: Annotated[tuple[AnyHttpUrl, ...], NoDecode] = ()
    by: Literal["poll", "subscription"] = "poll"
    every_s: float = Field(default=60.0, ge=5, le=86_400)
    catch_up_s: float = Field(default=900.0, ge=5, le=86_400)
    overlap_s: float = Field(default=60.0, ge=0, le=3600)
    topics: dict[str, str] = Field(default_factory=dict)
    whom: Literal["opened", "list", "all"] = "opened"
    opened_within: timedelta = timedelta(days=7)
    lists: Annotated[tuple[str, ...], NoDecode] = ()
    quiet_s: float = Field(default=20.0, ge=0, le=3600)
    at_most_s: float = Field(default=300.0, gt=0, le=86_400)
    per_minute: float = Field(default=30.0, gt=0, le=6000)
    keep_fresh: timedelta = timedelta(hours=4)

    @field_validator("servers", "lists", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(filter(None, (part.strip() for part in value.split(",")))) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _refuse_impossible_mixes(self) -> Self:
        if self.quiet_s > self.at_most_s:
            raise ValueError("CDS_WATCH_QUIET_S must be no longer than CDS_WATCH_AT_MOST_S.")
        if self.whom == "list" and not self.lists:
            raise ValueError("Set CDS_WATCH_LISTS: CDS_WATCH_WHOM=list needs the lists of patients.")
        if any((split_reference(each) or ("",))[0] not in LISTS for each in self.lists):
            raise ValueError("CDS_WATCH_LISTS holds references such as Group/ward-3 or List/today.")
        if self.opened_within <= timedelta(0) or self.keep_fresh < timedelta(0):
            raise ValueError("CDS_WATCH_OPENED_WITHIN must be positive, and CDS_WATCH_KEEP_FRESH not negative.")
        return self

    @property
    def bases(self) -> tuple[str, ...]:
        """The servers in the form in which a hook's `fhirServer` is compared, each once."""
        return tuple(dict.fromkeys(str(server).rstrip("/") for server in self.servers))
