"""`mllm-cds client-keys`: the private keys by which this service gets tokens, and what to register of them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Signing(StrEnum):
    """What SMART Backend Services asks servers to take."""

    ES384 = "ES384"
    RS384 = "RS384"


def client_keys(
    file: Annotated[Path, typer.Argument(help="File of private keys, as FHIR_CLIENTS names it.")],
    *,
    add: Annotated[
        Signing | None, typer.Option(help="Append a new key; a file that is not there is made, for its owner only.")
    ] = None,
) -> None:
    """Print the public half of the keys: the JSON Web Key Set to register at a FHIR server (SMART Backend Services).

    The first key of the file signs. To change keys: --add one, register what is printed, and when the servers know it
    move it to the front of the file; delete the old one later.

    Example: [bold]mllm-cds client-keys keys.json --add ES384[/bold]
    """
    from cds_hooks.commands.stopping import fail
    from fhir_adapter.auth.keys import KeysUnusable, add_key, public_jwks

    try:
        if add is not None:
            add_key(file, add.value)
        typer.echo(public_jwks(file))
    except KeysUnusable as error:
        raise fail(str(error)) from None
    except OSError as error:
        raise fail(
            f"the file of keys cannot be written ({type(error).__name__}): check its folder and rights"
        ) from None
