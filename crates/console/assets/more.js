// A list that takes longer than one answer: asks for the next part until there is enough to read.
"use strict";
const ENOUGH = 60;
let running = false;
async function more() {
  if (running) return;
  running = true;
  await parts().catch(() => {});
  running = false;
}
async function parts() {
  const rows = document.querySelector("[data-rows]");
  const pages = document.querySelector("[data-pages]");
  for (;;) {
    const link = document.querySelector("[data-more] a");
    if (!link || rows.children.length >= ENOUGH || document.hidden) return;
    const answer = await fetch(`${link.href}&part=true`, { credentials: "same-origin" });
    if (!answer.ok) return;
    const part = new DOMParser().parseFromString(await answer.text(), "text/html");
    const looked = part.querySelector("[data-pages]");
    const next = part.querySelector("[data-more], [data-end]");
    if (!looked || !next) return;
    rows.append(...part.querySelectorAll("[data-rows] > li"));
    pages.textContent = Number(pages.textContent) + Number(looked.textContent);
    document.querySelector("[data-more]").replaceWith(next);
  }
}
document.addEventListener("visibilitychange", more);
more();
