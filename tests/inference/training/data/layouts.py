"""Tiny files in the published layouts of the data sets; every person in them is made up."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from inference.training.data.chexpert import COLUMNS, FINDINGS
from inference.training.data.mimic import MimicFolders

Row = Mapping[str, object]


def save_film(path: Path, seed: int = 0) -> Path:
    """Write a picture of coarse noise; the same seed gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = Image.fromarray(np.random.default_rng(seed).integers(0, 255, (12, 12), dtype=np.uint8))
    coarse.resize((90, 96), Image.Resampling.BICUBIC).save(path)
    return path


def write_table(path: Path, header: str, rows: Sequence[Row]) -> Path:
    """Write a CSV, gzipped where its name ends so; cells that a row lacks are blank."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    writer = csv.DictWriter(text, header.split(","), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


# MIMIC: subject, ICD version and code, "No Finding", published split.
STUDIES: list[tuple[str, str, str, str, str]] = [
    ("10000032", "10", "J159", "", "train"),
    ("10000033", "9", "4809", "", "validate"),
    ("10000034", "10", "I10", "1.0", "test"),
    ("11000035", "10", "J189", "", "train"),
    ("11000036", "10", "I10", "", "train"),
]
REPORT = """                                 FINAL REPORT
 EXAMINATION:  CHEST (PORTABLE AP)

 INDICATION:  ___ year old woman with fever and productive
 cough // ?pneumonia

 COMPARISON:  None.

 FINDINGS:  Right lower lobe consolidation.

 IMPRESSION:  Lobar pneumonia.
"""
LAB_COLUMNS = (
    "labevent_id,subject_id,hadm_id,specimen_id,itemid,order_provider_id,charttime,storetime,value,valuenum,valueuom,"
    "ref_range_lower,ref_range_upper,flag,priority,comments"
)
CHART_COLUMNS = "subject_id,hadm_id,stay_id,caregiver_id,charttime,storetime,itemid,value,valuenum,valueuom,warning"
METADATA_COLUMNS = (
    "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns,StudyDate,StudyTime,"
    "ProcedureCodeSequence_CodeMeaning,ViewCodeSequence_CodeMeaning,PatientOrientationCodeSequence_CodeMeaning"
)
ADMISSION_COLUMNS = (
    "subject_id,hadm_id,admittime,dischtime,deathtime,admission_type,admit_provider_id,admission_location,"
    "discharge_location,insurance,language,marital_status,race,edregtime,edouttime,hospital_expire_flag"
)
ITEMS = [
    (51301, "White Blood Cells"),
    (50889, "C-Reactive Protein"),
    (51265, "Platelet Count"),
    (53000, "Procalcitonin"),
]


def lab(subject: str, itemid: int, time: str, value: str, unit: str) -> Row:
    """Return one row of labevents; a value such as `<0.3` has no valuenum."""
    number = value if value.replace(".", "").isdigit() else ""
    return {
        "subject_id": subject, "itemid": itemid, "charttime": time, "value": value, "valuenum": number, "valueuom": unit
    }  # fmt: skip


def write_mimic_iv(iv: Path, labs: Sequence[Row] = (), vitals: Sequence[Row] = ()) -> None:
    """Write MIMIC-IV for the subjects of `STUDIES`, each with one admission from 2 to 8 May 2180."""
    hosp, icu = iv / "hosp", iv / "icu"
    people, stays, codes = [], [], []
    for number, (subject, version, code, _, _) in enumerate(STUDIES):
        people.append({"subject_id": subject, "gender": "F", "anchor_age": 50, "anchor_year": 2178})
        times = {"admittime": "2180-05-02 14:00:00", "dischtime": "2180-05-08 12:00:00"}
        stays.append({"subject_id": subject, "hadm_id": 200 + number, "edregtime": "2180-05-02 09:00:00"} | times)
        codes.append({"subject_id": subject, "hadm_id": 200 + number, "icd_code": code, "icd_version": version})
    write_table(hosp / "patients.csv.gz", "subject_id,gender,anchor_age,anchor_year,anchor_year_group,dod", people)
    write_table(hosp / "admissions.csv.gz", ADMISSION_COLUMNS, stays)
    write_table(hosp / "diagnoses_icd.csv.gz", "subject_id,hadm_id,seq_num,icd_code,icd_version", codes)
    items: list[Row] = [
        {"itemid": itemid, "label": label, "fluid": "Blood", "category": "Chemistry"} for itemid, label in ITEMS
    ]
    write_table(hosp / "d_labitems.csv.gz", "itemid,label,fluid,category", items)
    write_table(hosp / "labevents.csv.gz", LAB_COLUMNS, labs)
    names: list[Row] = [
        {"itemid": 223761, "label": "Temperature Fahrenheit", "linksto": "chartevents"},
        {"itemid": 220210, "label": "Respiratory Rate", "linksto": "chartevents"},
    ]
    columns = "itemid,label,abbreviation,linksto,category,unitname,param_type,lownormalvalue,highnormalvalue"
    write_table(icu / "d_items.csv.gz", columns, names)
    write_table(icu / "chartevents.csv.gz", CHART_COLUMNS, vitals)


def mimic_folder(cxr: Path, subject: str) -> Path:
    """Return the folder of a subject's one study."""
    return cxr / "files" / f"p{subject[:2]}" / f"p{subject}" / f"s5{subject}"


