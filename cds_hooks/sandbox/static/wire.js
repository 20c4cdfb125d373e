// What went over the wire, for whoever wants to see how the hook works.
import { make } from "./dom.js";

const LONGEST = 60_000;

/** Show one call of the hook: address, status, time, and which prefetch keys were sent. */
export function showCall(list, answer) {
  const { service, path, request, status, ms, cards } = answer;
  const keys = Object.keys(service.prefetch ?? {}).map((key) => {
    const sent = key in (request.prefetch ?? {});
    return make("span", { class: sent ? "sent" : "unsent", title: sent ? "sent with the hook" : "fetched by the service" }, `${key} ${sent ? "✓" : "–"}`);
  });
  list.append(
    make("li", {}, make("b", {}, `POST ${path}`), ` ${status} · ${ms} ms`),
    make("li", {}, request.prefetch ? "prefetch: " : "no prefetch, the service fetches: ", keys.flatMap((key) => [key, " "])),
    ...cards.flatMap(({ extension }) => Object.values(extension ?? {})).filter((about) => about?.state).map(resultLine),
  );
}

/** Return what our own service says about its work; the extensions of others are left out. */
function resultLine({ state, modelMs, jobMs, modalities }) {
  if (modelMs === undefined) return make("li", {}, `analysis: ${state}`);
  return make("li", {}, `analysis: ${jobMs} ms, of which model ${modelMs} ms · ${(modalities ?? []).join(", ")}`);
}

/** Show one feedback call. */
export function showFeedback(list, service, outcome, status) {
  list.append(make("li", {}, make("b", {}, `POST /cds-services/${service.id}/feedback`), ` ${status} · ${outcome}`));
}

/** Return a request and its answer as indented JSON, cut where it gets long. */
export function bodiesText(answers) {
  const texts = answers.map(({ request, error, cards }) => {
    const sent = JSON.stringify(request, null, 1);
    return `→ ${sent.length > LONGEST ? `${sent.slice(0, LONGEST)}\n…` : sent}\n\n← ${JSON.stringify(error ? { error } : { cards }, null, 1)}`;
  });
  return texts.join("\n\n");
}
