"""A worker of its own, with a fake model: `python -m tests.cds_hooks.worker_process`, set by CDS_* variables."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from pathlib import Path

from cds_hooks.judgement import Judgement
from cds_hooks.pipeline import Case, Pipeline
from cds_hooks.settings import ServiceSettings
from cds_hooks.worker import run_worker
from fhir_adapter.deadline import Deadline
from tests.cds_hooks.fakes import FakePipeline
from tests.cds_hooks.samples import CHECK, MODEL_CARD, make_judgement

HANG = "TEST_HANG"
"""Where this variable names a file, jobs create it and then hang."""
HANG_CHECK = "TEST_HANG_CHECK"
"""The same of checks."""


class HangingPipeline(FakePipeline):
    """Says that it has begun, and never ends."""

    async def judge(self, case: Case, deadline: Deadline) -> Judgement:
        """Hang."""
        await asyncio.to_thread(Path(os.environ[HANG]).touch)
        self.hold()
        return await super().judge(case, deadline)


async def open_pipeline() -> Pipeline:
    """Return the fake model; what it answers is to be checked."""
    pipeline = (HangingPipeline if HANG in os.environ else FakePipeline)(make_judgement(check=CHECK))
    if HANG_CHECK in os.environ:
        pipeline.on_piece = hang
    return pipeline


def hang(_: int) -> None:
    """Say that a check has begun, and never end."""
    Path(os.environ[HANG_CHECK]).touch()
    threading.Event().wait()


if __name__ == "__main__":
    sys.exit(run_worker(ServiceSettings(), open_pipeline, MODEL_CARD.seal))
