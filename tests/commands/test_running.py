from __future__ import annotations

import socket

import pytest

from cds_hooks.commands.running import bind, public_settings


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CDS_PUBLIC_URL", raising=False)


def test_answers_are_not_held_back() -> None:
    """Asyncio switches Nagle's algorithm off only where the protocol of the socket says TCP."""
    with bind("127.0.0.1", 0) as bound:
        assert bound.proto == socket.IPPROTO_TCP


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080/"),
        ("0.0.0.0", "http://127.0.0.1:8080/"),
        ("::", "http://127.0.0.1:8080/"),
        ("::1", "http://[::1]:8080/"),
        ("cds.example", "http://cds.example:8080/"),
    ],
)
def test_links_lead_to_where_the_service_listens(host: str, url: str) -> None:
    """Without CDS_PUBLIC_URL the links of cards lead to the host and port that were asked for."""
    assert url == str(public_settings(host, 8080).public_url)


def test_public_address_that_is_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a proxy the service is known by another address than the one it listens on."""
    monkeypatch.setenv("CDS_PUBLIC_URL", "https://cds.example/hooks")
    assert str(public_settings("127.0.0.1", 8080).public_url) == "https://cds.example/hooks"
