// The map of a page of "beit map": points on a canvas, with thumbnails where there is room.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("map-points").textContent);
  const canvas = document.getElementById("map-canvas"), pen = canvas.getContext("2d");
  const form = document.querySelector(".map-controls"), legend = document.querySelector(".map-legend");
  const panel = document.querySelector(".map-panel"), status = panel.querySelector("[role=status]");

  // unpack reads numbers from base64.
  const unpack = (text, Kind) => new Kind(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);
  const layouts = { tsne: unpack(data.tsne, Uint16Array), pca: unpack(data.pca, Uint16Array) };
  const kinds = { label: unpack(data.label, Int32Array), cluster: unpack(data.cluster, Uint16Array), part: unpack(data.part, Uint8Array) };
  const near = unpack(data.near, Uint32Array), cosine = unpack(data.cosine, Int16Array), tile = unpack(data.tile, Int32Array);
  const count = data.names.length;

  // Images in the order of drawing thumbnails: those that are spread over the map come first.
  const order = [...tile.keys()].filter(i => tile[i] >= 0).sort((i, j) => tile[i] - tile[j]);

  // Links lead to the images beside the page on disk. A server of the page does not have them.
  const links = location.protocol === "file:" && data.links;
  if (!links) document.querySelectorAll("figcaption a").forEach(a => a.replaceWith(a.textContent));

  let places = layouts.tsne, colouring = "cluster", only = null, chosen = -1;
  let scale = 1, left = 0, top = 0; // a place p is drawn at left + p * scale
  let wholeScale = 1; // that shows all
  let queued = false;

  // redraw draws at the next frame.
  function redraw() {
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => { queued = false; draw(); });
  }

  // Sprites are loaded when a thumbnail of theirs is drawn.
  const sprites = [];
  function sprite(i) {
    const at = Math.floor(tile[i] / (data.side * data.side));
    if (!sprites[at]) {
      sprites[at] = new Image();
      sprites[at].addEventListener("load", () => { redraw(); if (chosen >= 0) show(); });
      sprites[at].src = "sprites/" + data.sprites[at];
    }
    return sprites[at].complete && sprites[at].naturalWidth > 0 ? sprites[at] : null;
  }

  // thumb draws the thumbnail of an image, and says whether it is there.
  function thumb(on, i, x, y, size) {
    const from = tile[i] >= 0 ? sprite(i) : null;
    if (!from) return false;
    const at = tile[i] % (data.side * data.side);
    on.drawImage(from, at % data.side * data.thumb, Math.floor(at / data.side) * data.thumb, data.thumb, data.thumb, x, y, size, size);
    return true;
  }

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const colour = value => value < 0 ? "#888" : `hsl(${value * 137.5 % 360} ${60 + value % 3 * 15}% ${dark.matches ? 65 : 42}%)`;
  const valueName = value => colouring === "label" ? (value < 0 ? "no label" : data.classes[value]) : colouring === "part" ? ["training", "validation"][value] : `cluster ${value + 1}`;
  const style = name => getComputedStyle(document.documentElement).getPropertyValue(name);
  const x = i => left + places[2 * i] * scale, y = i => top + places[2 * i + 1] * scale;
  const shown = i => only === null || kinds[colouring][i] === only;

  const thumbSize = 40;
  function draw() {
    const ratio = devicePixelRatio || 1, w = canvas.clientWidth, h = canvas.clientHeight;
    if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
      canvas.width = Math.round(w * ratio);
      canvas.height = Math.round(h * ratio);
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, w, h);
    const values = kinds[colouring], byValue = new Map();
    for (let i = 0; i < count; i++) {
      const px = x(i), py = y(i);
      if (px < -thumbSize || py < -thumbSize || px > w + thumbSize || py > h + thumbSize) continue;
      const value = shown(i) ? values[i] : null;
      if (!byValue.has(value)) byValue.set(value, []);
      byValue.get(value).push(px, py);
    }
    const size = count > 5000 ? 2 : 3;
    for (const [value, list] of [...byValue].sort((a, b) => (a[0] !== null) - (b[0] !== null))) {
      pen.fillStyle = value === null ? style("--line") : colour(value);
      pen.beginPath();
      for (let k = 0; k < list.length; k += 2) pen.rect(list[k] - size, list[k + 1] - size, 2 * size, 2 * size);
      pen.fill();
    }
    if (form.thumbs.checked) drawThumbs(w, h);
    if (chosen >= 0) ring(chosen);
  }

  // drawThumbs draws thumbnails that do not overlap: of the whole map those of the first sprite, which are spread over it.
  function drawThumbs(w, h) {
    const gap = thumbSize + 4, drawn = new Map(); // by cell of a grid
    for (const i of scale > 1.5 * wholeScale ? order : order.slice(0, data.side * data.side)) {
      const px = x(i), py = y(i);
      if (px < 0 || py < 0 || px > w || py > h || !shown(i)) continue;
      const column = Math.floor(px / gap), row = Math.floor(py / gap);
      let free = true;
      for (let c = column - 1; c <= column + 1; c++) {
        for (let r = row - 1; r <= row + 1; r++) {
          const other = drawn.get(c * 1000 + r);
          free &&= other === undefined || Math.abs(x(other) - px) >= gap || Math.abs(y(other) - py) >= gap;
        }
      }
      if (!free) continue;
      drawn.set(column * 1000 + row, i);
      if (thumb(pen, i, px - thumbSize / 2, py - thumbSize / 2, thumbSize)) {
        pen.strokeStyle = colour(kinds[colouring][i]);
        pen.lineWidth = 2;
        pen.strokeRect(px - thumbSize / 2, py - thumbSize / 2, thumbSize, thumbSize);
      }
    }
  }

  // ring marks the chosen image.
  function ring(i) {
    const size = thumbSize * 1.4;
    if (form.thumbs.checked) thumb(pen, i, x(i) - size / 2, y(i) - size / 2, size);
    pen.lineWidth = 3;
    for (const [ink, grow] of [[style("--ground"), 3], [style("--text"), 0]]) {
      pen.strokeStyle = ink;
      pen.strokeRect(x(i) - size / 2 - grow, y(i) - size / 2 - grow, size + 2 * grow, size + 2 * grow);
    }
  }

  // choose points at an image; with move, the map follows.
  function choose(i, move) {
    if (i < 0) return;
    if (move) {
      const w = canvas.clientWidth, h = canvas.clientHeight;
      if (x(i) < thumbSize || y(i) < thumbSize || x(i) > w - thumbSize || y(i) > h - thumbSize) {
        left += w / 2 - x(i);
        top += h / 2 - y(i);
      }
    }
    if (i !== chosen) {
      chosen = i;
      show();
      status.textContent = `${data.names[i]}, ${kindOf(i)}`;
    }
    redraw();
  }

  const kindOf = i => [
    data.classes.length && kinds.label[i] >= 0 ? data.classes[kinds.label[i]] : "", `cluster ${kinds.cluster[i] + 1}`, form.colour.querySelector("[value=part]") ? ["training", "validation"][kinds.part[i]] : "",
  ].filter(Boolean).join(", ");

  // show fills the panel about the chosen image.
  function show() {
    panel.querySelector(".map-none").hidden = true;
    const about = panel.querySelector(".map-about");
    about.hidden = false;
    const large = about.querySelector(".map-image");
    paint(large, chosen);
    const name = about.querySelector(".map-name");
    if (links && links[chosen]) {
      const link = document.createElement("a");
      link.href = links[chosen];
      link.textContent = data.names[chosen];
      name.replaceChildren(link);
    } else {
      name.textContent = data.names[chosen];
    }
    about.querySelector(".map-kind").textContent = kindOf(chosen);
    const list = about.querySelector(".map-near"), items = [];
    for (let r = 0; r < data.k; r++) {
      const j = near[chosen * data.k + r], button = document.createElement("button"), small = document.createElement("canvas"), item = document.createElement("li");
      small.width = small.height = data.thumb;
      button.type = "button";
      button.title = `${data.names[j]}, ${kindOf(j)}`;
      button.setAttribute("aria-label", `${button.title}, cosine ${(cosine[chosen * data.k + r] / 1e4).toFixed(2)}`);
      button.append(small, (cosine[chosen * data.k + r] / 1e4).toFixed(2));
      button.addEventListener("click", () => { choose(j, true); list.querySelector("button")?.focus(); });
      paint(small, j);
      item.append(button);
      items.push(item);
    }
    list.replaceChildren(...items);
  }

  // paint fills a canvas with the thumbnail of an image.
  function paint(on, i) {
    const small = on.getContext("2d");
    small.clearRect(0, 0, on.width, on.height);
    on.setAttribute("aria-label", data.names[i]);
    small.imageSmoothingEnabled = on.width > 2 * data.thumb;
    thumb(small, i, 0, 0, on.width);
  }

  // nearestTo is the shown image nearest to a place on the canvas, within some pixels.
  function nearestTo(px, py, within) {
    let best = -1, least = within * within;
    for (let i = 0; i < count; i++) {
      const d = (x(i) - px) ** 2 + (y(i) - py) ** 2;
      if (d < least && shown(i)) { least = d; best = i; }
    }
    return best;
  }

  // next is the nearest shown image in a direction from the chosen one.
  function next(dx, dy) {
    if (chosen < 0) return nearestTo(canvas.clientWidth / 2, canvas.clientHeight / 2, Infinity);
    let best = -1, least = Infinity;
    for (let i = 0; i < count; i++) {
      const along = (places[2 * i] - places[2 * chosen]) * dx + (places[2 * i + 1] - places[2 * chosen + 1]) * dy;
      const across = Math.abs((places[2 * i] - places[2 * chosen]) * dy) + Math.abs((places[2 * i + 1] - places[2 * chosen + 1]) * dx);
      if (along > 0 && across <= along && along + 2 * across < least && shown(i)) { least = along + 2 * across; best = i; }
    }
    return best;
  }

  function whole() {
    const w = canvas.clientWidth, h = canvas.clientHeight, room = Math.max(Math.min(w, h) - thumbSize, 50);
    scale = wholeScale = room / 65535;
    left = (w - room) / 2;
    top = (h - room) / 2;
    redraw();
  }

  function zoom(factor, px = canvas.clientWidth / 2, py = canvas.clientHeight / 2) {
    const least = Math.min(canvas.clientWidth, canvas.clientHeight) / 65535 / 4;
    const to = Math.min(Math.max(scale * factor, least), least * 2000);
    left = px - (px - left) * to / scale;
    top = py - (py - top) * to / scale;
    scale = to;
    redraw();
  }

  // Mouse and touch: one pointer moves or points, two zoom.
  const pointers = new Map();
  let moved = 0;
  const place = event => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  canvas.addEventListener("pointerdown", event => { canvas.setPointerCapture(event.pointerId); pointers.set(event.pointerId, place(event)); moved = 0; });
  canvas.addEventListener("pointermove", event => {
    const at = place(event), before = pointers.get(event.pointerId);
    if (!before) { choose(nearestTo(...at, 24), false); return; }
    moved += Math.abs(at[0] - before[0]) + Math.abs(at[1] - before[1]);
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const distance = p => Math.hypot(p[0] - other[0], p[1] - other[1]);
      zoom(distance(at) / Math.max(distance(before), 1), (at[0] + other[0]) / 2, (at[1] + other[1]) / 2);
    }
    const share = other ? 2 : 1;
    left += (at[0] - before[0]) / share;
    top += (at[1] - before[1]) / share;
    pointers.set(event.pointerId, at);
    redraw();
  });
  canvas.addEventListener("pointerup", event => { pointers.delete(event.pointerId); if (moved < 6) choose(nearestTo(...place(event), 32), false); });
  canvas.addEventListener("pointercancel", event => pointers.delete(event.pointerId));
  canvas.addEventListener("wheel", event => { event.preventDefault(); zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), ...place(event)); }, { passive: false });

  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", event => {
    const way = arrows[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (way && event.shiftKey) { left -= 60 * way[0]; top -= 60 * way[1]; redraw(); }
    else if (way) choose(next(...way), true);
    else if (event.key === "+" || event.key === "=") chosen >= 0 ? zoom(1.3, x(chosen), y(chosen)) : zoom(1.3);
    else if (event.key === "-") chosen >= 0 ? zoom(1 / 1.3, x(chosen), y(chosen)) : zoom(1 / 1.3);
    else if (event.key === "0") whole();
    else return;
    event.preventDefault();
  });

  // Controls and legend.
  function fillLegend() {
    const sizes = new Map();
    for (const value of kinds[colouring]) sizes.set(value, (sizes.get(value) ?? 0) + 1);
    legend.replaceChildren(...[...sizes.keys()].sort((a, b) => a - b).map(value => {
      const item = document.createElement("li"), button = document.createElement("button"), spot = document.createElement("i");
      spot.style.background = colour(value);
      button.type = "button";
      button.append(spot, `${valueName(value)} (${sizes.get(value)})`);
      button.setAttribute("aria-pressed", only === value);
      button.addEventListener("click", () => { only = only === value ? null : value; fillLegend(); redraw(); legend.querySelector("[aria-pressed=true]")?.focus(); });
      item.append(button);
      return item;
    }));
  }
  form.addEventListener("submit", event => event.preventDefault());
  form.layout.addEventListener("change", () => { places = layouts[form.layout.value]; whole(); });
  form.colour.addEventListener("change", () => { colouring = form.colour.value; only = null; fillLegend(); redraw(); });
  form.thumbs.addEventListener("change", redraw);
  form.find.addEventListener("input", () => {
    const text = form.find.value.toLowerCase();
    if (text) choose(data.names.findIndex(name => name.toLowerCase().includes(text)), true);
  });
  form.in.addEventListener("click", () => zoom(1.5));
  form.out.addEventListener("click", () => zoom(1 / 1.5));
  form.whole.addEventListener("click", whole);
  for (const button of document.querySelectorAll(".map-show")) {
    button.hidden = false;
    button.addEventListener("click", () => { choose(Number(button.dataset.image), true); canvas.scrollIntoView({ block: "center" }); canvas.focus({ preventScroll: true }); });
  }
  dark.addEventListener("change", () => { fillLegend(); redraw(); });
  new ResizeObserver(() => { whole(); }).observe(canvas);

  form.hidden = false;
  form.layout.value = "tsne";
  colouring = form.colour.value = form.colour.options[0].value;
  fillLegend();
  whole();
})();
