"""Rules for names that stand beside a title, a label, a signature or a degree (item A of the Safe Harbor list).

A name that stands alone, and is not the patient's, has no form by which it could be found.
"""

from __future__ import annotations

from typing import Final

from fhir_adapter.deidentify.rule import CAPITAL, NAME, any_word, rule

_LETTER: Final = r"[^\W\d_]"
_PARTICLE: Final = r"(?:(?:van|von|der|den|de|di|da|du|la|le|el|al|bin|ter|ten)[ ]){0,3}"
_WORD: Final = rf"(?:[DLO]['’])?{CAPITAL}{_LETTER}{{1,30}}(?:(?!['’]s\b)['’\-]{_LETTER}{{1,30}}){{0,2}}"
_INITIAL: Final = rf"{CAPITAL}\.?(?!\w)"
_NOBODY: Final = (
    r"(?!(?:On|To|Aware|Informed|Called|Notified|Review|Consult\w{0,6}|In|Of|Is|Was|Has|Will|And|Or|The|None|Nil|Not|"
    r"No|Unknown)\b)"
)
_PERSON: Final = rf"{_NOBODY}(?:{_INITIAL}[ ]){{0,2}}{_PARTICLE}{_WORD}"
_WHOLE: Final = rf"{_PERSON}(?:,?[ ](?:{_WORD}|{_INITIAL})){{0,3}}"
"""Up to four capitalised words or initials, as behind "signed by"."""
_SECOND: Final = rf"(?:[ ]{CAPITAL}[a-zà-ÿ]{{1,30}}(?:-{_WORD})?)?"
_DEGREE: Final = (
    r"(?:M\.?D\.?|D\.?O\.?|MBBS|MBChB|BMBS|MRCP\w{0,3}|FRC\w{1,4}|FAAP|FACP|Ph\.?D\.?|R\.?N\.?|BSN|MSN|DNP|CRNP|APRN|"
    r"ARNP|FNP|NP|PA-?C|LPN|CNM|DDS|RRT|PharmD)"
)
# MR, MS and DR in capitals are magnetic resonance, mental state and digital radiography.
_TITLE: Final = (
    rf"(?:(?:Dr|Mr|Mrs|Ms|Mx|Prof|Rev)\b\.?|DR\.|MRS\.|(?:Doctor|Professor|Miss|Nurse)\b(?=[ ]{CAPITAL}))[ ]{{1,2}}"
)
_SIGNED: Final = any_word(
    "signed authenticated dictated transcribed co-?signed authored attested typed scribed verified"
)
_LABEL: Final = any_word(
    "patient(?:['’]s)?_name mother(?:['’]s)?_name father(?:['’]s)?_name child(?:['’]s)?_name full_name first_name "
    "last_name family_name given_names? maiden_name name attending referring_physician referring physician provider "
    "author clinician consultant surgeon PCP GP signature signed next_of_kin emergency_contact informant"
)

NAME_RULES: Final = (
    rule("A", "name after a title", NAME, rf"\b{_TITLE}(?P<x>{_PERSON}{_SECOND})"),
    rule("A", "name after a signature", NAME,
         rf"\b{_SIGNED}(?i:(?:[ ]off)?(?:[ ]electronically)?[ ]by)[ ]?:?[ ]{{0,3}}",
        rf"(?P<x>{_WHOLE}(?:,?[ ]{_DEGREE}\b){{0,4}})"),
    rule("A", "name after a label and a colon", NAME, rf"\b{_LABEL}[ ]?:[ ]{{0,3}}(?P<x>{_WHOLE})"),
    rule("A", "name before a degree", NAME,
         rf"{_WORD}(?:[ ]{_INITIAL})?[ ]{_WORD}(?:,?[ ]{_DEGREE}(?!\w)){{1,4}}(?=[ ]?(?:[,.;:)\]\n]|on\b|at\b|$))"),
    rule("A", "name after the words name is, or named", NAME, rf"\b(?i:name[ ]is|named|goes[ ]by)[ ](?P<x>{_PERSON})"),
)  # fmt: skip
