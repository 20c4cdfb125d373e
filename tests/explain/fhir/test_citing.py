import pytest

from explain.fhir.citing import cite

DIGEST = "0f" * 32


def test_version_is_in_the_reference_and_beside_it() -> None:
    """A server may cut the version off a reference it stores; the words beside it stay."""
    assert cite("Observation/crp-1/_history/3") == {
        "reference": "Observation/crp-1/_history/3",
        "type": "Observation",
        "display": "version 3",
    }


@pytest.mark.parametrize(
    ("source", "reference"),
    [
        (f"Observation/crp-1/_history/{DIGEST}", "Observation/crp-1"),
        (f"Observation/{DIGEST[:16]}/_history/{DIGEST}", None),
    ],
    ids=["a server without versions", "a resource without an id"],
)
def test_digest_is_no_version(source: str, reference: str | None) -> None:
    """Where there is no version, none is made up: the digest of the content is said instead."""
    cited = cite(source)

    assert (cited.get("reference"), cited["display"]) == (reference, f"content of SHA-256 {DIGEST}")
