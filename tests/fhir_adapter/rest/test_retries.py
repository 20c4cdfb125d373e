import pytest

from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirError, FhirGone, FhirMalformed, FhirRefused, FhirTimeout, FhirUnavailable
from fhir_adapter.rest.retries import ask_again
from tests.fhir_adapter.builders import soon


class Failing:
    """Fails with these errors in turn, then answers."""

    def __init__(self, *errors: FhirError) -> None:
        self.errors, self.asked = list(errors), 0

    async def __call__(self) -> str:
        """Fail or answer."""
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


@pytest.mark.parametrize("status", [0, 429, 502, 503, 504])
async def test_passing_failure_is_followed_by_another_try(status: int) -> None:
    """No connection, too many requests and a gateway's troubles may be over in a moment."""
    ask = Failing(FhirUnavailable("Observation", status))

    assert await ask_again(ask, 3, soon()) == "answer"
    assert ask.asked == 2


@pytest.mark.parametrize(
    "error",
    [
        FhirUnavailable("Observation", 500),
        FhirUnavailable("Observation", 501),
        FhirRefused("Observation", 401),
        FhirGone("Observation", 404),
        FhirMalformed("Observation", "no JSON"),
        FhirTimeout("Observation"),
    ],
)
async def test_lasting_failure_is_final(error: FhirError) -> None:
    """What another try would not change is raised at once."""
    ask = Failing(error)

    with pytest.raises(type(error)):
        await ask_again(ask, 3, soon())
    assert ask.asked == 1


async def test_last_failure_is_what_is_raised() -> None:
    """After the last try the caller gets its error."""
    ask = Failing(FhirUnavailable("Observation", 429), FhirUnavailable("Observation", 503))

    with pytest.raises(FhirUnavailable, match="503"):
        await ask_again(ask, 2, soon())
    assert ask.asked == 2


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.09])
async def test_no_try_is_begun_that_cannot_end_in_time(seconds: float) -> None:
    """Where the pause alone would pass the deadline, the failure is final."""
    ask = Failing(FhirUnavailable("Observation", 503))

    with pytest.raises(FhirUnavailable):
        await ask_again(ask, 3, Deadline.after(seconds))
    assert ask.asked == 1


@pytest.mark.parametrize("retry_after", [61.0, 86_400.0])
async def test_wish_beyond_the_deadline_is_a_timeout(retry_after: float) -> None:
    """A server that wants to be left alone for longer than there is time will not answer in time."""
    ask = Failing(FhirUnavailable("Observation", 503, retry_after))

    with pytest.raises(FhirTimeout):
        await ask_again(ask, 3, soon())
    assert ask.asked == 1


async def test_wish_within_the_deadline_is_granted() -> None:
    """A server that asks for a short pause gets it, and then the question."""
    ask = Failing(FhirUnavailable("Observation", 429, 5.0))

    assert await ask_again(ask, 3, soon()) == "answer"
