// Follows the second tier, and takes over the parts of the page that it changed. Scroll, slider, focus and an opened
// feedback stay as they are.
"use strict";

(() => {
  const FIRST_MS = 700;
  const MOST_WAIT_MS = 5000;
  const GIVE_UP_AFTER_MS = 10 * 60 * 1000;
  const main = document.getElementById("main");
  const begun = Date.now();
  // As the server sent them: whatever has been lit or pressed since is no difference.
  const sent = new Map(parts(document).map((part) => [part.id, part.outerHTML]));

  function parts(root) {
    return [...root.querySelectorAll("[data-part]")];
  }

  function announce(text) {
    document.getElementById("news").textContent = text;
  }

  async function status() {
    const headers = { Accept: "application/json" };
    const response = await fetch(main.dataset.statusUrl, { cache: "no-store", headers });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return (await response.json()).checked;
  }

  async function newPage() {
    const headers = { Accept: "text/html", "X-Page-Refresh": "1" };
    const response = await fetch(window.location.href, { cache: "no-store", headers });
    if (!response.ok) throw new Error(`page ${response.status}`);
    return new DOMParser().parseFromString(await response.text(), "text/html");
  }

  // Where the keyboard is, in words that also find its place in a new part.
  function place() {
    const element = document.activeElement;
    const home = element?.closest("[id]");
    if (!home) return null;
    const own = `#${CSS.escape(home.id)}`;
    return element === home ? own : `${own} [href="${CSS.escape(element.getAttribute("href") ?? "")}"]`;
  }

  // Keeps in place what the reader is looking at, though what stands above it grows or shrinks.
  function steadily(change) {
    const seen = [...main.querySelectorAll(".panel")].find((panel) => panel.getBoundingClientRect().bottom > 0);
    const before = seen?.getBoundingClientRect().top ?? 0;
    const focused = place();
    const scrolled = document.querySelector(".note")?.scrollTop ?? 0;
    change();
    const note = document.querySelector(".note");
    if (note) note.scrollTop = scrolled;
    if (focused && place() !== focused) document.querySelector(focused)?.focus({ preventScroll: true });
    if (window.scrollY > 0) window.scrollBy({ top: (seen?.getBoundingClientRect().top ?? 0) - before, behavior: "instant" });
  }

  function takeOver(page) {
    for (const part of parts(page)) {
      const old = document.getElementById(part.id);
      if (old && sent.get(part.id) !== part.outerHTML) old.replaceWith(document.adoptNode(part));
    }
    main.dataset.checking = page.getElementById("main").dataset.checking;
  }

  async function look() {
    if ((await status()) === "running") return false;
    const page = await newPage();
    if (page.getElementById("main")?.dataset.checking === "running") return false;
    steadily(() => takeOver(page));
    announce(main.dataset.checking === "done" ? "The evidence was tested; the page now shows the result." : "The evidence could not be tested.");
    return true;
  }

  async function follow(ms) {
    if (await look().catch(() => false)) return;
    if (Date.now() - begun > GIVE_UP_AFTER_MS) return announce("Still being checked. Reload the page to see the result.");
    setTimeout(() => follow(Math.min(MOST_WAIT_MS, ms * 1.2)), ms);
  }

  setTimeout(() => follow(FIRST_MS), FIRST_MS);
})();
