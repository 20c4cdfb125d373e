// Ties sentences to their evidence: what is pointed at, by mouse or by keyboard, lights what belongs to it.
"use strict";

(() => {
  const TIED = "[data-pieces], [data-piece]";
  const namesOf = (element) => (element.dataset.pieces ?? element.dataset.piece).split(" ").filter(Boolean);
  const piecesOf = (name) => [...document.querySelectorAll(`[data-piece="${CSS.escape(name)}"]`)];
  const sentencesOf = (name) => [...document.querySelectorAll(`[data-pieces~="${CSS.escape(name)}"]`)];

  // A sentence lights its evidence; a piece of evidence lights itself wherever it is shown, and its sentences.
  function litBy(element) {
    const names = namesOf(element);
    const sentences = "pieces" in element.dataset ? [element] : names.flatMap(sentencesOf);
    return new Set([...names.flatMap(piecesOf), ...sentences]);
  }

  // Brings a lit mark into sight by moving the note alone, never the page.
  function reveal(mark) {
    const note = mark?.closest(".note");
    if (!note) return;
    const [inner, outer] = [mark.getBoundingClientRect(), note.getBoundingClientRect()];
    if (inner.top < outer.top || inner.bottom > outer.bottom) note.scrollTop += inner.top - outer.top - outer.height / 3;
  }

  function tell(element) {
    const line = document.getElementById("pointed");
    if (!line) return;
    const detail = element?.dataset.detail ?? "";
    line.hidden = !detail;
    line.textContent = detail && `“${element.querySelector("bdi").textContent}”: ${detail}`;
  }

  function point(element) {
    document.querySelectorAll(".lit").forEach((piece) => piece.classList.remove("lit"));
    tell(element);
    if (!element) return;
    const lit = litBy(element);
    lit.forEach((piece) => piece.classList.add("lit"));
    if ("pieces" in element.dataset) reveal([...lit].find((piece) => piece.tagName === "MARK"));
  }

  const tiedTo = (target) => (target instanceof Element ? target.closest(TIED) : null);
  // Whatever the mouse leaves, the keyboard's place stays lit.
  const rest = () => point(tiedTo(document.activeElement));
  document.addEventListener("mouseover", (event) => (tiedTo(event.target) ? point(tiedTo(event.target)) : rest()));
  document.addEventListener("mouseleave", rest);
  document.addEventListener("focusin", (event) => point(tiedTo(event.target)));
  document.addEventListener("focusout", (event) => point(tiedTo(event.relatedTarget)));
})();
