"""Where the token of `mllm-cds doctor` comes from: never from the command line, which every user can read in `ps`."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer
from pydantic import SecretStr

from cds_hooks.commands.stopping import told_plainly
from fhir_adapter.settings import BackendClient, FhirSettings

_LONGEST: Final = 65_536


@dataclass(frozen=True, slots=True)
class TokenSource:
    """Where the bearer token is.

    Attributes:
        file: path, `-` for standard input; empty for none.
        variable: name of an environment variable; empty for none.
        ask: whether to ask for it on the terminal.
        smart: whether the server's token endpoint is asked for one.
    """

    file: str = ""
    variable: str = ""
    ask: bool = False
    smart: bool = False

    def read(self) -> SecretStr | None:
        """Return the token, or None where none is to be read.

        Raises:
            typer.BadParameter: two sources, or one that has no token.
        """
        if sum(map(bool, (self.file, self.variable, self.ask, self.smart))) > 1:
            raise typer.BadParameter("give one source of the token, not several")
        if not (self.file or self.variable or self.ask):
            return None
        token = self._text().strip()
        if not token:
            raise typer.BadParameter("the source of the token is empty or not there")
        return SecretStr(token)

    def _text(self) -> str:
        if self.ask:
            return str(typer.prompt("Token", hide_input=True, err=True))
        if self.variable:
            return os.environ.get(self.variable, "")
        try:
            if self.file == "-":
                return sys.stdin.read(_LONGEST)
            return Path(self.file).read_text(encoding="utf-8")[:_LONGEST]
        except (OSError, ValueError):
            # The error's text may quote what the file holds.
            return ""


def read_client(base_url: str, client_id: str, keys: str, scope: str) -> BackendClient:
    """Return our registration at a server: what the options say, else what FHIR_CLIENTS says.

    Raises:
        typer.BadParameter: neither says it whole.
        typer.Exit: the settings are wrong; said on stderr.
    """
    if client_id and keys and scope:
        return BackendClient(client_id=client_id, keys=Path(keys), scope=scope)
    if client_id or keys:
        raise typer.BadParameter("--client-id and --client-keys belong together")
    with told_plainly():
        clients = FhirSettings().clients
    found = next((client for url, client in clients.items() if str(url).rstrip("/") == base_url), None)
    if found is None:
        raise typer.BadParameter("FHIR_CLIENTS has no registration at this server: give --client-id and --client-keys")
    return found
