// Opening a chart: read it, fire patient-view, show the cards. One chart is open at a time; what was asked before is dropped.
import { cardElement, inOrder } from "./cards.js";
import { make } from "./dom.js";
import { discover, fire, sendFeedback } from "./hooks.js";
import { readChart } from "./record.js";
import { bodiesText, showCall, showFeedback } from "./wire.js";

const element = Object.fromEntries(
  ["chart", "cards", "wire", "bodies", "refire", "prefetch", "jump"].map((id) => [id, document.getElementById(id)]),
);
let open = null;

/** Open the chart that the address names, or the first one. */
function openFromAddress() {
  const links = [...document.querySelectorAll("nav [data-patient]")];
  const wanted = decodeURIComponent(location.hash.slice(1));
  // Other anchors of the page leave the open chart as it is.
  const chosen = links.find((link) => link.dataset.patient === wanted) ?? (open ? null : links[0]);
  if (!chosen) return;
  for (const link of links) {
    if (link === chosen) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  openChart(chosen.dataset.patient, chosen.firstChild.textContent);
}

function openChart(patientId, title) {
  open?.abort.abort();
  open = { patientId, abort: new AbortController() };
  document.title = `${title} · Demo EHR`;
  showChart(open);
  fireHooks(open);
}

async function showChart({ patientId, abort: { signal } }) {
  element.chart.setAttribute("aria-busy", "true");
  try {
    const content = await readChart(patientId, { signal });
    element.chart.replaceChildren(...content);
  } catch (error) {
    if (signal.aborted) return;
    element.chart.replaceChildren(alertBox("The chart cannot be read", error.message));
  }
  element.chart.removeAttribute("aria-busy");
}

/** Fire the hook at every service; cards of before are cleared at once, so that no stale advice stays on the screen. */
async function fireHooks({ patientId, abort: { signal } }) {
  const options = {
    patientId, signal, withPrefetch: element.prefetch.checked, fhirServer: document.body.dataset.fhirServer,
  };
  element.cards.replaceChildren(make("p", { class: "waiting" }, make("span", { class: "spinner" }), "Asking decision support…"));
  element.wire.replaceChildren();
  element.bodies.textContent = "";
  element.refire.hidden = element.jump.hidden = true;
  try {
    const services = await discover();
    const answers = await Promise.all(services.map((service) => fire(service, options)));
    if (!signal.aborted) showAnswers(answers);
  } catch (error) {
    if (signal.aborted) return;
    element.cards.replaceChildren(alertBox("Decision support cannot be reached", error.message));
  }
  if (!signal.aborted) element.refire.hidden = false;
}

function showAnswers(answers) {
  answers.forEach((answer) => showCall(element.wire, answer));
  element.bodies.textContent = bodiesText(answers);
  const errors = answers
    .filter(({ error }) => error)
    .map(({ service, status, error }) => alertBox(`${service.title ?? service.id} answered HTTP ${status}`, error));
  const cards = inOrder(answers).map(({ card, service }) =>
    cardElement(card, { onAccept: recordAction, onFeedback: (feedback) => giveFeedback(service, feedback) }),
  );
  const none = make("p", { class: "empty" }, "No card.");
  element.cards.replaceChildren(...(errors.length + cards.length ? [...errors, ...cards] : [none]));
  element.jump.textContent = `Decision support: ${cards.length} ${cards.length === 1 ? "card" : "cards"} ↓`;
  element.jump.hidden = !cards.length;
}

async function giveFeedback(service, feedback) {
  const done = feedback.outcome === "accepted" ? "Accepted" : "Dismissed";
  try {
    const status = await sendFeedback(service, feedback);
    showFeedback(element.wire, service, feedback.outcome, status);
    return status < 300 ? `${done}; feedback sent.` : `${done}; the service refused the feedback (HTTP ${status}).`;
  } catch {
    return `${done}; the feedback could not be sent.`;
  }
}

/** Put an accepted action into the chart on screen; the FHIR server of the demonstration is read-only. */
function recordAction({ description, resource }) {
  const text = resource?.code?.text ?? resource?.code?.coding?.[0]?.display ?? description;
  const status = resource?.verificationStatus?.coding?.[0]?.code;
  let box = element.chart.querySelector(".recorded ul");
  if (!box) {
    box = make("ul");
    element.chart.append(
      make("section", { class: "box recorded", "aria-label": "Recorded" }, make("h2", {}, "Recorded now"), box, [
        make("p", { class: "nothing" }, "On this screen only: the sandbox is read-only."),
      ]),
    );
  }
  box.append(make("li", {}, [resource?.resourceType, text].filter(Boolean).join(": "), status ? ` (${status})` : ""));
}

function alertBox(title, text) {
  return make("div", { class: "alert", role: "alert" }, make("b", {}, title), make("p", {}, text));
}

element.refire.addEventListener("click", () => fireHooks(open));
element.prefetch.addEventListener("change", () => fireHooks(open));
window.addEventListener("hashchange", openFromAddress);
openFromAddress();
