"""`mllm-cds doctor` run in this process, which is left as it was."""

from __future__ import annotations

import logging
from typing import Any

import structlog
from typer.testing import CliRunner, Result

from cds_hooks.cli import app


def run_doctor(*arguments: str, **options: Any) -> Result:
    """Run the command, and undo what it does to logging."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    try:
        return CliRunner().invoke(app, ["doctor", *arguments], **options)
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers
        logging.captureWarnings(capture=False)
        structlog.reset_defaults()
