"""The version of the installed distribution."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import typer

DISTRIBUTION = "mllm-cds"


def installed_version() -> str:
    """Return the version of the distribution, or "unknown" when it runs from a folder that was never installed."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"


def print_version(value: bool) -> None:  # noqa: FBT001 - the signature typer calls
    """Print the version and end, when the flag was given."""
    if value:
        typer.echo(f"{DISTRIBUTION} {installed_version()}")
        raise typer.Exit
