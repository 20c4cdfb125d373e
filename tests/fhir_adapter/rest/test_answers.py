import pytest

from fhir_adapter.errors import FhirMalformed
from fhir_adapter.rest.answers import Answer, parse_json

FHIR = "application/fhir+json;charset=UTF-8"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b'{"id": "child-1"',
        b'{"value": NaN}',
        b'{"value": 1e999}',
        b'{"value": -Infinity}',
        b'{"id": "child-1"} {}',
        b"[]",
        b"null",
        b'"Patient"',
        '{"family": "Müller"}'.encode("latin-1"),
        '{"family": "Müller"}'.encode("utf-16"),
        b'{"family": "\\ud800"}',
        b"<html>child-1</html>",
        b'{"a":' * 2000 + b"1" + b"}" * 2000,
        b'{"a":' * 300 + b"1" + b"}" * 300,
    ],
)
def test_body_that_is_no_json_object_is_malformed(body: bytes) -> None:
    """What is cut off, wrongly encoded, not a number or nested without end is refused, and not quoted."""
    with pytest.raises(FhirMalformed) as caught:
        parse_json(Answer(FHIR, body), "Patient")

    assert "child-1" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    "content_type", ["", "text/html", "text/plain", "application/fhir+xml", "application/octet-stream", "fhir+json"]
)
def test_type_is_looked_at_before_the_body(content_type: str) -> None:
    """A proxy's page may come with status 200; what does not call itself JSON is not parsed."""
    with pytest.raises(FhirMalformed, match="FHIR JSON"):
        parse_json(Answer(content_type, b"{}"), "Patient")


@pytest.mark.parametrize(
    "content_type",
    ["application/fhir+json", "application/json", "APPLICATION/FHIR+JSON; fhirVersion=4.0", "application/json+fhir"],
)
def test_every_name_of_fhir_json_is_taken(content_type: str) -> None:
    """R4 names application/fhir+json; servers also say application/json, and old ones application/json+fhir."""
    assert parse_json(Answer(content_type, b"{}"), "Patient") == {}


def test_byte_order_mark_is_skipped() -> None:
    """Some Windows servers write one; it is no part of the text."""
    assert parse_json(Answer(FHIR, b'\xef\xbb\xbf{"id": "1"}'), "Patient") == {"id": "1"}


def test_name_that_comes_twice_counts_once_for_all() -> None:
    """The last of two equal names counts, so that whoever checks the patient and whoever reads see the same."""
    body = b'{"subject": {"reference": "Patient/a"}, "subject": {"reference": "Patient/b"}}'

    assert parse_json(Answer(FHIR, body), "Observation") == {"subject": {"reference": "Patient/b"}}


def test_number_beyond_64_bits_is_read_as_floating_point() -> None:
    """A huge number is no crash; whether it is plausible, the reader of measurements decides."""
    assert parse_json(Answer(FHIR, b'{"value": 18446744073709551616}'), "Observation") == {"value": 2.0**64}
