from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from cds_hooks.log import configure_logging, get_logger
from tests.cds_hooks.samples import FAMILY

Lines = Callable[[], list[dict[str, Any]]]


def fail() -> None:
    """Raise an error whose text names the patient."""
    raise KeyError(FAMILY)


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    """Return what was written, one object a line."""
    configure_logging("INFO", "json")
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    structlog.reset_defaults()


def test_event_is_one_json_object(lines: Lines) -> None:
    """A step is one line with its name, level and time."""
    get_logger().info("job_done", job_id="j", duration_ms=1.5)
    (event,) = lines()

    assert (event["event"], event["level"], event["job_id"], event["duration_ms"]) == ("job_done", "info", "j", 1.5)
    assert event["timestamp"].endswith("Z")


def test_key_that_is_not_allowed_is_dropped(lines: Lines) -> None:
    """Whatever a caller passes, only keys that cannot hold patient data are written."""
    get_logger().info("step", patient=FAMILY, note="text", state="done")
    (event,) = lines()

    assert {"event", "level", "timestamp", "state"} == set(event)


def test_error_is_its_type_and_place(lines: Lines) -> None:
    """An exception is written as its type and where it was raised: its text may quote data."""
    try:
        fail()
    except KeyError:
        get_logger().exception("broke")
    (event,) = lines()

    assert event["error"] == "KeyError"
    assert event["place"].startswith(f"{__name__}:")
    assert FAMILY not in str(event)


@pytest.mark.parametrize("message", [f"GET /Patient/{FAMILY}", "GET %s"])
def test_messages_of_libraries_are_not_repeated(lines: Lines, message: str) -> None:
    """What a library says may quote an address or a value: only where it comes from is written."""
    arguments = (FAMILY,) if "%s" in message else ()
    logging.getLogger("some.library").warning(message, *arguments)
    (event,) = lines()

    assert (event["event"], event["logger"]) == ("library message", "some.library")
    assert FAMILY not in str(event)


def test_error_of_a_library_has_its_type(lines: Lines) -> None:
    """The exception behind a library's message is named, and not quoted."""
    try:
        fail()
    except KeyError:
        logging.getLogger("some.library").exception("failed for %s", FAMILY)
    (event,) = lines()

    assert event["error"] == "KeyError"
    assert FAMILY not in str(event)


def test_warning_is_not_quoted(lines: Lines) -> None:
    """A Python warning takes the same way."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        configure_logging("INFO", "json")
        logging.getLogger("py.warnings").warning("%s", f"{FAMILY} is odd")

    assert FAMILY not in str(lines())


def test_server_speaks_for_itself(lines: Lines) -> None:
    """Where the server listens is written in words, as an operator looks for it."""
    logging.getLogger("uvicorn.error").info("Uvicorn running on %s", "http://127.0.0.1:8000")

    assert [event["message"] for event in lines()] == ["Uvicorn running on http://127.0.0.1:8000"]


def test_access_log_is_off(lines: Lines) -> None:
    """Paths are never logged: that of a page is a secret."""
    logging.getLogger("uvicorn.access").info("GET /explanations/token")

    assert lines() == []


def test_bound_request_is_on_every_event(lines: Lines) -> None:
    """The id of the request stands on each event that it causes."""
    with structlog.contextvars.bound_contextvars(request_id="r"):
        get_logger().info("one")
        get_logger().info("two")

    assert [event["request_id"] for event in lines()] == ["r", "r"]


def test_level_is_respected(lines: Lines) -> None:
    """What is less severe than asked for is not written."""
    get_logger().debug("detail")

    assert lines() == []


def test_setting_up_twice_writes_once(lines: Lines) -> None:
    """A service that is created twice in one process does not write everything twice."""
    configure_logging("INFO", "json")
    get_logger().info("step")

    assert len(lines()) == 1


def test_console_form_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """On the console an event is a line to read, with the same omissions."""
    configure_logging("INFO", "console")
    get_logger().info("step", patient=FAMILY, state="done")
    written = capsys.readouterr().err
    structlog.reset_defaults()

    assert "step" in written
    assert FAMILY not in written
