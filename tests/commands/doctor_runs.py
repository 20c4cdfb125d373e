"""`mllm-cds doctor` run in this process, which is left as it was."""

from __future__ import annotations

import logging
from typing import Any

import structlog
from typer.testing import CliRunner, Result

from cds_hooks.cli import app
from cds_hooks.log import configure_logging


def run_doctor(*arguments: str, **options: Any) -> Result:
    """Run the command, and undo what it does to logging."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    # Before the output is taken over: a service in a thread of this process may log until the command has set it up.
    configure_logging("ERROR", "console")
    try:
        return CliRunner().invoke(app, ["doctor", *arguments], **options)
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers
        logging.captureWarnings(capture=False)
        structlog.reset_defaults()
