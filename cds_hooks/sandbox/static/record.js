// The open chart: who it is, vital signs, laboratory, note and film, read from FHIR as any EHR would.
import { clock, make } from "./dom.js";
import { all, noteText, query } from "./fhir.js";

const IN_BAND = ["8310-5", "59408-5", "8867-4", "9279-1"];
const FLAGS = { H: { sign: "▲", word: "high" }, L: { sign: "▼", word: "low" } };

/** Return the elements of a chart; what cannot be read is said in its box. */
export async function readChart(patientId, options) {
  const of = `patient=${encodeURIComponent(patientId)}`;
  const [patient, vitals, labs, notes, studies] = await Promise.all([
    query(`Patient/${encodeURIComponent(patientId)}`, options),
    all(`Observation?${of}&category=vital-signs&status=final&_sort=-date&_count=100`, options),
    all(`Observation?${of}&category=laboratory&status=final&_sort=-date&_count=100`, options),
    all(`DocumentReference?${of}&status=current&_sort=-date`, options),
    all(`ImagingStudy?${of}&status=available&_sort=-started`, options),
  ]);
  const readings = newestOfEach(vitals);
  return [
    demographics(patient, readings),
    make("div", { class: "boxes" }, [
      await noteBox(notes, options),
      valueBox("Laboratory", newestOfEach(labs), "No laboratory results."),
      filmBox(studies),
      valueBox("Vital signs", readings, "No vital signs."),
    ]),
  ];
}

/** Return numbers of Observations and of their components, newest of each kind first, with the reading before. */
function newestOfEach(observations) {
  const kinds = new Map();
  for (const observation of observations) {
    for (const part of [observation, ...(observation.component ?? [])]) {
      if (!part.valueQuantity) continue;
      const name = part.code.text ?? part.code.coding[0].display;
      const reading = {
        name,
        codes: part.code.coding.map(({ code }) => code),
        quantity: part.valueQuantity,
        flag: part.interpretation?.[0]?.coding?.[0]?.code,
        at: observation.effectiveDateTime,
      };
      if (kinds.has(name)) kinds.get(name).before ??= reading;
      else kinds.set(name, reading);
    }
  }
  return [...kinds.values()];
}

function demographics(patient, readings) {
  const name = patient.name?.[0] ?? {};
  const printed = [name.family, (name.given ?? []).join(" ")].filter(Boolean).join(", ") || "Unnamed patient";
  const band = IN_BAND.map((code) => readings.find(({ codes }) => codes.includes(code))).filter(Boolean);
  return make("header", { class: "demographics" }, [
    make("div", { class: "who" }, make("h1", {}, printed), make("span", {}, ageAndSex(patient))),
    make("div", { class: "band" }, band.map((reading) =>
      make("div", {}, make("b", {}, valueText(reading), flagMark(reading)), make("span", {}, reading.name)),
    )),
  ]);
}

function ageAndSex({ birthDate, gender, identifier }) {
  const parts = [birthDate && ageText(birthDate), gender, birthDate && `born ${birthDate}`, identifier?.[0]?.value];
  return parts.filter(Boolean).join(" · ");
}

function ageText(birthDate) {
  const [born, now] = [new Date(birthDate), new Date()];
  let months = (now.getFullYear() - born.getFullYear()) * 12 + now.getMonth() - born.getMonth();
  if (now.getDate() < born.getDate()) months -= 1;
  const years = Math.floor(months / 12);
  return years < 6 && months % 12 ? `${years} y ${months % 12} mo` : `${years} y`;
}

function valueText({ quantity }) {
  return `${quantity.value.toLocaleString("en-GB").replaceAll(",", "\u202f")} ${quantity.unit ?? quantity.code ?? ""}`.trim();
}

function flagMark({ flag }) {
  if (!FLAGS[flag]) return null;
  return make("span", { class: "flag", role: "img", "aria-label": FLAGS[flag].word }, ` ${FLAGS[flag].sign}`);
}

function valueBox(title, readings, nothing) {
  if (!readings.length) return box(title, "", make("p", { class: "nothing" }, nothing));
  const rows = readings.map((reading) =>
    make("tr", { class: FLAGS[reading.flag] ? "out" : "" }, [
      make("th", { scope: "row" }, reading.name, before(reading)),
      make("td", {}, valueText(reading), flagMark(reading)),
      make("td", { class: "time" }, clock(reading.at)),
    ]),
  );
  return box(title, clock(readings[0].at), make("table", {}, make("tbody", {}, rows)));
}

function before({ before: earlier }) {
  return earlier ? make("small", {}, `before: ${valueText(earlier)}, ${clock(earlier.at)}`) : null;
}

async function noteBox(notes, options) {
  if (!notes.length) return box("Note", "", make("p", { class: "nothing" }, "No note."));
  const [newest] = notes;
  const text = await noteText(newest, options);
  return box(newest.type?.text ?? "Note", clock(newest.date), make("p", { class: "note" }, text));
}

function filmBox(studies) {
  if (!studies.length) return box("Imaging", "", make("p", { class: "nothing" }, "No radiograph."));
  const [study] = studies;
  const series = study.series[0];
  const path = [
    "/dicom-web/studies", study.identifier[0].value.replace("urn:oid:", ""),
    "series", series.uid, "instances", series.instance[0].uid, "rendered",
  ].join("/");
  const caption = [series.modality?.code, series.description, study.note?.[0]?.text].filter(Boolean).join(" · ");
  const picture = make("img", { src: `${path}?viewport=640,640`, alt: study.description ?? "Radiograph", width: 640, height: 640 });
  const link = make("a", { href: path, target: "_blank", rel: "noopener", "aria-label": "Open the film in its full size" }, picture);
  return box("Imaging", clock(study.started), make("figure", {}, link, make("figcaption", {}, caption)), "film");
}

function box(title, when, content, kind = "") {
  return make("section", { class: `box ${kind}`.trim(), "aria-label": title }, make("h2", {}, title, when && make("span", {}, when)), content);
}
