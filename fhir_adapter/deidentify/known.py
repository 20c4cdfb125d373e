"""Patient -> the patterns of this patient's own identifiers, in the forms in which they are written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from fhir_adapter.deidentify.ordinary import ORDINARY
from fhir_adapter.deidentify.rule import ADDRESS, DATE, EMAIL, ID, NAME, PHONE, Rule
from fhir_adapter.shape import Resource, as_dict, as_text, dicts_of

_LEAST_NAME: Final = 3
"""Shorter names ("Ng", "Li") are replaced only beside another one: NG is a tube, Li a salt."""
_LEAST_ID: Final = 4
_MOST: Final = 200
"""Of one kind; a record with more is no person's."""
_SPLIT: Final = re.compile(r"[^\w'’]+")
_EPONYM: Final = (
    r"(?!(?:['’]s)?[ \-](?i:syndrome|disease|sign|test|palsy|phenomenon|reflex|respiration|breathing|criteria|score|"
    r"scale|virus|fracture|anomaly|tetralogy|node|ring|line|law|lymphoma|thyroiditis|murmur)\b)"
)


def known_rules(patient: Resource) -> tuple[Rule, ...]:
    """Return the rules for one Patient resource (R4, R4B, R5): names, addresses, numbers, birth date, contacts.

    Names are found in any case, as whole words; those that are also words (`ordinary.ORDINARY`) only in capitals
    beside another name or an initial. A name before `syndrome`, `sign` and the like is an eponym and stays.
    """
    people = [patient, *dicts_of(patient.get("contact"))]
    parts = _distinct(part for person in people for part in _name_parts(person))
    found = (
        *_name_rules(parts),
        _any_of("B", "the patient's address", ADDRESS, _distinct(line for one in people for line in _address(one))),
        _any_of("F", "the patient's e-mail address", EMAIL, _telecom(people, mail=True)),
        _numbers("D", "the patient's telephone number", PHONE, _telecom(people, mail=False)),
        _any_of("H", "the patient's identifier", ID, _distinct(_identifiers(patient))),
        _any_of("C", "the patient's birth date", DATE, _birth_dates(as_text(patient.get("birthDate")))),
    )
    return tuple(rule for rule in found if rule is not None)


def _name_parts(person: Resource) -> Iterator[str]:
    """Yield each word of each name; a contact has one name, a patient a list of them."""
    names = [as_dict(person.get("name")), *dicts_of(person.get("name")), *dicts_of(person.get("additionalName"))]
    for name in names:
        given = name.get("given")
        texts = [name.get("text"), name.get("family"), *(given if isinstance(given, list) else [])]
        yield from (word for text in texts for word in _SPLIT.split(as_text(text)))
    for extension in dicts_of(person.get("extension")):
        # patient-mothersMaidenName of the R4 core extensions.
        if as_text(extension.get("url")).endswith("mothersMaidenName"):
            yield from _SPLIT.split(as_text(extension.get("valueString")))


def _name_rules(parts: list[str]) -> Iterator[Rule]:
    """Yield the rule for names that are nothing else, and the one for names beside names."""
    sure = [part for part in parts if len(part) >= _LEAST_NAME and part.lower() not in ORDINARY]
    if sure:
        pattern = rf"(?<!\w)(?i:{_alternatives(sure)})(?!\w){_EPONYM}"
        yield Rule("A", "the patient's names", NAME, re.compile(pattern))
    if parts:
        cased = _alternatives(_distinct(form for part in parts for form in (part[:1].upper() + part[1:], part.upper())))
        titled = rf"(?:Baby|Master|Miss|Twin|Mrs?|Ms)[ ](?P<x>(?:{cased}))(?!\w)"
        beside = rf"(?<!\w)(?:(?:{cased})|[A-Z]\.)(?:(?:,?[ ]{{1,2}}|-)(?:(?:{cased})(?!\w)|[A-Z]\.?(?!\w))){{1,5}}"
        yield Rule("A", "the patient's names beside a title", NAME, re.compile(titled))
        # An initial alone is none: one of the two must be a name.
        yield Rule(
            "A", "the patient's names in a row", NAME, re.compile(rf"(?=(?:[A-Z]\.[ ])?(?:{cased})(?!\w)){beside}")
        )


def _address(person: Resource) -> Iterator[str]:
    """Yield lines, city, district and postal code: all that is smaller than a state."""
    for address in [as_dict(person.get("address")), *dicts_of(person.get("address"))]:
        lines = address.get("line")
        yield from (as_text(line) for line in (lines if isinstance(lines, list) else []))
        yield from (as_text(address.get(name)) for name in ("text", "district", "postalCode"))
        city = as_text(address.get("city"))
        yield "" if city.lower() in ORDINARY else city


def _telecom(people: Iterable[Resource], *, mail: bool) -> list[str]:
    points = (point for person in people for point in dicts_of(person.get("telecom")))
    values = (as_text(point.get("value")) for point in points)
    return _distinct(value.removeprefix("tel:").removeprefix("mailto:") for value in values if ("@" in value) == mail)


def _identifiers(patient: Resource) -> Iterator[str]:
    yield from (as_text(one.get("value")) for one in dicts_of(patient.get("identifier")))
    own = as_text(patient.get("id"))
    yield own if any(sign.isdigit() for sign in own) else ""


def _birth_dates(born: str) -> list[str]:
    """Return forms that are no date to the general rules: digits in a row."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", born):
        return []
    year, month, day = born.split("-")
    return [year + month + day, day + month + year, month + day + year]


def _any_of(item: str, what: str, placeholder: str, texts: list[str]) -> Rule | None:
    long = [text for text in texts if len(text) >= _LEAST_ID]
    if not long:
        return None
    return Rule(item, what, placeholder, re.compile(rf"(?<!\w)(?i:{_alternatives(long)})(?!\w)"))


def _numbers(item: str, what: str, placeholder: str, texts: list[str]) -> Rule | None:
    """Return a rule for numbers however their digits are grouped."""
    digits = _distinct("".join(sign for sign in text if sign.isdecimal()) for text in texts)
    grouped = [r"[ .()\-/]{0,2}".join(number) for number in digits if len(number) > _LEAST_ID]
    if not grouped:
        return None
    return Rule(item, what, placeholder, re.compile(rf"(?<!\w)[+(]{{0,2}}(?:{'|'.join(grouped)})(?!\w)"))


def _alternatives(texts: Iterable[str]) -> str:
    """Return a pattern of any of the texts, the longest first; blanks may be wider, or a line break."""
    longest = sorted(texts, key=len, reverse=True)
    return "|".join(r"[\s,]{1,3}".join(map(re.escape, re.split(r"[\s,]+", text))) for text in longest)


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(text for text in texts if text))[:_MOST]
