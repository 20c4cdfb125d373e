from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.bank import Bank
from inference.checkpoint import BANK_NAME, Checkpoint
from inference.contract import TEXT_TOKENS
from inference.encode import Encoder
from inference.explore import Explorer
from inference.manifest import CheckpointError
from tests.inference import records


def make_bank(tiny: Checkpoint) -> Bank:
    inputs = Encoder(tiny).encode(records.make_record(), records.ASKED_AT)
    return Bank.of_cases(Explorer(tiny), [inputs.arrays, inputs.arrays])


def test_a_bank_comes_back_as_it_was(tiny: Checkpoint, tmp_path: Path) -> None:
    """Notes exactly, films to half precision."""
    bank = make_bank(tiny)
    bank.save(tmp_path)
    again = Bank.load(tmp_path)
    assert again is not None
    assert np.array_equal(again.notes, bank.notes)
    assert again.films == pytest.approx(bank.films, rel=1e-3)


def test_a_bank_holds_each_case_once(tiny: Checkpoint) -> None:
    """As many films and notes as there were cases."""
    bank = make_bank(tiny)
    assert (len(bank.films), bank.notes.shape) == (2, (2, TEXT_TOKENS))


def test_a_checkpoint_may_have_none(tmp_path: Path) -> None:
    """Without the file nothing is known of absent films."""
    assert Bank.load(tmp_path) is None


def test_a_broken_bank_is_refused(tmp_path: Path) -> None:
    """A file that is no bank is named, with what to do."""
    (tmp_path / BANK_NAME).write_bytes(b"no archive")
    with pytest.raises(CheckpointError, match="cannot be read"):
        Bank.load(tmp_path)


def test_a_bank_of_another_contract_is_refused(tmp_path: Path) -> None:
    """Films of another grid do not fit the fusion."""
    Bank(np.zeros((1, 3, 2), np.float32), np.zeros((1, TEXT_TOKENS), np.int64)).save(tmp_path)
    with pytest.raises(CheckpointError, match="another contract"):
        Bank.load(tmp_path)
