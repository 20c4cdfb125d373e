"""A service on a real socket: `python -m tests.cds_hooks.service_process PORT`, with a fake model."""

from __future__ import annotations

import sys

import uvicorn

from cds_hooks.app import create_app
from cds_hooks.settings import ServiceSettings
from fhir_adapter.settings import FhirSettings
from tests.cds_hooks.fakes import FakePipeline, make_engine

if __name__ == "__main__":
    application = create_app(ServiceSettings(), FhirSettings(), engine=make_engine(FakePipeline()))
    uvicorn.run(application, port=int(sys.argv[1]), log_config=None, access_log=False)
