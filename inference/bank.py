"""A few films and notes of other patients, as one checkpoint encodes them: what an absent one might turn out to be.

bank.npz lies in the checkpoint's folder; it belongs to the weights and is made anew with them. It holds no pixels:
tokens of films in the shared embedding, and word pieces of notes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from inference.backends.protocol import Arrays
from inference.checkpoint import BANK_NAME
from inference.contract import PATCHES, TEXT_TOKENS, FloatArray, IntArray, Tensor
from inference.explore import Explorer
from inference.manifest import CheckpointError


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """Films (K, PATCHES, D) as the encoder's memory, and notes (L, TEXT_TOKENS) as word pieces; each is as likely."""

    films: FloatArray
    notes: IntArray

    @classmethod
    def of_cases(cls, explorer: Explorer, cases: Sequence[Arrays]) -> Self:
        """Encode cases that all have a film and a note, as many of each diagnosis, not used to fit the weights."""
        films = np.concatenate([explorer.memory(case).image for case in cases])
        return cls(films, np.concatenate([case[Tensor.TOKENS] for case in cases]))

    def save(self, folder: Path) -> None:
        """Write bank.npz; half precision is finer than the film's grey levels."""
        films, notes = self.films.astype(np.float16), self.notes.astype(np.int32)
        np.savez_compressed(folder / BANK_NAME, allow_pickle=False, films=films, notes=notes)

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Read bank.npz; None where the checkpoint has none.

        Raises:
            CheckpointError: it is not readable, or of another contract.
        """
        path = folder / BANK_NAME
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as file:
                films, notes = file["films"].astype(np.float32), file["notes"].astype(np.int64)
        except (OSError, ValueError, KeyError) as error:
            raise CheckpointError(f"{path} cannot be read: remove it, or export the checkpoint again") from error
        if films.shape[1:2] != (PATCHES,) or notes.shape[1:] != (TEXT_TOKENS,):
            raise CheckpointError(f"{path} was made for another contract: remove it, or export the checkpoint again")
        return cls(films, notes)
