"""DICOM JSON of a QIDO-RS search (PS3.18 annex F) -> the films of a study, the best first. No network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import orjson

from fhir_adapter.errors import FhirMalformed
from fhir_adapter.images.choice import RULES, Facts, Rule, rank, why_not
from fhir_adapter.images.studies import FilmAddress, Lead, uid_of
from fhir_adapter.shape import as_dict

Row = dict[str, Any]
_WHAT: Final = "the image archive's answer"
_LARGEST_SIDE: Final = 2**16


def read_rows(body: bytes) -> tuple[Row, ...]:
    """Read an array of data sets.

    Raises:
        FhirMalformed: it is none.
    """
    if not body.strip():
        return ()
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        # The decoder's message quotes the document.
        raise FhirMalformed(_WHAT, "it is not JSON") from None
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise FhirMalformed(_WHAT, "it is not an array of data sets")
    return tuple(content)


def choose_films(
    lead: Lead, series: Iterable[Row], instances: Iterable[Row]
) -> tuple[tuple[FilmAddress, ...], Rule | None]:
    """Return the instances that may be the film, the best first; where there is none, the rule that the best failed.

    Raises:
        FhirMalformed: a row is of another study, or the rows name more than one patient.
    """
    by_uid = {_uid(row, "0020000E"): row for row in series}
    rows = list(instances)
    _check_study(lead, (*by_uid.values(), *rows))
    patient_id = _one_patient((*by_uid.values(), *rows))
    ranked: list[tuple[tuple[int, int, int], FilmAddress]] = []
    failed: list[int] = []
    for row in rows:
        of_series = by_uid.get(_uid(row, "0020000E"), {})
        facts = _facts(of_series, row)
        rule = why_not(facts)
        if rule is not None:
            failed.append(RULES.index(rule))
        elif (film := _address(lead, row, patient_id)) is not None:
            ranked.append((rank(facts), film))
    ranked.sort(key=lambda entry: entry[0])
    return tuple(film for _, film in ranked), RULES[max(failed)] if failed and not ranked else None


def text_of(row: Mapping[str, Any], tag: str) -> str:
    """Return the first value of an element as text, or an empty string."""
    return next(iter(_texts(row, tag)), "")


def _check_study(lead: Lead, rows: Iterable[Row]) -> None:
    # An archive that does not know the filter answers with everybody's images.
    if any((uid := text_of(row, "0020000D")) and uid != lead.study for row in rows):
        raise FhirMalformed(_WHAT, "it holds images of another study")


def _one_patient(rows: Iterable[Row]) -> str:
    found = {text for row in rows if (text := text_of(row, "00100020"))}
    if len(found) > 1:
        raise FhirMalformed(_WHAT, "it holds images of more than one patient")
    return next(iter(found), "")


def _facts(series: Row, instance: Row) -> Facts:
    body = text_of(instance, "00180015") or text_of(series, "00180015")
    words = (text_of(series, "0008103E"), text_of(series, "00181030"), text_of(instance, "0008103E"))
    return Facts(
        modality=(text_of(instance, "00080060") or text_of(series, "00080060")).upper(),
        sop_class=text_of(instance, "00080016"),
        body=(body,) if body else (),
        view=text_of(instance, "00185101").upper(),
        words=" ".join(words),
        image_type=tuple(text.upper() for text in _texts(instance, "00080008")),
        intent=text_of(instance, "00080068"),
        area=_number(instance, "00280010") * _number(instance, "00280011"),
    )


def _address(lead: Lead, row: Row, patient_id: str) -> FilmAddress | None:
    series, instance = _uid(row, "0020000E"), _uid(row, "00080018")
    if not series or not instance:
        return None
    frames = max(1, _number(row, "00280008"))
    return FilmAddress(lead.roots, lead.study, series, instance, lead.started, lead.source, frames, patient_id)


def _uid(row: Row, tag: str) -> str:
    return uid_of(text_of(row, tag))


def _number(row: Row, tag: str) -> int:
    text = text_of(row, tag)
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    return min(value, _LARGEST_SIDE)


def _texts(row: Mapping[str, Any], tag: str) -> Iterator[str]:
    values = as_dict(row.get(tag)).get("Value")
    for value in values if isinstance(values, list) else ():
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            yield str(value).strip()
