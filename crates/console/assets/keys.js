// Shortcuts: j and k move between rows, o opens one, other keys press the button that names them.
"use strict";
document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (typing || event.ctrlKey || event.metaKey || event.altKey) {
    if (typing && event.key === "Escape") event.target.blur();
    return;
  }
  const rows = [...document.querySelectorAll("[data-row]")];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  if (event.key === "j" || event.key === "k") {
    const next = at < 0 ? 0 : at + (event.key === "j" ? 1 : -1);
    const row = rows[Math.max(0, Math.min(rows.length - 1, next))];
    if (row) row.focus();
    return;
  }
  const place = rows.length ? rows[Math.max(at, 0)] : document;
  if (event.key === "o") {
    const link = place && place.querySelector("[data-open]");
    if (link) link.click();
    return;
  }
  const button = place && place.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!button) return;
  const reason = button.form.querySelector("[name=reason]");
  // A dismissal needs a reason first.
  if (button.value === "dismiss" && reason && !reason.value) {
    event.preventDefault();
    reason.focus();
    return;
  }
  button.click();
});
