// Reading the hospital's FHIR server, as an EHR's own code does.

const FHIR = "/fhir";
const FORM = "application/x-www-form-urlencoded";

/** Read or search `Type/id` or `Type?parameters`; searches go by POST, so that ids stay out of address logs. */
export async function query(path, { signal } = {}) {
  const [target, parameters] = path.split(/\?(.*)/s);
  const headers = { Accept: "application/fhir+json" };
  const response =
    parameters === undefined
      ? await fetch(`${FHIR}/${target}`, { headers, signal })
      : await fetch(`${FHIR}/${target}/_search`, {
          method: "POST",
          headers: { ...headers, "Content-Type": FORM },
          body: new URLSearchParams(parameters).toString(),
          signal,
        });
  if (!response.ok) throw new Error(`FHIR answered HTTP ${response.status}`);
  return response.json();
}

/** Read a further page: a link leads to the server's base and is followed as it stands, on this origin only. */
async function page(url, { signal } = {}) {
  const { pathname, search } = new URL(url);
  if (pathname !== FHIR && !pathname.startsWith(`${FHIR}/`)) throw new Error("A page of the search lies elsewhere");
  const response = await fetch(pathname + search, { headers: { Accept: "application/fhir+json" }, signal });
  if (!response.ok) throw new Error(`FHIR answered HTTP ${response.status}`);
  return response.json();
}

/** Return every match of a search, following the links to further pages. */
export async function all(path, options = {}) {
  const found = [];
  for (let bundle = await query(path, options); bundle; ) {
    found.push(...(bundle.entry ?? []).filter(({ search }) => search?.mode !== "include").map(({ resource }) => resource));
    const next = (bundle.link ?? []).find(({ relation }) => relation === "next")?.url;
    bundle = next ? await page(next, options) : null;
  }
  return found;
}

/** Return the text of a note, from inside its DocumentReference or from the Binary that it points to. */
export async function noteText(document, { signal } = {}) {
  const attachment = document.content?.[0]?.attachment ?? {};
  if (attachment.data) return new TextDecoder().decode(Uint8Array.from(atob(attachment.data), (c) => c.charCodeAt(0)));
  const response = await fetch(`${FHIR}/${attachment.url}`, { headers: { Accept: "text/plain" }, signal });
  if (!response.ok) throw new Error(`FHIR answered HTTP ${response.status}`);
  return response.text();
}
