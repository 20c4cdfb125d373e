import pytest

from fhir_adapter.shape import Resource, is_too_deep


def nested(levels: int) -> Resource:
    value: Resource = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize(("levels", "too_deep"), [(1, False), (250, False), (300, True), (900, True)])
def test_json_that_cannot_be_written_again_is_too_deep(levels: int, too_deep: bool) -> None:  # noqa: FBT001 - a table
    """Reading allows more levels than writing, and a chart must be written."""
    assert is_too_deep(nested(levels)) is too_deep
