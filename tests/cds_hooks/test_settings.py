from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cds_hooks.settings import SECRET_LENGTH, ServiceSettings

KEY = "k" * SECRET_LENGTH
REDIS = "redis://127.0.0.1:6379/0"


@pytest.mark.parametrize(
    ("mix", "advice"),
    [
        ({"broker_url": REDIS}, "CDS_SECRET_KEY"),
        ({"broker_url": REDIS, "secret_key": KEY, "database_url": "sqlite://"}, "CDS_DATABASE_URL"),
        ({"broker_url": "sqs://somewhere"}, "CDS_BROKER_URL"),
        ({"secret_key": "short"}, "openssl rand"),
        ({"answer_within_s": 5, "job_limit_s": 5}, "CDS_JOB_LIMIT_S"),
        ({"result_lifetime": timedelta(hours=9)}, "CDS_RESULT_LIFETIME"),
        ({"result_lifetime": timedelta(0)}, "CDS_RESULT_LIFETIME"),
        ({"narrator_url": "https://llm.example/v1"}, "CDS_NARRATOR_MODEL"),
        ({"narrator_url": "http://llm.example/v1", "narrator_model": "m"}, "https"),
        ({"narrator_url": "ftp://llm", "narrator_model": "m"}, "narrator_url"),
    ],
)
def test_impossible_mix_is_refused_with_advice(mix: dict[str, Any], advice: str) -> None:
    """Settings that cannot work together are refused when they are read, with the variable to change."""
    with pytest.raises(ValidationError, match=advice):
        ServiceSettings(**mix)


def test_secrets_do_not_print() -> None:
    """No secret appears in the settings as text."""
    settings = ServiceSettings(
        broker_url="redis://:hunter2@h/0",
        secret_key=KEY,
        database_url="postgresql://u:hunter2@h/d",
        narrator_key="hunter2",
    )

    assert "hunter2" not in repr(settings)
    assert KEY not in str(settings)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every setting is a variable that starts with CDS_; lists are separated by commas."""
    monkeypatch.setenv("CDS_ANSWER_WITHIN_S", "0.8")
    monkeypatch.setenv("CDS_CORS_ORIGINS", "https://a.example, https://b.example")

    assert (
        ServiceSettings().answer_within_s,
        ServiceSettings().cors_origins,
    ) == (0.8, ("https://a.example", "https://b.example"))


def test_defaults_need_nothing_else() -> None:
    """Without any setting the service is embedded and keeps an SQLite file of its own."""
    settings = ServiceSettings()

    assert settings.embedded
    assert settings.database == f"sqlite:///{settings.state_dir}/mllm-cds.sqlite3"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_both_names_of_postgresql_are_understood(scheme: str) -> None:
    """Hosting services still hand out the scheme that SQLAlchemy dropped."""
    assert ServiceSettings(database_url=f"{scheme}://u@h/d").database == "postgresql://u@h/d"


@pytest.mark.parametrize("public", ["https://cds.example.org", "https://cds.example.org/"])
def test_addresses_start_with_the_public_one(public: str) -> None:
    """Links start with the address that the outside knows, whether or not it ends in a slash."""
    assert ServiceSettings(public_url=public).url("/x") == "https://cds.example.org/x"


def test_state_lies_where_the_user_keeps_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without XDG_STATE_HOME the state lies under ~/.local/state."""
    monkeypatch.delenv("XDG_STATE_HOME")

    assert ServiceSettings().state_dir == Path.home() / ".local" / "state" / "mllm-cds"
