// Asks whether the answer is there, and loads the page again when it is.
"use strict";

const MOST_WAIT_MS = 5000;
const statusUrl = document.querySelector("[data-status-url]").dataset.statusUrl;

async function isDone() {
  const response = await fetch(statusUrl, { cache: "no-store", headers: { Accept: "application/json" } });
  // Anything but an ordinary answer is an end too: the page itself then says what happened.
  return response.ok ? (await response.json()).done === true : true;
}

async function wait(ms) {
  const done = await isDone().catch(() => false);
  if (done) {
    window.location.reload();
  } else {
    setTimeout(() => wait(Math.min(MOST_WAIT_MS, ms * 1.3)), ms);
  }
}

setTimeout(() => wait(800), 400);
