// What the explanation page can do beyond being read. Without this script the page is complete.
"use strict";

const find = (id) => document.getElementById(id);
const press = (button, pressed) => button.setAttribute("aria-pressed", String(pressed));
const isPressed = (button) => button.getAttribute("aria-pressed") === "true";

function showHeat(percent) {
  find("radiograph").style.setProperty("--heat", percent / 100);
  find("opacity-value").value = `${percent} %`;
  find("opacity").setAttribute("aria-valuetext", `${percent} per cent`);
}

// Listeners sit on the document: parts of the page are replaced when the second tier is there.
function watchHeat() {
  document.addEventListener("input", (event) => {
    if (event.target.id !== "opacity") return;
    press(find("original"), false);
    showHeat(event.target.value);
  });
  document.addEventListener("click", (event) => {
    if (event.target.id !== "original") return;
    const pressed = !isPressed(event.target);
    press(event.target, pressed);
    showHeat(pressed ? 0 : find("opacity").value);
  });
  // A browser keeps the slider's place over a reload, not what it did.
  if (find("opacity")) showHeat(find("opacity").value);
}

// A button that is pressed and released, and the class that it gives to an element.
function watchSwitch(id, target, className) {
  const button = find(id);
  if (!button) return;
  button.addEventListener("click", () => {
    press(button, !isPressed(button));
    find(target).classList.toggle(className, isPressed(button));
    button.scrollIntoView({ block: "nearest" });
  });
}

async function send(form, body) {
  const buttons = form.querySelectorAll("button");
  const status = find("feedback-status");
  buttons.forEach((button) => { button.disabled = true; });
  const sent = await fetch(form.dataset.url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  }).then((response) => response.ok, () => false);
  status.textContent = sent ? "Thank you, recorded." : "It could not be recorded. Please try again.";
  if (sent) {
    find("reasons").hidden = true;
    find("disagree").setAttribute("aria-expanded", "false");
  } else {
    buttons.forEach((button) => { button.disabled = false; });
  }
}

function disagreement(form) {
  const reason = { code: form.elements.reason.value };
  const comment = form.elements.comment.value.trim();
  return { outcome: "overridden", overrideReason: comment ? { reason, userComment: comment } : { reason } };
}

function watchFeedback() {
  const form = find("feedback");
  if (!form) return;
  find("agree").addEventListener("click", () => send(form, { outcome: "accepted" }));
  find("disagree").addEventListener("click", (event) => {
    const reasons = find("reasons");
    reasons.hidden = !reasons.hidden;
    event.currentTarget.setAttribute("aria-expanded", String(!reasons.hidden));
    if (!reasons.hidden) reasons.querySelector("input").focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form, disagreement(form));
  });
}

document.documentElement.classList.add("scripted");
find("print").addEventListener("click", () => window.print());
watchHeat();
watchSwitch("enlarge", "radiograph", "large");
watchSwitch("compare", "prior", "shown");
watchFeedback();
