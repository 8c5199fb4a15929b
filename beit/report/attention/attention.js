// The query of the page: a patch is chosen by mouse, by arrow keys or by its row and column, and all maps follow.
"use strict";
{
  const read = id => JSON.parse(document.getElementById(id).textContent);
  const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));
  const floats = text => new Float32Array(bytes(text).buffer);
  const data = read("numbers"), { grid, queries } = data, patches = queries - 1;
  const weights = bytes(data.weights), kept = bytes(data.kept), map = bytes(data.map), peaks = floats(data.peaks), classes = floats(data.classes);
  const picker = document.getElementById("picker"), chosen = picker.querySelector(".chosen"), form = document.getElementById("controls").elements;
  const cards = [...document.querySelectorAll("#maps figure")];
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = grid;
  const pen = canvas.getContext("2d");
  let query = read("query");

  // draw returns a map for the query as the URL of an image with a pixel for each patch.
  function draw(index, threshold) {
    const first = (index * queries + query) * patches, pixels = pen.createImageData(grid, grid);
    for (let i = 0; i < patches; i++) {
      const at = first + i;
      if (threshold) pixels.data[4 * i + 3] = kept[at >> 3] >> (at & 7) & 1 ? 0 : 200;
      else pixels.data.set([map[3 * weights[at]], map[3 * weights[at] + 1], map[3 * weights[at] + 2], 255], 4 * i);
    }
    pen.putImageData(pixels, 0, 0);
    return canvas.toDataURL();
  }

  // short is a weight with three digits.
  const short = w => Number(w.toPrecision(3)).toString();

  function show() {
    const row = Math.floor((query - 1) / grid), column = (query - 1) % grid, threshold = form.view.value === "kept";
    document.getElementById("from").textContent = query === 0 ? "the class token" : `row ${row}, column ${column}`;
    form.row.value = query === 0 ? "" : row;
    form.column.value = query === 0 ? "" : column;
    chosen.hidden = query === 0;
    Object.assign(chosen.style, { left: `${100 * column / grid}%`, top: `${100 * row / grid}%`, width: `${100 / grid}%`, height: `${100 / grid}%` });
    cards.forEach((card, i) => {
      const image = card.querySelector("img");
      image.src = draw(i, threshold);
      image.classList.toggle("mask", threshold);
      image.alt = `${card.querySelector("strong").textContent}: ${threshold ? "the patches that are kept, the others dark" : "attention as colours over the image"}`;
      card.querySelector(".peak").value = short(peaks[i * queries + query]);
      card.querySelector(".class").value = short(classes[i * queries + query]);
    });
  }

  // choose makes a patch the query; places outside the image become the nearest inside.
  function choose(row, column) {
    const inside = v => Math.min(Math.max(v, 0), grid - 1);
    query = 1 + inside(row) * grid + inside(column);
    show();
  }

  picker.tabIndex = 0;
  picker.role = "group";
  picker.addEventListener("click", event => {
    const box = picker.getBoundingClientRect();
    choose(Math.floor((event.clientY - box.top) / box.height * grid), Math.floor((event.clientX - box.left) / box.width * grid));
  });
  picker.addEventListener("keydown", event => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (step) {
      event.preventDefault();
      if (query === 0) choose(grid >> 1, grid >> 1);
      else choose(Math.floor((query - 1) / grid) + step[0], (query - 1) % grid + step[1]);
    } else if (event.key === "Escape") {
      query = 0;
      show();
    }
  });
  document.getElementById("class").addEventListener("click", () => {
    query = 0;
    show();
  });
  for (const input of [form.row, form.column]) {
    input.addEventListener("change", () => choose(Number(form.row.value), Number(form.column.value)));
  }
  form.view.addEventListener("change", show);
  form.strength.addEventListener("input", () => document.getElementById("attention").style.setProperty("--strength", form.strength.value));
  document.getElementById("controls").hidden = document.getElementById("hint").hidden = false;
  document.getElementById("controls").addEventListener("submit", event => event.preventDefault());
  show();
}
