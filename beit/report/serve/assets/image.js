// Sends an image to the server, and shows what the model makes of it: a grid of patches over the image. Patches are chosen by mouse or arrow keys.
"use strict";

(() => {
  const element = id => document.getElementById(id);
  if (!element("look")) return; // no run has a model

  // make returns an element with properties and children.
  function make(tag, properties = {}, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  let file = null, answer = null, view = "", chosen = 0, request = null;
  let ask = { block: 0, head: 0, seed: 0 };
  let rows = []; // of the attention: weights of 0 to 1 for each query

  // Sending

  async function look() {
    if (!file) return;
    request?.abort();
    request = new AbortController();
    const { signal } = request;
    element("problem").hidden = true;
    element("doing").textContent = "Computing …";
    try {
      const reply = await fetch(`${element("model").value}?${new URLSearchParams(ask)}`, { method: "POST", body: file, signal });
      if (!reply.ok) throw new Error((await reply.text()).trim());
      show(await reply.json());
      element("doing").textContent = file.name ?? "";
    } catch (error) {
      if (signal.aborted) return;
      element("doing").textContent = "";
      element("problem").textContent = error instanceof TypeError ? "The server does not answer." : error.message;
      element("problem").hidden = false;
    }
  }

  function take(other) {
    if (!other) return;
    file = other;
    chosen = 0;
    look();
  }

  element("file").addEventListener("change", event => take(event.target.files[0]));
  element("model").addEventListener("change", event => {
    history.replaceState(null, "", event.target.value);
    ask = { ...ask, block: 0, head: 0 };
    look();
  });
  element("look").addEventListener("submit", event => event.preventDefault());
  document.addEventListener("paste", event => take([...event.clipboardData.files][0]));
  const drop = element("drop");
  document.addEventListener("dragover", event => {
    event.preventDefault();
    drop.classList.add("over");
  });
  document.addEventListener("dragleave", event => event.relatedTarget ?? drop.classList.remove("over"));
  document.addEventListener("drop", event => {
    event.preventDefault();
    drop.classList.remove("over");
    take(event.dataTransfer.files[0]);
  });

  // Showing

  // Views in their order: a name, and the part of the answer that they need.
  const views = { tokens: "Codes", mask: "Masked patches", attention: "Attention", image: "Image" };

  function show(other) {
    answer = other;
    rows = (answer.attention?.rows ?? []).map(text => Array.from(atob(text), c => c.charCodeAt(0) / 255));
    chosen = Math.min(chosen, answer.grid ** 2);
    const there = Object.keys(views).filter(name => name === "image" || answer[name]);
    if (!there.includes(view)) view = there[0];
    element("views").replaceChildren(...there.map(name => {
      const input = make("input", { type: "radio", name: "view", value: name, checked: name === view });
      input.addEventListener("change", () => {
        view = name;
        draw();
      });
      return make("label", {}, input, ` ${views[name]}`);
    }));
    element("notes").replaceChildren(...(answer.notes ?? []).map(text => make("p", { className: "note" }, text)));
    element("nearest").hidden = !answer.nearest;
    element("found").replaceChildren(...(answer.nearest ?? []).map(near => make("figure", { className: "card" },
      ...(near.image ? [make("img", { src: near.image, alt: near.name })] : []),
      make("figcaption", {}, `${near.name}, cosine ${near.cosine.toFixed(3)}`))));
    element("result").hidden = false;
    draw();
  }

  // draw shows the image, its patches, and what belongs to the view.
  function draw() {
    const part = answer[view], n = answer.grid;
    const image = make("img", { src: answer.images[part?.image ?? 0], alt: "The image as the model sees it" });
    image.addEventListener("load", () => image.classList.toggle("pixels", image.naturalWidth < 128));
    const over = make("div", { className: "patches" });
    over.style.gridTemplateColumns = over.style.gridTemplateRows = `repeat(${n}, 1fr)`;
    over.setAttribute("role", "group");
    over.setAttribute("aria-label", "Patches. Arrow keys move from one to the next.");
    if (view !== "image") {
      for (let i = 0; i < n * n; i++) over.append(make("button", { type: "button", tabIndex: -1, ariaLabel: label(i) }));
      over.addEventListener("click", event => event.target !== over && choose([...over.children].indexOf(event.target) + 1));
      over.addEventListener("keydown", key);
    }
    element("grid").replaceChildren(image, over);
    options();
    paint();
  }

  const nameOf = i => `Row ${Math.floor(i / answer.grid) + 1}, column ${i % answer.grid + 1}`;
  const label = i => view === "tokens" ? `${nameOf(i)}: code ${answer.tokens.codes[i]}` : nameOf(i);

  // choose chooses a patch, counted from 1, or the class token, 0.
  function choose(query, focus) {
    chosen = query;
    paint();
    if (focus) element("grid").querySelectorAll("button")[query - 1]?.focus();
  }

  function key(event) {
    const n = answer.grid, at = Math.max(chosen - 1, 0), row = Math.floor(at / n), column = at % n;
    const to = {
      ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
      Home: [row, 0], End: [row, n - 1],
    }[event.key];
    if (!to) return;
    event.preventDefault();
    const within = v => Math.min(Math.max(v, 0), n - 1);
    choose(within(to[0]) * n + within(to[1]) + 1, true);
  }

  // paint colours the patches, and says what the chosen one is.
  function paint() {
    const patches = [...element("grid").querySelectorAll("button")];
    const colour = painters[view]?.();
    patches.forEach((patch, i) => {
      patch.style.background = colour(i);
      patch.tabIndex = i === Math.max(chosen - 1, 0) ? 0 : -1;
      patch.ariaPressed = String(i === chosen - 1);
    });
    element("said").replaceChildren(...(tellers[view]?.() ?? []), ...classes());
  }

  const painters = {
    // A code has the same colour in all images; the patches with the code of the chosen one stay clear of it.
    tokens() {
      const { codes, colours } = answer.tokens;
      return i => chosen > 0 && codes[i] === codes[chosen - 1] ? "transparent" : `${colours[i]}99`; // 60 % opaque
    },
    mask() {
      const right = new Set(answer.mask.patches.filter(p => p.likeliest[0].code === p.true.code).map(p => p.at));
      return i => !answer.mask.mask[i] ? "transparent" : right.has(i) ? "rgb(0 90 60 / 88%)" : "rgb(70 70 78 / 92%)";
    },
    attention: () => i => `rgb(0 0 0 / ${85 * (1 - rows[chosen][i])}%)`,
  };

  const tellers = {
    tokens() {
      const { codes, cosine } = answer.tokens;
      if (chosen === 0) return [make("p", {}, `${new Set(codes).size} codes in ${codes.length} patches. Choose a patch.`)];
      const code = codes[chosen - 1], same = codes.filter(c => c === code).length;
      const near = cosine ? `, cosine to its vector ${cosine[chosen - 1].toFixed(2)}` : "";
      return [make("p", {}, `${nameOf(chosen - 1)}: code ${code}${near}. ${same} of ${codes.length} patches have it.`)];
    },
    mask() {
      const { patches, right } = answer.mask;
      const all = make("p", {}, `The backbone did not see ${patches.length} patches. It predicts the right code of ${right} of them (dark green).`);
      const patch = patches.find(p => p.at === chosen - 1);
      if (!patch) return [all, make("p", {}, "Choose a masked patch.")];
      const list = make("ol", {}, ...patch.likeliest.map(g =>
        make("li", {}, `code ${g.code}, `, `${percent(g.probability)}`, g.code === patch.true.code ? make("strong", {}, " – the right one") : "")));
      return [all, make("p", {}, `${nameOf(chosen - 1)}: code ${patch.true.code}, predicted with ${percent(patch.true.probability)}. The likeliest codes:`), list];
    },
    attention() {
      const { max } = answer.attention, from = chosen === 0 ? "the class token" : nameOf(chosen - 1).toLowerCase();
      return [make("p", {}, `From ${from}. The brightest patch has the weight ${max[chosen].toPrecision(2)}. Choose another patch to look from there.`)];
    },
  };

  const percent = p => `${(100 * p).toFixed(1)} %`;

  // classes are the likeliest classes, of a classifier.
  function classes() {
    if (!answer.classes) return [];
    return [make("h2", {}, "Prediction"), make("ol", { className: "classes" }, ...answer.classes.map(c =>
      make("li", {}, make("span", { className: "share" }, percent(c.probability)), make("meter", { max: 1, value: c.probability, ariaLabel: c.name }), ` ${c.name}`)))];
  }

  // options are the controls of a view.
  function options() {
    const list = [], button = (text, action) => {
      const made = make("button", { type: "button" }, text);
      made.addEventListener("click", action);
      list.push(made);
    };
    const select = (name, text, count, value, first) => {
      const made = make("select", { id: name }, ...first, ...Array.from({ length: count }, (_, i) => make("option", { value: i + 1 }, String(i + 1))));
      made.value = value;
      made.addEventListener("change", () => {
        ask[name] = Number(made.value);
        look();
      });
      list.push(make("label", {}, `${text} `, made));
    };
    if (view === "attention") {
      const { block, blocks, head, heads } = answer.attention;
      select("block", "Block", blocks, block, []);
      select("head", "Head", heads, head, [make("option", { value: 0 }, "mean of all")]);
      button("From the class token", () => choose(0));
    }
    if (view === "mask") {
      button("Another mask", () => {
        ask.seed++;
        look();
      });
    }
    element("options").replaceChildren(...list);
  }
})();
