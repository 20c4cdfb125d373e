import pytest

from fhir_adapter.chart import Chart, unique
from fhir_adapter.record import Gap, GapReason
from tests.fhir_adapter.builders import document, endpoint, observation, patient, study


def make_chart() -> Chart:
    gap = Gap("image", "radiograph", GapReason.TIMEOUT, "later")
    return Chart(
        patient(),
        observations=(observation(),),
        documents=(document(),),
        studies=(study(),),
        endpoints=(endpoint(),),
        gaps=(gap,),
    )


def test_chart_survives_storage() -> None:
    """A chart read back from JSON is the chart that was written, gaps included."""
    chart = make_chart()

    assert Chart.from_json(chart.to_json()) == chart


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b'{"patient": {}, "observations": 5}', b"null"])
def test_anything_else_is_no_chart(data: bytes) -> None:
    """What was not written as a chart is refused, and the message quotes none of it."""
    with pytest.raises(ValueError, match=r"^this is no chart: it was not written by Chart\.to_json$"):
        Chart.from_json(data)


def test_versions_name_every_input() -> None:
    """The versions of all inputs, sorted, are what a result may be remembered by."""
    assert make_chart().versions() == (
        "DocumentReference/note-1/_history/1",
        "Endpoint/pacs/_history/1",
        "ImagingStudy/study-1/_history/1",
        "Observation/crp-1/_history/1",
        "Patient/child-1/_history/1",
    )


def test_versions_do_not_depend_on_the_order_of_arrival() -> None:
    """Two servers that sort differently give the same chart."""
    one, other = observation(id="a"), observation(id="b")

    assert (
        Chart(patient(), observations=(one, other)).versions() == Chart(patient(), observations=(other, one)).versions()
    )


def test_corrected_result_changes_the_versions() -> None:
    """A corrected value must not find the answer to the old one, even where the server keeps no versions."""
    old, new = observation(meta={}), observation(meta={}, status="corrected")

    assert Chart(patient(), observations=(old,)).versions() != Chart(patient(), observations=(new,)).versions()


def test_result_that_came_twice_is_one_result() -> None:
    """The same resource from two searches or pages counts once."""
    assert unique((observation(), observation(id="b"), observation())) == (observation(), observation(id="b"))


def test_results_without_id_are_kept_unless_equal() -> None:
    """Without an id only equal content is the same result."""
    one, other = observation(id=None), observation(id=None, status="amended")

    assert unique((one, other, one)) == (one, other)
