import pytest

from fhir_adapter.deidentify.scrub import Scrubber

ANYBODY = Scrubber.of({})


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("see https://x.org/a?b=1. or www.y.org", "see [url] or [url]"),
        ("mail a.b+c@x-y.example.org, please", "mail [email], please"),
        ("from 10.0.0.12 and 2001:db8:0:0:0:0:0:1", "from [ip] and [ip]"),
        ("pump 00:1A:2B:3C:4D:5E", "pump [id]"),
        ("SSN 123-45-6789", "SSN [id]"),
        ("(555) 555-2003 or 555-555-2003 or 1-555-555-2003", "[phone] or [phone] or [phone]"),
        ("+49 30 1234567; 020 7946 0958", "[phone]; [phone]"),
        ("pager 4432, Fax: 555-1234, ext. 441", "pager [phone], Fax: [phone], ext. 441"),
        ("MRN: 00123456", "MRN: [id]"),
        ("NHS 943 476 5919", "NHS [id]"),
        ("Account no 44321-A, visit no. 55123, Policy: AB-12345", "Account no [id], visit no. [id], Policy: [id]"),
        ("licence plate: KX-1234", "licence plate: [id]"),
        ("Serial number: AB12345, Device ID: A12345", "Serial number: [id], Device ID: [id]"),
        ("ref 1234567890123", "ref [id]"),
        ("lives at 49 Meadow St, Mounds, OK 74047", "lives at [address], Mounds, [address]"),
        ("London SW1A 1AA, P.O. Box 12", "London [address]"),
    ],
)
def test_numbers_that_lead_to_a_person_are_replaced(written: str, clean: str) -> None:
    """Addresses on the net and on earth, telephone and record numbers are replaced, where their form or label tells."""
    assert ANYBODY.scrub(written) == clean


@pytest.mark.parametrize(
    "text",
    [
        "HR 130, RR 32, T 38.5 C, GCS 15, Apgar 9/10, WBC 12 000, platelets 250000/uL, Na 137, pH 7.35",
        "Case 2. Unit 3. Order: CBC. Visit: 2-YEAR-OLD. Patient: 2 years. Lot 3. 1.2.3.4 applies",
        "G6PD, C3-C4, T4, V1-V4, G2P1, L2, B12 5MG, ST elevation in 2 Leads, FiO2 0.21, I:E 1:2",
        "red cell 4.5, cell count 4500, tel aware, ext rotation, sats 98 97 96 95",
        "see section 10.2.1; ratio 0.12 0.34; 0.9% saline",
    ],
)
def test_values_stay(text: str) -> None:
    """Vital signs, laboratory values, levels and grades are no numbers of a person."""
    assert ANYBODY.scrub(text) == text
