// What the explanation page can do beyond being read. Without this script the page is complete.
"use strict";

const find = (id) => document.getElementById(id);

function watchHeat() {
  const slider = find("opacity");
  if (!slider) return;
  const original = find("original");
  const show = (percent) => {
    find("radiograph").style.setProperty("--heat", percent / 100);
    find("opacity-value").value = `${percent} %`;
    slider.setAttribute("aria-valuetext", `${percent} per cent`);
  };
  const press = (pressed) => original.setAttribute("aria-pressed", String(pressed));
  slider.addEventListener("input", () => {
    press(false);
    show(slider.value);
  });
  original.addEventListener("click", () => {
    const pressed = original.getAttribute("aria-pressed") !== "true";
    press(pressed);
    show(pressed ? 0 : slider.value);
  });
  // A browser keeps the slider's place over a reload, not what it did.
  show(slider.value);
}

function evidenceOf(claim) {
  const anchors = [...claim.querySelectorAll(".cited a")].map((link) => find(link.hash.slice(1)));
  const direction = claim.classList.contains("against") ? "against" : "for";
  return anchors.flatMap((piece) => {
    if (!piece) return [];
    return piece.id === "note" ? [...piece.querySelectorAll(`.note mark.${direction}`)] : [piece];
  });
}

function watchClaims() {
  for (const claim of document.querySelectorAll(".claims li")) {
    const light = (on) => {
      claim.classList.toggle("pointing", on);
      evidenceOf(claim).forEach((piece) => piece.classList.toggle("lit", on));
    };
    for (const event of ["mouseenter", "focusin"]) claim.addEventListener(event, () => light(true));
    for (const event of ["mouseleave", "focusout"]) claim.addEventListener(event, () => light(false));
  }
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
watchClaims();
watchFeedback();
