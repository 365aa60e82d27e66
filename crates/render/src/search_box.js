// Finds the box a page is searched with and the button beside it. Runs in a world of its own, where the page's
// scripts changed nothing; what it finds stays there for what follows.
((names, words) => {
  const HINTS = ["name", "id", "class", "title", "placeholder", "value", "aria-label", "alt", "onclick"];
  const LEVELS_MAX = 5, LABEL_CHARS_MAX = 8;
  const hint = (e) => HINTS.map((name) => e.getAttribute(name) ?? "").join(" ").toLowerCase();
  const label = (e) => (e.textContent ?? "").trim();
  const says = (e) => words.some((word) => hint(e).includes(word) || (label(e).length <= LABEL_CHARS_MAX && label(e).includes(word)));
  const named = (e) => [e.name, e.id].some((name) => names.includes(name.toLowerCase()));
  const boxes = [...document.querySelectorAll("input")].filter((e) =>
    ["text", "search"].includes(e.type) && !e.disabled && !e.readOnly && !e.form?.querySelector("input[type=password]"));
  const buttons = (e) => [...(e.form?.querySelectorAll("button, input[type=submit], input[type=button]") ?? [])];
  const box = boxes.find(named) ?? boxes.find(says) ?? boxes.find((e) => buttons(e).some(says))
    ?? boxes.find((e) => words.some((word) => (e.form?.getAttribute("action") ?? "").toLowerCase().includes(word)));
  if (!box) return false;
  // Results are wanted here, not in another window.
  for (const e of document.querySelectorAll("form[target], a[target], base[target]")) e.removeAttribute("target");
  const leads = (e) => e.matches("a[href]") && !/^(#|javascript:)/i.test(e.getAttribute("href").trim());
  const follows = (e) => box.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING
    && !leads(e) && !label(e).includes("高级");
  const presses = (e) => e.matches("button, input[type=submit], input[type=button], input[type=image], a, [onclick]");
  globalThis.box = box;
  globalThis.button = undefined;
  for (let around = box.parentElement, up = 0; around && up < LEVELS_MAX && !globalThis.button; around = around.parentElement, up++) {
    const near = [...around.querySelectorAll("button, input, a, [onclick], img, i, span, div, em")].filter(follows);
    globalThis.button = near.find((e) => presses(e) && says(e)) ?? near.find((e) => e.matches("button, input[type=submit], input[type=image]"))
      ?? near.find(says) ?? near.find(presses);
    // A form without a button is sent off as it is.
    if (around === box.form) break;
  }
  box.focus();
  box.select();
  return true;
})
