// The part of Markdown that cards use, made into elements. HTML in it stays text, links lead to http and https only.
import { make, safeUrl } from "./dom.js";

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };
// Tried in this order at each place: escape, code, strong, emphasis, link, entity.
const INLINE = new RegExp(
  [
    String.raw`\\(?<escaped>[!-/:-@\[-\x60{-~])`,
    String.raw`\x60(?<code>[^\x60]+)\x60`,
    String.raw`\*\*(?<strong>(?:\\.|[^\\])+?)\*\*`,
    String.raw`(?<![\w*])\*(?=\S)(?<em>(?:\\.|[^*\\])+)(?<=\S)\*(?!\w)`,
    String.raw`(?<!\w)_(?=\S)(?<under>(?:\\.|[^_\\])+)(?<=\S)_(?!\w)`,
    String.raw`\[(?<label>(?:\\.|[^\]\\])+)\]\((?<url>[^\s)]+)\)`,
    String.raw`&(?<entity>\w+|#\d{1,6}|#x[0-9a-fA-F]{1,5});`,
  ].join("|"),
  "g",
);

/** Return the inline content of a line as nodes. */
function inline(text) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    nodes.push(text.slice(from, match.index), inlineNode(match[0], match.groups));
    from = match.index + match[0].length;
  }
  nodes.push(text.slice(from));
  return nodes.filter((node) => node !== "");
}

function inlineNode(whole, groups) {
  if (groups.escaped != null) return groups.escaped;
  if (groups.code != null) return make("code", {}, groups.code);
  if (groups.strong != null) return make("strong", {}, inline(groups.strong));
  if (groups.em != null || groups.under != null) return make("em", {}, inline(groups.em ?? groups.under));
  if (groups.entity != null) return entity(groups.entity) ?? whole;
  const href = safeUrl(groups.url);
  if (href === null) return whole;
  return make("a", { href, target: "_blank", rel: "noopener noreferrer" }, inline(groups.label));
}

function entity(name) {
  if (name[0] !== "#") return ENTITIES[name] ?? null;
  const code = name[1] === "x" ? parseInt(name.slice(2), 16) : parseInt(name.slice(1), 10);
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : null;
}

const KINDS = [
  { kind: "ul", mark: /^\s*[-*+]\s+/ },
  { kind: "ol", mark: /^\s*\d{1,9}[.)]\s+/ },
  { kind: "h4", mark: /^#{1,6}\s+/ },
  { kind: "hr", mark: /^\s*([-*_])(\s*\1){2,}\s*$/ },
];

function kindOf(line) {
  if (KINDS[3].mark.test(line)) return KINDS[3];
  return KINDS.find(({ mark }) => mark.test(line)) ?? { kind: "p", mark: /^/ };
}

/** Return Markdown as a fragment of elements. */
export function renderMarkdown(text) {
  const fragment = document.createDocumentFragment();
  let block = null;
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === "") {
      block = null;
      continue;
    }
    const { kind, mark } = kindOf(line);
    block = addLine(fragment, block, kind, line.replace(mark, ""));
  }
  return fragment;
}

/** Add a line to the open block, or open a new one; return the block that is open now. */
function addLine(fragment, block, kind, content) {
  if (kind === "hr" || kind === "h4") {
    fragment.append(make(kind, {}, kind === "hr" ? [] : inline(content)));
    return null;
  }
  if (kind === "p" && block !== null) {
    const into = block.localName === "p" ? block : block.lastElementChild;
    into.append(" ", ...inline(content.trim()));
    return block;
  }
  if (block?.localName !== kind) {
    block = make(kind);
    fragment.append(block);
  }
  if (kind === "p") block.append(...inline(content.trim()));
  else block.append(make("li", {}, inline(content)));
  return block;
}
