"""Events -> one line each on stderr, from which patient data are absent by construction.

Only the keys of `ALLOWED` are ever written, whatever a caller passes. Messages of other libraries may quote a URL or
a value, so that only where they come from is written, save for the few loggers in `SPOKEN`.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

ALLOWED: Final = frozenset(
    [
        "event",
        "level",
        "timestamp",
        "logger",
        "place",
        "message",
        "error",
        "request_id",
        "job_id",
        "worker",
        "method",
        "route",
        "status",
        "duration_ms",
        "attempt",
        "count",
        "removed",
        "state",
        "part",
        "reason",
        "hook",
        "model",
        "version",
    ]
)
"""Keys an event may have. None of them may be given a name, an id of a patient, a value, a token or a note."""
SPOKEN: Final = frozenset({"uvicorn.error"})
"""Loggers of others whose text is written as it is: it tells of addresses and processes only."""


def configure_logging(level: str, form: str) -> None:
    """Send structlog and standard-library logging through one chain to stderr.

    Args:
        level: least severe event that is written: DEBUG, INFO, WARNING or ERROR.
        form: `json` for one object a line, `console` for people.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level, *shared, _name_the_error, _allowed_only,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )  # fmt: skip
    handler = _Stderr()
    handler.setFormatter(_formatter(form, shared))
    _route_everything_to(handler, level)


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what stderr is at the time, not to what it was when logging was set up."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """The current stderr."""
        return sys.stderr


def _formatter(form: str, shared: list[Processor]) -> structlog.stdlib.ProcessorFormatter:
    render: Processor = (
        structlog.processors.JSONRenderer(sort_keys=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, _only_where_from, _allowed_only],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
    )


def _route_everything_to(handler: logging.Handler, level: str) -> None:
    root = logging.getLogger()
    for old in list(root.handlers):
        if isinstance(old.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "celery", "celery.task"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # A warning may quote what it warns of: it takes the same way as all that libraries say.
    logging.captureWarnings(capture=True)
    # The access log holds paths, and the path of an explanation page is a secret: `request` events replace it.
    logging.getLogger("uvicorn.access").disabled = True
    # Chatty at INFO about addresses that may hold patient ids; their warnings stay.
    for name in ("httpx", "httpcore", "celery", "kombu", "amqp", "sqlalchemy", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _name_the_error(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Turn an exception into its type: its text may quote the data that caused it."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exception()
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["place"] = _place(error)
    return event


def _place(error: BaseException) -> str:
    """Return the innermost code position of an exception, `module:line`."""
    place, trace = "", error.__traceback__
    while trace is not None:
        place = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _only_where_from(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    record: logging.LogRecord = event["_record"]
    kept: dict[str, Any] = {key: event[key] for key in ("_record", "_from_structlog") if key in event}
    kept |= {"event": "library message", "level": event.get("level"), "timestamp": event.get("timestamp")}
    kept |= {"logger": record.name, "place": f"{record.module}:{record.lineno}"}
    if record.name in SPOKEN:
        kept["message"] = event["event"]
    if record.exc_info:
        kept["exc_info"] = record.exc_info
    return _name_the_error(_logger, _method, kept)


def _allowed_only(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    for key in [key for key in event if key not in ALLOWED and not key.startswith("_")]:
        del event[key]
    return event


def get_logger() -> structlog.stdlib.BoundLogger:
    """Return a logger whose first argument names the step and whose keywords are among `ALLOWED`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("mllm_cds")
    return logger