def write_mimic_cxr(cxr: Path) -> None:
    """Write MIMIC-CXR-JPG with one frontal film of each of `STUDIES`, taken on 2 May 2180 at 9:30:14, and reports."""
    metadata, splits, labels = [], [], []
    for number, (subject, _, _, no_finding, split) in enumerate(STUDIES):
        ids = {"dicom_id": f"d{number}", "subject_id": subject, "study_id": f"5{subject}"}
        # The leading zeros of the time are lost in the published file.
        metadata.append(ids | {"ViewPosition": "PA", "StudyDate": "21800502", "StudyTime": "93014.53"})
        splits.append(ids | {"split": split})
        labels.append({"subject_id": subject, "study_id": f"5{subject}", "No Finding": no_finding})
        save_film(mimic_folder(cxr, subject) / f"d{number}.jpg", number)
        mimic_folder(cxr, subject).with_suffix(".txt").write_text(REPORT)
    metadata.append(metadata[0] | {"dicom_id": "lateral", "ViewPosition": "LATERAL"})
    write_table(cxr / "mimic-cxr-2.0.0-metadata.csv.gz", METADATA_COLUMNS, metadata)
    write_table(cxr / "mimic-cxr-2.0.0-split.csv.gz", "dicom_id,study_id,subject_id,split", splits)
    write_table(cxr / "mimic-cxr-2.0.0-chexpert.csv.gz", ",".join(("subject_id", "study_id", *FINDINGS)), labels)


def write_mimic(folder: Path, labs: Sequence[Row] = (), vitals: Sequence[Row] = ()) -> MimicFolders:
    """Write both data sets."""
    folders = MimicFolders(folder / "iv", folder / "cxr")
    write_mimic_iv(folders.iv, labs, vitals)
    write_mimic_cxr(folders.cxr)
    return folders


