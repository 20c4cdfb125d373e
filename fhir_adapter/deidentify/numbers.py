"""Rules for numbers and addresses that lead to a person (items B and D to R of the Safe Harbor list)."""

from __future__ import annotations

from typing import Final

from fhir_adapter.deidentify.rule import ADDRESS, CAPITAL, EMAIL, ID, IP, PHONE, URL, any_word, rule

_GROUPED: Final = r"(?:[ .()\-/]{0,2}\d)"
_NUMBER_OF: Final = r"[ ]?(?:(?i:numbers?|no|num|nr|id)\b\.?|\#)[ ]?[:=#]{0,2}[ ]{0,3}"
"""What must stand between a common word ("record", "visit") and its number: no., id or #."""
_MARK: Final = rf"(?:{_NUMBER_OF}|[ ]?[:=][ ]{{0,3}})"
"""After words that name nothing else, a colon will do."""
_CODE: Final = r"(?P<x>(?=(?:[A-Z/\- ]{0,12}\d){3})[A-Z0-9](?:[A-Z0-9/\-]|[ ](?=\d{3,4}\b)){2,40}(?<![/\-]))"
"""Capitals, digits and hyphens, at least three digits."""
_PHONES: Final = any_word("tel telephone phone ph fax mobile cell cell_?phone pager bleep ext extension")
_COMMON: Final = any_word(
    "hospital patient chart case record encounter visit member insurance subscriber claim specimen order unit device "
    "implant registration certificate"
)
_NUMBERED: Final = any_word(
    "MRN medical_record NHS FIN CSN account acct accession policy health_plan licen[cs]e passport CHI NPI DEA"
)
_PLATES: Final = any_word("plates? number_plate licen[cs]e_plate registration VIN")
_DEVICES: Final = any_word("serial lot UDI IMEI S/N")
_STATE: Final = (
    r"(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|V[AT]|"
    r"W[AIVY])"
)
_STREET: Final = (
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Drive|Boulevard|Blvd|Terrace|Crescent|Way|Place|Highway|Hwy|Parkway|"
    r"Square|Court)"
)

NUMBER_RULES: Final = (
    rule("N", "web address", URL, r"\b(?:https?://|www\.)[^\s<>\"'\])]{1,2000}"),
    rule("F", "e-mail address", EMAIL, r"(?<![\w.+\-])[\w.+\-]{1,64}@[\w\-]{1,64}(?:\.[\w\-]{1,64}){1,5}"),
    # 1.2.3.4 may be the number of a paragraph.
    rule("O", "IPv4 address", IP,
         r"\d(?<![\d.]\d)(?!(?:\.\d){3}(?!\d))\d{0,2}(?:\.\d{1,3}){3}(?!\d|\.\d)"),
    rule("O", "IPv6 address", IP, r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}(?![\w:])"),
    rule("M", "MAC address of a device", ID, r"(?<![\w:\-])(?:[0-9A-Fa-f]{2}[:\-]){5}[0-9A-Fa-f]{2}(?![\w:\-])"),
    rule("G", "social security number", ID, r"\d{3}(?<![\w\-]\d{3})-\d{2}-\d{4}(?![\w\-])"),
    rule("D", "telephone number of ten digits in groups", PHONE,
         r"(?<![\w.\-/])(?:\+?1[ .\-])?(?:\(\d{3}\)[ ]?|\d{3}[.\-])\d{3}[ .\-]\d{4}(?![\w\-])"),
    rule("D", "telephone number with a plus", PHONE,
         rf"\+(?<![\w.]\+)(?={_GROUPED}{{9}}){_GROUPED}{{9,15}}(?!\d)"),
    rule("D", "telephone number that begins with a nought", PHONE,
         r"0(?<![\w.,/\-]0)\d{2,4}[ \-/]\d{3,4}[ \-]?\d{3,4}(?!\w)"),
    rule("D", "telephone, fax or pager number after the word", PHONE,
         rf"\b{_PHONES}\b(?=[.:# ])[ ]?(?i:no\.?|number|\#)?(?:[.:]|[ ](?i:at|on))?[ ]{{0,2}}",
         rf"(?P<x>\+?\(?\d{_GROUPED}{{3,15}})(?![ ]?(?:%|mg|mL|ml|x))"),
    rule(
        "H", "record, account, insurance or licence number after its name", ID,
        rf"\b(?:{_NUMBERED}{_MARK}|{_COMMON}{_NUMBER_OF}){_CODE}",
    ),
    rule("H", "record number straight after its short name", ID,
         rf"\b(?:MRN|MR\#|NHS|CSN|FIN|NPI|DEA|SSN|UMRN|URN|CHI)[ ]?[:#]?[ ]{{0,3}}{_CODE}"),
    rule("L", "vehicle plate after the word", ID,
         rf"\b{_PLATES}\b(?:[ ]?(?i:no|number)\.?)?[ ]?:?[ ]{{0,2}}{_CODE}"),
    rule("M", "serial number of a device after the word", ID, rf"\b{_DEVICES}{_MARK}{_CODE}"),
    rule("R", "ten digits or more in a row", ID, r"(?<![\w.])\d{10,30}(?!\w|\.\d)"),
    # "2 Mild St elevation" is no address.
    rule("B", "house number and street", ADDRESS,
         rf"\b\d{{1,5}}[A-Za-z]?[ ](?:{CAPITAL}[\w'’]{{1,20}}[ ]){{1,3}}{_STREET}\b",
         r"(?![ \-]?(?:elevation|depression|segment|change))\.?"),
    rule("B", "postal code of the United States after a state", ADDRESS,
         rf",[ ](?P<x>{_STATE}[ ]{{1,2}}\d{{5}}(?:-\d{{4}})?)(?!\d)"),
    # The letters behind the blank are never those of mg, ml or mcg.
    rule("B", "postal code of the United Kingdom", ADDRESS,
         r"(?<!\w)[A-Z]{1,2}\d[A-Z\d]?[ ]\d[ABD-HJLNP-UW-Z]{2}(?!\w)"),
    rule("B", "post office box", ADDRESS, r"\b(?i:P\.?[ ]?O\.?[ ]Box)[ ]\d{1,8}"),
)  # fmt: skip
