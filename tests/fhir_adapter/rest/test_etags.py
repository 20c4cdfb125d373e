from fhir_adapter.rest.answers import Answer
from fhir_adapter.rest.etags import Etags

HERE = ("https://ehr.example.org/fhir/Patient/1", "json", "somebody")
THERE = ("https://ehr.example.org/fhir/Patient/2", "json", "somebody")


def made(body: bytes = b"{}", etag: str = 'W/"1"') -> Answer:
    return Answer("application/fhir+json", body, etag)


class Clock:
    """A clock turned by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


def test_answer_is_found_for_its_lifetime_only() -> None:
    """After `FHIR_ETAG_S` seconds an answer is forgotten."""
    clock = Clock()
    etags = Etags(10, 100, 5.0, clock)
    etags.keep(HERE, made())
    clock.now = 4.9
    found = etags.find(HERE)
    clock.now = 5.0

    assert found == made()
    assert etags.find(HERE) is None


def test_same_address_with_another_accept_is_another_answer() -> None:
    """A Binary is bytes or JSON, depending on what was asked for."""
    etags = Etags(10, 100, 5.0)
    etags.keep(HERE, made())

    assert etags.find((HERE[0], "text/plain", HERE[2])) is None


def test_oldest_use_goes_first() -> None:
    """Where the number is reached, the answer that was not used for the longest time makes room."""
    etags = Etags(2, 100, 5.0)
    etags.keep(HERE, made())
    etags.keep(THERE, made())
    etags.find(HERE)
    etags.keep(("third", "", ""), made())

    assert etags.find(HERE) is not None
    assert etags.find(THERE) is None


def test_bytes_are_capped() -> None:
    """The bodies together never take more than `FHIR_ETAG_BYTES`; one that is larger alone is not kept."""
    etags = Etags(10, 100, 5.0)
    etags.keep(HERE, made(b" " * 60))
    etags.keep(THERE, made(b" " * 60))
    etags.keep(("third", "", ""), made(b" " * 101))

    assert [etags.find(key) is not None for key in (HERE, THERE, ("third", "", ""))] == [False, True, False]


def test_newer_answer_takes_the_place_of_the_older() -> None:
    """An address has one answer, and its size counts once."""
    etags = Etags(10, 100, 5.0)
    for number in range(5):
        etags.keep(HERE, made(b" " * 60, f'"{number}"'))

    assert etags.find(HERE) == made(b" " * 60, '"4"')


def test_answer_without_an_etag_makes_the_address_forgotten() -> None:
    """What cannot be asked about again is not kept, and what was kept there no longer holds."""
    etags = Etags(10, 100, 5.0)
    etags.keep(HERE, made())
    etags.keep(HERE, made(etag=""))

    assert etags.find(HERE) is None


def test_no_lifetime_keeps_nothing() -> None:
    """FHIR_ETAG_S=0 turns it off."""
    etags = Etags(10, 100, 0.0)
    etags.keep(HERE, made())

    assert etags.find(HERE) is None
