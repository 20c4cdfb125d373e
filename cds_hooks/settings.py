"""Environment -> ServiceSettings: what an operator may set, read once and passed on."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AnyHttpUrl, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from cds_hooks.ahead.settings import WatchSettings

BROKERS: Final = ("memory", "redis", "rediss")
SECRET_LENGTH: Final = 32
"""Characters a secret key must have; `openssl rand -base64 32` gives 44."""
Texts = Annotated[tuple[str, ...], NoDecode]


def default_state_dir() -> Path:
    """Return where a user's programs keep what they must remember (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "mllm-cds"


class ServiceSettings(BaseSettings):
    """What an operator may set, as CDS_PUBLIC_URL and so on.

    Attributes:
        public_url: where EHRs and browsers reach this service; card links start with it.
        state_dir: folder of the SQLite file and the generated key; made with mode 0700 when first used.
        database_url: SQLAlchemy URL; None for an SQLite file in `state_dir`, `sqlite://` for memory.
        broker_url: `memory://` runs the worker inside the web process, `redis://host:6379/0` a separate one.
        triton_url: `host:8001` of a Triton server; None runs the model in the worker's own process.
        checkpoint: folder of the checkpoint to serve; None for the one that ships.
        secret_key: encrypts what is stored; None generates one into `state_dir` (embedded only).
        answer_within_s: budget of one hook call; CDS Hooks asks for about 500 ms.
        job_limit_s: after this long a job is given up, and the next hook may start it again.
        result_lifetime: how long a finished result answers later hooks without being computed again;
            the model takes the age of each value, so that a result is not reused for long.
        page_lifetime: how long the link of a card works, and how long its evidence is kept.
        feedback_retention: how long a card can still receive feedback; it holds no patient data.
        audit_retention: how long the audit trail is kept.
        max_body_bytes: a larger request is refused before it is read.
        worker_threads: jobs one worker process has in hand at the same time.
        model_threads: CPU threads of one inference in process.
        checks: test each explanation after its answer, in a job that gives way to hooks; off saves the computing time,
            and pages then say that their evidence was not tested.
        check_limit_s: computing time after which a check is given up; time spent giving way does not count.
        narrator_url: base address of a generative model that words the tested claims again, `https://llm.example.org/v1`
            for the OpenAI protocol, `https://triton.example.org` for Triton; None keeps to the template's sentences.
            The claims it is sent hold values and words of the note: name a host of the same trust.
        narrator_kind: `openai` (chat completions) or `triton` (`generate` of its vLLM backend).
        narrator_model: name of the model there; required with `narrator_url`.
        narrator_key: bearer token for it, where it wants one.
        narrator_allow_http: send it claims, which are patient data, over http to another machine.
        narrator_timeout_s: how long it may take; then the page keeps the template's sentences.
        log_level: least severe event that is written.
        log_format: `json` for machines, `console` for people.
        cors_origins: origins whose pages may call `/cds-services`; `*` for any (no cookie is ever used).
        frame_ancestors: origins that may show the explanation page in a frame.
        long_running_hint: offer `potentiallyLongRunning` in discovery (FHIR-57316, not yet in the specification).
        watch: which servers are watched for fresh results, as CDS_WATCH_SERVERS and so on.
    """

    model_config = SettingsConfigDict(env_prefix="CDS_", frozen=True, extra="forbid")

    public_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8000")
    state_dir: Path = Field(default_factory=default_state_dir)
    database_url: SecretStr | None = None
    broker_url: SecretStr = SecretStr("memory://")
    triton_url: str | None = None
    checkpoint: Path | None = None
    secret_key: SecretStr | None = None
    answer_within_s: float = Field(default=0.5, ge=0.01, le=30)
    job_limit_s: float = Field(default=30.0, gt=0, le=3600)
    result_lifetime: timedelta = timedelta(hours=1)
    page_lifetime: timedelta = timedelta(hours=8)
    feedback_retention: timedelta = timedelta(days=90)
    audit_retention: timedelta = timedelta(days=365)
    max_body_bytes: int = Field(default=8 * 1024 * 1024, ge=1024)
    worker_threads: int = Field(default=4, ge=1, le=64)
    model_threads: int = Field(default=1, ge=1, le=64)
    checks: bool = True
    check_limit_s: float = Field(default=60.0, gt=0, le=3600)
    narrator_url: AnyHttpUrl | None = None
    narrator_kind: Literal["openai", "triton"] = "openai"
    narrator_model: str | None = Field(default=None, min_length=1)
    narrator_key: SecretStr | None = None
    narrator_allow_http: bool = False
    narrator_timeout_s: float = Field(default=20.0, gt=0, le=600)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"
    cors_origins: Texts = ("*",)
    frame_ancestors: Texts = ("'none'",)
    long_running_hint: bool = False
    watch: WatchSettings = Field(default_factory=WatchSettings)

    @field_validator("cors_origins", "frame_ancestors", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(filter(None, (part.strip() for part in value.split(",")))) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _refuse_impossible_mixes(self) -> Self:
        if self._broker_scheme not in BROKERS:
            raise ValueError(f"CDS_BROKER_URL must start with one of {', '.join(f'{name}://' for name in BROKERS)}.")
        if self.secret_key is not None and len(self.secret_key.get_secret_value()) < SECRET_LENGTH:
            raise ValueError(f"CDS_SECRET_KEY needs {SECRET_LENGTH} characters or more: `openssl rand -base64 32`.")
        if not self.embedded and self.secret_key is None:
            raise ValueError("Set CDS_SECRET_KEY: with a broker, web and worker must share the key of the database.")
        if not self.embedded and self.database == "sqlite://":
            raise ValueError("CDS_DATABASE_URL=sqlite:// lives in one process: name a file or a server with a broker.")
        if self.answer_within_s >= self.job_limit_s:
            raise ValueError("CDS_JOB_LIMIT_S must be longer than CDS_ANSWER_WITHIN_S, or no job could finish late.")
        if not timedelta(0) < self.result_lifetime <= self.page_lifetime:
            raise ValueError("CDS_RESULT_LIFETIME must be positive and no longer than CDS_PAGE_LIFETIME.")
        if self.narrator_url is not None:
            if self.narrator_model is None:
                raise ValueError("Set CDS_NARRATOR_MODEL: CDS_NARRATOR_URL needs the name of the model to ask.")
            # Imported here: the narrator's packages would lengthen the start of every service that has none.
            from explain.narrator.exchange import checked_url  # noqa: PLC0415

            checked_url(str(self.narrator_url), allow_http=self.narrator_allow_http)
        return self

    @property
    def _broker_scheme(self) -> str:
        return urlsplit(self.broker_url.get_secret_value()).scheme

    @property
    def embedded(self) -> bool:
        """Whether the worker runs inside the web process."""
        return self._broker_scheme == "memory"

    @property
    def database(self) -> str:
        """SQLAlchemy URL of the database, password included: never log it."""
        if self.database_url is None:
            return f"sqlite:///{self.state_dir / 'mllm-cds.sqlite3'}"
        # Hosting services still hand out the old scheme that SQLAlchemy dropped.
        return self.database_url.get_secret_value().replace("postgres://", "postgresql://", 1)

    def url(self, path: str) -> str:
        """Return the absolute URL of a path of this service, as the outside sees it."""
        return str(self.public_url).rstrip("/") + path
