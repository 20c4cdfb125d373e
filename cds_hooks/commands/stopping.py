"""How commands end: settings that are wrong in one readable line each, Ctrl-C without a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.text import Text


def fail(sentence: str) -> typer.Exit:
    """Print what went wrong on stderr and return the exception that ends the command with status 1."""
    Console(stderr=True).print(Text(sentence, style="red"))
    return typer.Exit(1)


def setting_errors(error: ValidationError) -> list[str]:
    """Return one sentence for each wrong setting; values are left out, because a secret may be among them."""
    return [
        f"{error.title}: {'.'.join(str(step) for step in detail['loc']) or 'the settings together'}: {detail['msg']}"
        for detail in error.errors(include_input=False, include_url=False, include_context=False)
    ]


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn wrong settings into sentences with exit status 1, and Ctrl-C into a quiet end."""
    try:
        yield
    except ValidationError as error:
        raise fail("\n".join(setting_errors(error))) from None
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
