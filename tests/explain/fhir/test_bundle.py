import base64
import re
from dataclasses import replace
from typing import Any
from uuid import uuid4

import orjson
import pytest
from fhir.resources.R4B.bundle import Bundle

from explain.fhir import codes
from explain.fhir.bundle import transaction
from explain.fhir.citing import PatientUnknownError
from tests.explain import examples
from tests.explain.fhir.told import HOSTILE, VARIANTS, told

OUTPUTS = {"RiskAssessment", "Observation", "DiagnosticReport"}


def resources(name: str = "answer", **changes: Any) -> list[dict[str, Any]]:
    """Return the resources of a variant's Bundle."""
    return [entry["resource"] for entry in transaction(replace(told(name), **changes))["entry"]]


def only(resource_type: str, name: str = "answer") -> dict[str, Any]:
    """Return the one resource of a type in a variant's Bundle."""
    (found,) = [one for one in resources(name) if one["resourceType"] == resource_type]
    return found


def components(name: str) -> dict[str, dict[str, Any]]:
    """Return the components of all Observations of a variant by their code."""
    whole = [part for one in resources(name) if one["resourceType"] == "Observation" for part in one["component"]]
    return {part["code"]["coding"][0]["code"]: part for part in whole}


@pytest.mark.parametrize("name", VARIANTS)
def test_bundle_is_valid_fhir(name: str) -> None:
    """With every verdict, with or without film and note, the Bundle is read by the library as it was written."""
    bundle = transaction(told(name), b"%PDF-")

    assert Bundle.model_validate(bundle).model_dump(mode="json", exclude_none=True) == bundle


@pytest.mark.parametrize("name", VARIANTS)
def test_every_link_within_the_bundle_leads_somewhere(name: str) -> None:
    """A reference to another entry names the address of one."""
    bundle = transaction(told(name))
    wanted = set(re.findall(r'"reference":"(urn:uuid:[^"]+)"', orjson.dumps(bundle).decode()))

    assert wanted <= {entry["fullUrl"] for entry in bundle["entry"]}


def test_sending_it_again_puts_the_same_resources() -> None:
    """Ids follow from the job: a second Bundle is the first, and after the second tier the old ones are updated."""
    first, again, later = (
        {entry["request"]["url"]: entry for entry in transaction(told(name))["entry"]}
        for name in ("answer", "answer", "tested")
    )

    assert first == again
    assert set(first) < set(later)


def test_other_job_is_another_assessment_by_the_same_device() -> None:
    """Two jobs share the model's Device and card, and nothing else."""
    one, other = ({resource["id"] for resource in resources(job=job)} for job in (uuid4(), uuid4()))

    assert one & other == {only("Device")["id"], only("DocumentReference")["id"]}


@pytest.mark.parametrize("name", VARIANTS)
def test_what_the_model_asserts_is_labelled(name: str) -> None:
    """Every output carries the label AIAST; what is not asserted by the model does not."""
    labelled = {
        one["resourceType"] for one in resources(name) if "AIAST" in str(one.get("meta", {}).get("security", []))
    }

    assert labelled == {one["resourceType"] for one in resources(name)} & OUTPUTS


def test_diagnoses_are_coded_and_their_absence_is_said() -> None:
    """SNOMED CT codes where there is a disease, words alone for "no pneumonia", probabilities that add up to 1."""
    predictions = only("RiskAssessment")["prediction"]
    coded = {one["outcome"]["text"]: one["outcome"].get("coding", [{}])[0].get("code") for one in predictions}

    assert coded == {"No pneumonia": None, "Bacterial pneumonia": "53084003", "Viral pneumonia": "75570004"}
    assert sum(one["probabilityDecimal"] for one in predictions) == pytest.approx(1, abs=1e-5)


def test_prediction_set_can_be_read() -> None:
    """Which diagnoses cannot be excluded, and at which coverage, is there for machines."""
    assessment = only("RiskAssessment", "unsure")
    kept = [one["outcome"]["text"] for one in assessment["prediction"] if one["extension"][0]["valueBoolean"]]

    assert kept == ["Bacterial pneumonia", "Viral pneumonia"]
    assert assessment["extension"] == [{"url": codes.COVERAGE, "valueDecimal": 0.9}]


def test_out_of_scope_has_a_reason_and_no_figure() -> None:
    """What was not assessed is cancelled, says why, and holds no probability and no contribution."""
    assessment = only("RiskAssessment", "out of scope")

    assert (assessment["status"], only("DiagnosticReport", "out of scope")["status"]) == ("cancelled", "cancelled")
    assert "The patient is an adult" in assessment["note"][0]["text"]
    assert not {"prediction", "extension"} & set(assessment)
    assert "Observation" not in {one["resourceType"] for one in resources("out of scope")}


