from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from cds_hooks.crypto import SealBroken, Vault, new_token, open_vault
from cds_hooks.settings import ServiceSettings
from tests.cds_hooks.samples import FAMILY

SECRET = "s" * 40


def test_sealed_payload_comes_back() -> None:
    """What one process seals, another with the same key opens."""
    assert Vault(SECRET).open(Vault(SECRET).seal(b"payload")) == b"payload"


def test_sealed_payload_shows_nothing() -> None:
    """Nothing of the payload can be seen in what is stored."""
    assert FAMILY.encode() not in Vault(SECRET).seal(FAMILY.encode())


@pytest.mark.parametrize("spoil", [lambda sealed: sealed[:-9] + b"AAAAAAAA=", lambda _: b"", lambda _: b"no token"])
def test_changed_payload_is_refused(spoil: object) -> None:
    """A payload that was changed, or never sealed, is not opened."""
    with pytest.raises(SealBroken, match="CDS_SECRET_KEY"):
        Vault(SECRET).open(spoil(Vault(SECRET).seal(b"payload")))  # type: ignore[operator]


def test_other_key_opens_nothing() -> None:
    """Another key neither opens a payload nor makes the same marks."""
    with pytest.raises(SealBroken):
        Vault("t" * 40).open(Vault(SECRET).seal(b"payload"))
    assert Vault("t" * 40).mark("patient", "1") != Vault(SECRET).mark("patient", "1")


def test_mark_keeps_its_parts_apart() -> None:
    """Two identifiers never flow into one another."""
    assert Vault(SECRET).mark("ab", "c") != Vault(SECRET).mark("a", "bc")


def test_mark_is_stable() -> None:
    """Equal parts have equal marks of 64 hexadecimal digits in every process."""
    assert re.fullmatch("[0-9a-f]{64}", Vault(SECRET).mark("p", "1"))
    assert Vault(SECRET).mark("p", "1") == Vault(SECRET).mark("p", "1")


def test_token_cannot_be_guessed() -> None:
    """A page token carries 128 bits or more and goes into an address as it is."""
    tokens = {new_token() for _ in range(100)}

    assert len(tokens) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", token) for token in tokens)


def test_generated_key_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    """Without a key one is made once, readable by nobody else, and used from then on."""
    settings = ServiceSettings(state_dir=tmp_path / "state")
    sealed = open_vault(settings).seal(b"payload")

    assert open_vault(settings).open(sealed) == b"payload"
    assert stat.S_IMODE((tmp_path / "state" / "secret-key").stat().st_mode) == 0o600


def test_memory_leaves_no_key(tmp_path: Path) -> None:
    """A service that keeps nothing writes no key either."""
    open_vault(ServiceSettings(state_dir=tmp_path / "state", database_url="sqlite://"))

    assert not (tmp_path / "state").exists()
