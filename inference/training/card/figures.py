"""A folder of what commands printed with `--json` -> figures by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from inference.figures import Figure


class CardError(ValueError):
    """A card that cannot be written; the message names the file and what to run."""


@dataclass(frozen=True, slots=True)
class Printed:
    """What one command printed."""

    figures: Mapping[str, Figure]
    command: str
    machine: str

    def under(self, prefix: str) -> list[Figure]:
        """Return the figures whose name begins so, in the order they were printed."""
        return [figure for name, figure in self.figures.items() if name.startswith(prefix)]

    def get(self, name: str) -> Figure:
        """Return one figure.

        Raises:
            CardError: the command did not print it.
        """
        if name not in self.figures:
            raise CardError(f"the figures of `{self.command}` have no {name}: run the command again with this version")
        return self.figures[name]


def read_printed(path: Path) -> Printed:
    """Read one file.

    Raises:
        CardError: it is missing, or is not what a command prints.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        figures = TypeAdapter(list[Figure]).validate_python(content["figures"])
        return Printed({figure.name: figure for figure in figures}, content["command"], content["machine"])
    except OSError as error:
        raise CardError(f"{path} is missing: `make figures` writes it") from error
    except (json.JSONDecodeError, KeyError, TypeError, ValidationError) as error:
        raise CardError(f"{path} is not what a command prints with --json: write it again by `make figures`") from error
