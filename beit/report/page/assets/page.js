// Tables whose columns can be sorted: the headings of table.sortable become buttons.
"use strict";

for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  table.querySelectorAll("thead th").forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      table.querySelectorAll("thead th").forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      body.append(...sorted([...body.rows], column, down));
    });
  });
}

// sorted returns rows in the order of a column: by number where every cell that is not blank begins with one, else as text.
// Blank cells stay at the end.
function sorted(rows, column, down) {
  const keys = new Map(rows.map(row => [row, (row.cells[column]?.textContent ?? "").trim()]));
  const numeric = [...keys.values()].every(key => key === "" || !Number.isNaN(parseFloat(number(key))));
  const compare = numeric
    ? (a, b) => parseFloat(number(a)) - parseFloat(number(b))
    : (a, b) => a.localeCompare(b, "en", { numeric: true });
  return rows.sort((a, b) => {
    const x = keys.get(a), y = keys.get(b);
    if (x === "" || y === "") return (x === "") - (y === "");
    return down ? compare(y, x) : compare(x, y);
  });
}

// number leaves out what groups digits.
function number(text) {
  return text.replace(/(\d)[, \u00a0\u202f](?=\d{3})/g, "$1").replace(/^[−]/, "-");
}
