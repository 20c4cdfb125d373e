// CDS Hooks from the client's side: discovery, prefetch templates, the call, feedback.
import { uuid4 } from "./dom.js";
import { query } from "./fhir.js";

const USER = "Practitioner/demo-doctor";
const TODAY = /^today\(\)(?:\s*([+-])\s*(\d+)\s*(day|month|year)s?)?$/;

/** Return the services that want to be told when a chart is opened. */
export async function discover() {
  const response = await fetch("/cds-services", { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(await errorText(response));
  return (await response.json()).services.filter(({ hook }) => hook === "patient-view");
}

/** Return a template with its tokens filled in, or null when one of them is not known here. */
export function resolveTemplate(template, context, now = new Date()) {
  let known = true;
  const text = template.replace(/\{\{(.+?)\}\}/g, (_, token) => {
    const value = tokenValue(token.trim(), context, now);
    known &&= value != null;
    return value ?? "";
  });
  return known ? text : null;
}

function tokenValue(token, context, now) {
  if (token.startsWith("context.")) return context[token.slice("context.".length)];
  if (token === "userPractitionerId") return context.userId.split("/")[1];
  const match = TODAY.exec(token);
  return match ? shiftedDay(now, match) : null;
}

function shiftedDay(now, [, sign, amount, unit]) {
  const day = new Date(now.getFullYear(), now.getMonth(), now.getDate());
  const steps = amount ? Number(amount) * (sign === "-" ? -1 : 1) : 0;
  if (unit === "day") day.setDate(day.getDate() + steps);
  if (unit === "month") day.setMonth(day.getMonth() + steps);
  if (unit === "year") day.setFullYear(day.getFullYear() + steps);
  const two = (number) => String(number).padStart(2, "0");
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

/** Fetch what the service asked for; a key that cannot be had is left out, and the service fetches it itself. */
export async function fetchPrefetch(service, context, signal) {
  const entries = await Promise.all(
    Object.entries(service.prefetch ?? {}).map(async ([key, template]) => {
      const path = resolveTemplate(template, context);
      try {
        return [key, path === null ? undefined : await query(path, { signal })];
      } catch (error) {
        if (signal.aborted) throw error;
        return [key, undefined];
      }
    }),
  );
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** Call one service for one patient; return what was sent, what came back and how long it took. */
export async function fire(service, { patientId, fhirServer, withPrefetch, signal }) {
  const context = { userId: USER, patientId };
  const request = { hook: "patient-view", hookInstance: uuid4(), fhirServer, context };
  if (withPrefetch) request.prefetch = await fetchPrefetch(service, context, signal);
  const path = `/cds-services/${encodeURIComponent(service.id)}`;
  const start = performance.now();
  const response = await post(path, request, signal);
  const answer = { service, path, request, status: response.status, ms: Math.round(performance.now() - start) };
  if (!response.ok) return { ...answer, error: await errorText(response), cards: [] };
  return { ...answer, ...(await response.json()), ms: Math.round(performance.now() - start) };
}

/** Tell the service what became of a card; return the HTTP status. */
export async function sendFeedback(service, feedback) {
  const entry = { ...feedback, outcomeTimestamp: new Date().toISOString() };
  return (await post(`/cds-services/${encodeURIComponent(service.id)}/feedback`, { feedback: [entry] })).status;
}

function post(path, body, signal) {
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  return fetch(path, { method: "POST", headers, body: JSON.stringify(body), signal });
}

/** Return the sentences of an OperationOutcome, or the status when there is none. */
async function errorText(response) {
  const outcome = await response.json().catch(() => null);
  const sentences = (outcome?.issue ?? []).map(({ diagnostics, details }) => diagnostics ?? details?.text);
  return sentences.filter(Boolean).join(" ") || `The service answered HTTP ${response.status}.`;
}
