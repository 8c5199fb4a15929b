// Keeps the list of runs up to date while the page is seen.
"use strict";

(() => {
  const every = 3000; // milliseconds
  const list = document.getElementById("runs"), lost = document.getElementById("lost");
  let shown = "";

  // show replaces what changed, and lets the links stay: one of them may have the focus.
  function show(text) {
    if (text === shown) return;
    shown = text;
    const fresh = document.createElement("div");
    fresh.innerHTML = text; // the server escaped it
    const old = new Map([...list.querySelectorAll("[data-run]")].map(row => [row.dataset.run, row]));
    const rows = [...fresh.querySelectorAll("[data-run]")];
    const same = rows.length > 0 && rows.length === old.size && [...old.keys()].every((key, i) => key === rows[i].dataset.run);
    if (!same) {
      const focus = document.activeElement?.closest?.("[data-run]")?.dataset.run;
      list.replaceChildren(...fresh.childNodes);
      if (focus) [...list.querySelectorAll("[data-run]")].find(row => row.dataset.run === focus)?.querySelector("a").focus();
      return;
    }
    for (const row of rows) {
      const [link, ...rest] = row.children, was = old.get(row.dataset.run);
      if (was.innerHTML === row.innerHTML) continue;
      while (was.children.length > 1) was.lastElementChild.remove();
      was.append(...rest);
    }
  }

  async function refresh() {
    if (document.hidden) return;
    try {
      const answer = await fetch("/list");
      const text = await answer.text();
      lost.hidden = answer.ok;
      if (answer.ok) show(text);
      else lost.textContent = text;
    } catch {
      lost.textContent = "The server does not answer. The list is as it was.";
      lost.hidden = false;
    }
  }

  async function loop() {
    await refresh();
    setTimeout(loop, every);
  }
  document.addEventListener("visibilitychange", refresh);
  loop();
})();
