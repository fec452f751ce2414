// Keys, and buttons that copy. Every page works without it.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const typing = (e) => e.target.closest("input, textarea, select, [contenteditable]");

  // links are those of the list on the page: plans, or findings.
  const links = () => [...document.querySelectorAll("#list a")];

  // leaving says that another page was asked for: no key is for this one any more, least of all "approve".
  let leaving = false;
  const leave = (to) => { leaving = true; to(); };
  addEventListener("pageshow", () => { leaving = false; });

  const focus = (key) => document.querySelector(`[data-key="${key}"]`)?.focus();

  function go(step) {
    const all = links();
    if (all.length === 0) return;
    const at = all.findIndex((a) => a.hasAttribute("aria-current") || a === document.activeElement);
    const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
    if (next.closest("nav")) leave(() => next.click()); // a plan is shown beside the list
    else next.focus();
  }

  const keys = {
    j: () => go(1),
    k: () => go(-1),
    a: () => focus("a"),
    r: () => focus("r"),
    g: () => leave(() => location.assign("/")),
    "/": () => (byId("search") ? byId("search").focus() : leave(() => location.assign("/findings"))),
  };

  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === "Escape" && typing(e)) return e.target.blur();
    if (leaving) return e.preventDefault();
    if (typing(e) || !Object.hasOwn(keys, e.key)) return;
    e.preventDefault();
    keys[e.key]();
  });

  document.addEventListener("click", async (e) => {
    const button = e.target.closest("[data-copy]");
    if (!button) return;
    const from = byId(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(from.textContent);
      byId("said").textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(from); // the person copies what is selected
      byId("said").textContent = "Selected";
    }
  });

  // What was approved or said once is not said again when the page is loaded again.
  const url = new URL(location.href);
  if (url.searchParams.has("done")) {
    for (const name of ["done", "id"]) url.searchParams.delete(name);
    if (url.pathname === "/stop") url.search = "";
    history.replaceState(null, "", url);
  }
})();
