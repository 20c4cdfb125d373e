"""`python -m cds_hooks.sandbox`: the sandbox alone, as a FHIR and DICOMweb server for tests and benchmarks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
import uvicorn
from starlette.applications import Starlette

from cds_hooks.sandbox.bench_patients import bench_patients
from cds_hooks.sandbox.hospital import Sandbox
from cds_hooks.sandbox.long_charts import LENGTHS, long_chart


def main(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8080,
    bench: Annotated[
        int, typer.Option("--bench-patients", help="Serve so many patients of the benchmark instead.")
    ] = 0,
    *,
    long_charts: Annotated[
        bool, typer.Option("--long-charts", help="Serve a patient with a short and one with a long chart instead.")
    ] = False,
) -> None:
    """Serve the sample patients under /fhir and /dicom-web on 127.0.0.1.

    Example: [bold]python -m cds_hooks.sandbox --port 8080[/bold]
    """
    url = f"http://127.0.0.1:{port}"
    if bench:
        sandbox = Sandbox(url)
        sandbox.add_samples(bench_patients(bench, sandbox.dicomweb_url))
    elif long_charts:
        sandbox = Sandbox(url)
        for name, length in LENGTHS.items():
            sandbox.add_samples(long_chart(name, length, datetime.now(UTC), sandbox.dicomweb_url))
    else:
        sandbox = Sandbox.with_samples(url)
    app = Starlette(routes=sandbox.routes())
    uvicorn.run(app, host="127.0.0.1", port=port, log_config=None, access_log=False)


if __name__ == "__main__":
    typer.run(main)