def test_nothing_is_final_before_a_human_says_so() -> None:
    """Everything that the model asserts of a case is preliminary, tested or not."""
    assert {one["status"] for one in resources("tested") if one["resourceType"] in OUTPUTS} == {"preliminary"}


def test_inputs_are_cited_with_their_versions() -> None:
    """Provenance names each input once as source with its version, and the model card as what it derives from."""
    entities = only("Provenance")["entity"]
    sources = [one["what"]["reference"] for one in entities if one["role"] == "source"]

    assert len(sources) == len(set(sources)) == 12
    assert {"Observation/crp-1/_history/2", "ImagingStudy/film-1/_history/2", "Patient/p1/_history/2"} <= set(sources)
    assert [one["role"] for one in entities].count("derivation") == 1


def test_contributions_can_be_read_for_each_measurement() -> None:
    """After testing, each group of measurements has its exact points and the resource that was read."""
    crp = components("tested")["group-crp"]

    assert (crp["valueQuantity"]["value"], crp["valueQuantity"]["code"]) == (12.0, "%")
    assert crp["extension"][0]["valueReference"]["reference"] == "Observation/crp-1/_history/2"


def test_first_order_effects_give_way_to_exact_contributions() -> None:
    """Before testing each measurement has its first-order effect; afterwards only the exact figures stand."""
    before, after = components("answer"), components("tested")

    assert "effect-crp" in before
    assert not [code for code in after if code.startswith("effect-")]


def test_shares_add_up_to_the_answer() -> None:
    """Baseline and the three shares, as they are written, make the probability of the answer."""
    parts = components("answer")
    names = ("baseline", "share-image", "share-text", "share-structured")

    assert sum(parts[name]["valueQuantity"]["value"] for name in names) == pytest.approx(93.13, abs=0.01)


def test_withdrawn_marks_are_said_to_be() -> None:
    """Marks that are no better than chance are reported as such, for machines and in words."""
    assert components("withdrawn")["holds-image"]["valueBoolean"] is False
    assert "beat 2 of 20" in str([one.get("text") for one in resources("withdrawn")])


def test_note_leaves_only_as_quotation() -> None:
    """The text of the note is in no resource; words that a sentence quotes are."""
    written = orjson.dumps(resources("tested")).decode()

    assert "crackles right base" in written
    assert not [words for words in ("previously well", "Eating little", "Abdomen soft") if words in written]


def test_markup_of_a_note_stays_text() -> None:
    """What a note holds of HTML, Markdown or control characters is shown, and does nothing."""
    written = orjson.dumps(resources("hostile note")).decode()

    assert "<script" not in written
    assert not re.search(r"[\\]u00(?:07|1)|\u202e", written)
    assert HOSTILE.title not in written


def test_test_data_is_labelled_as_such() -> None:
    """What was made from the chart of no real person says so wherever it goes."""
    explanation = replace(told().explanation, test_data=True)
    labelled = {one["resourceType"] for one in resources(explanation=explanation) if "HTEST" in str(one.get("meta"))}

    assert labelled == {*OUTPUTS, "Provenance"}


def test_model_card_is_carried_whole() -> None:
    """The card's sentences, its digest and what was simulated stand in the attached Markdown."""
    attachment = only("DocumentReference")["content"][0]["attachment"]
    text = base64.b64decode(attachment["data"]).decode()

    assert attachment["size"] == len(text.encode())
    assert all(part in text for part in (examples.CARD.intended_use, examples.CARD.simulated, examples.DIGEST))


def test_printed_page_is_carried_on_request() -> None:
    """With a PDF the report presents it; without one it does not."""
    with_pdf = transaction(told(), b"%PDF-1.4")["entry"][-2]["resource"]

    assert base64.b64decode(with_pdf["presentedForm"][0]["data"]) == b"%PDF-1.4"
    assert "presentedForm" not in only("DiagnosticReport")


def test_nobody_to_write_about_is_refused() -> None:
    """Where the chart came without a Patient resource a sentence says so."""
    rows = tuple(row for row in told().explanation.measurements if row.key not in ("age", "female"))

    with pytest.raises(PatientUnknownError, match="names no Patient"):
        transaction(replace(told(), explanation=replace(told().explanation, measurements=rows, patient="")))