def write_chexpert(folder: Path) -> Path:
    """Write CheXpert: patients 1 to 3 in train.csv, 4 in valid.csv, and a lateral film of patient 1."""
    rows = {
        "train": [
            (1, "view1_frontal", {"No Finding": "1.0"}),
            (1, "view2_lateral", {"No Finding": "1.0"}),
            (2, "view1_frontal", {"Pneumonia": "1.0", "Consolidation": "1.0"}),
            (3, "view1_frontal", {"Pneumonia": "-1.0", "Edema": "0.0"}),
        ],
        "valid": [(4, "view1_frontal", {"Pneumonia": "1.0"})],
    }
    for side, films in rows.items():
        table: list[Row] = []
        for patient, view, findings in films:
            name = f"{side}/patient{patient:05}/study1/{view}.jpg"
            save_film(folder / name, patient)
            about = {"Path": f"CheXpert-v1.0-small/{name}", "Sex": "Female", "Age": 60 * (patient < 3), "AP/PA": "AP"}
            table.append(about | {"Frontal/Lateral": "Lateral" if "lateral" in view else "Frontal"} | findings)
        write_table(folder / f"{side}.csv", ",".join(COLUMNS), table)
    return folder


def bundle(*resources: Mapping[str, Any], kind: str = "transaction") -> bytes:
    """Return a Bundle whose entries are known by fullUrl, as Synthea writes them."""
    entries = [{"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource} for resource in resources]
    return json.dumps({"resourceType": "Bundle", "type": kind, "entry": entries}).encode()


def fhir_patient(number: int, condition: str = "53084003", *, report: str = "") -> list[dict[str, Any]]:
    """Return a child with a chest film on 4 March 2024, a condition, a C-reactive protein and two notes."""
    subject = {"reference": f"urn:uuid:p{number}"}
    snomed = "http://snomed.info/sct"

    def note(own_id: str, date: str, text: str) -> dict[str, Any]:
        data = base64.b64encode(text.encode()).decode()
        content = [{"attachment": {"contentType": "text/plain", "data": data}}]
        head = {"resourceType": "DocumentReference", "id": f"{own_id}{number}", "status": "current"}
        return head | {"subject": subject, "date": date, "content": content}

    series = {
        "uid": "1.2.3",
        "modality": {"code": "DX"},
        "bodySite": {"system": snomed, "code": "51185008"},
        "instance": [{"uid": f"1.2.3.{number}"}],
    }
    resources: list[dict[str, Any]] = [
        {"resourceType": "Patient", "id": f"p{number}", "birthDate": "2021-03-04", "gender": "female"},
        {
            "resourceType": "ImagingStudy",
            "id": f"i{number}",
            "status": "available",
            "subject": subject,
            "started": "2024-03-04T10:00:00Z",
            "identifier": [{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3"}],
            "series": [series],
        },
        {
            "resourceType": "Observation",
            "id": f"o{number}",
            "status": "final",
            "subject": subject,
            "code": {"coding": [{"system": "http://loinc.org", "code": "1988-5"}]},
            "effectiveDateTime": "2024-03-04T11:00:00Z",
            "valueQuantity": {"value": 8.4, "unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"},
        },
        note("n", "2024-03-04T09:00:00Z", "Fever and cough for three days."),
        note("r", "2024-03-04", "Lobar pneumonia on the film."),
    ]
    if condition:
        code = {"coding": [{"system": snomed, "code": condition}]}
        known = {"resourceType": "Condition", "id": f"c{number}", "subject": subject, "code": code}
        resources.append(known | {"onsetDateTime": "2024-03-03"})
    if report:
        conclusion = [{"coding": [{"system": snomed, "code": report}]}]
        about = {"resourceType": "DiagnosticReport", "id": f"d{number}", "status": "final", "subject": subject}
        study = [{"reference": f"urn:uuid:i{number}"}]
        resources.append(about | {"imagingStudy": study, "conclusionCode": conclusion})
    return resources


def write_fhir_export(folder: Path) -> Path:
    """Write three children: one with bacterial, one with viral pneumonia, one whose report found nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "one.json").write_bytes(bundle(*fhir_patient(1, "53084003")))
    (folder / "two.json").write_bytes(bundle(*fhir_patient(2, "75570004")))
    (folder / "three.json").write_bytes(bundle(*fhir_patient(3, "", report="281900007")))
    for number in (1, 2, 3):
        save_film(folder / "images" / f"1.2.3.{number}.png", number)
    return folder
