// Cards as an EHR shows them: most urgent first, with links, suggestions, and a dismissal that asks for the reason.
import { make, safeUrl } from "./dom.js";
import { renderMarkdown } from "./markdown.js";

const URGENCY = ["critical", "warning", "info"];
const TITLES = { critical: "Critical", warning: "Warning", info: "Information" };

/** Return cards of all services in the order in which they are shown. */
export function inOrder(answers) {
  const cards = answers.flatMap(({ service, cards: own }) => own.map((card) => ({ card, service })));
  return cards.sort((a, b) => URGENCY.indexOf(a.card.indicator) - URGENCY.indexOf(b.card.indicator));
}

/**
 * Return one card.
 * @param onFeedback called with the feedback entry; resolves to the sentence that is shown below the card.
 * @param onAccept called with each action of an accepted suggestion.
 */
export function cardElement(card, { onFeedback, onAccept }) {
  const status = make("p", { class: "status", role: "status" });
  const element = make("article", { class: `card ${card.indicator}`, "aria-label": `${TITLES[card.indicator]} card` }, [
    make("p", { class: "indicator" }, TITLES[card.indicator]),
    make("h3", {}, card.summary),
    card.detail ? make("div", { class: "detail" }, renderMarkdown(card.detail)) : null,
    sourceLine(card.source),
    make("div", { class: "row" }, (card.links ?? []).map(linkButton), suggestionButtons(card, status, { onFeedback, onAccept })),
    card.uuid ? dismissal(card, status, onFeedback) : null,
    status,
  ]);
  return element;
}

function sourceLine(source) {
  const href = source.url ? safeUrl(source.url) : null;
  const label = href ? make("a", { href, target: "_blank", rel: "noopener noreferrer" }, source.label) : source.label;
  return make("p", { class: "source" }, "Source: ", label, source.topic?.display ? ` · ${source.topic.display}` : "");
}

function linkButton(link) {
  const href = safeUrl(link.url);
  if (link.type === "smart" || href === null) {
    return make("button", { type: "button", disabled: true, title: "This EHR cannot launch SMART apps" }, link.label);
  }
  return make("a", { class: "button main", href, target: "_blank", rel: "noopener" }, link.label);
}

function suggestionButtons(card, status, { onFeedback, onAccept }) {
  const buttons = (card.suggestions ?? []).map((suggestion) =>
    make("button", { type: "button", click: () => accept(suggestion) }, suggestion.label),
  );
  async function accept(suggestion) {
    const at = card.suggestions.indexOf(suggestion);
    for (const [index, button] of buttons.entries()) {
      if (index === at || card.selectionBehavior === "at-most-one") button.disabled = true;
    }
    (suggestion.actions ?? []).forEach(onAccept);
    const accepted = { card: card.uuid, outcome: "accepted", acceptedSuggestions: [{ id: suggestion.uuid }] };
    status.textContent = await onFeedback(accepted);
  }
  return buttons;
}

function dismissal(card, status, onFeedback) {
  const name = `reason-${card.uuid}`;
  const reasons = (card.overrideReasons ?? []).map((reason, index) =>
    make("label", {}, make("input", { type: "radio", name, value: index }), ` ${reason.display}`),
  );
  const comment = make("input", { type: "text", maxlength: 500, placeholder: "Comment (optional)", "aria-label": "Comment" });
  const send = make("button", { type: "button", click: dismiss }, "Dismiss this card");
  const panel = make("details", { class: "dismiss" }, make("summary", {}, "Dismiss…"), [
    make("fieldset", {}, make("legend", {}, "Why?"), reasons, comment, send),
  ]);
  async function dismiss() {
    const chosen = panel.querySelector("input[type=radio]:checked");
    const feedback = { card: card.uuid, outcome: "overridden" };
    const why = overrideReason(chosen && card.overrideReasons[chosen.value], comment.value.trim());
    if (why) feedback.overrideReason = why;
    const element = panel.closest(".card");
    element.classList.add("dismissed");
    element.setAttribute("aria-label", "Dismissed card");
    panel.remove();
    status.textContent = await onFeedback(feedback);
  }
  return panel;
}

function overrideReason(reason, userComment) {
  const given = {};
  // As the reference client does, code and system only.
  if (reason) given.reason = { code: reason.code, system: reason.system };
  if (userComment) given.userComment = userComment;
  return Object.keys(given).length ? given : null;
}
