// Charts by uPlot. Every figure.chart has its data as JSON in a script element; .chart-controls above a group choose the axis, the scale and the
// smoothing of the group's charts. A live page calls charts.update(figure, data) with a chart in the same form.
"use strict";

const charts = (() => {
  // What tells series apart without colour.
  const dashes = [[], [9, 4], [2, 3], [12, 3, 2, 3], [5, 5], [16, 5], [1, 6], [12, 3, 2, 3, 2, 3], [4, 9]];
  const colour = i => getComputedStyle(document.documentElement).getPropertyValue(`--s${i % 6 + 1}`).trim();
  const ink = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const short = v => {
    if (v == null) return "–";
    const size = Math.abs(v);
    if (size !== 0 && (size < 1e-3 || size >= 1e7)) return v.toExponential(2).replace(/\.?0+e/, "e");
    return v.toLocaleString("en-US", { maximumSignificantDigits: 5 });
  };

  // smooth is the exponential moving average without the bias of its beginning. Gaps stay gaps.
  function smooth(values, weight) {
    if (weight === 0) return values;
    let mean = 0, sum = 0;
    return values.map(v => {
      if (v == null) return v;
      mean = weight * mean + (1 - weight) * v;
      sum = weight * sum + (1 - weight);
      return mean / sum;
    });
  }

  // columns returns what uPlot draws: the joined x, each series, and where that is smoothed, after all of them each as recorded.
  function columns(data, choice) {
    if (data.series.length === 0) return [[]];
    const tables = data.series.map(s => [s.x[choice.axis], s.dots ? s.y : smooth(s.y, choice.weight)]);
    if (choice.weight > 0) for (const s of data.series) tables.push([s.x[choice.axis], s.y]);
    if (choice.log) for (const t of tables) t[1] = t[1].map(v => v > 0 ? v : null);
    return uPlot.join(tables, tables.map(() => [2])); // 2: a null stays a gap
  }

  // lines says how each column is drawn. Series as recorded are faint beside the smoothed ones.
  function lines(data, choice, hidden) {
    const list = [{}];
    for (const faint of choice.weight > 0 ? [false, true] : [false]) {
      data.series.forEach((s, i) => list.push({
        label: s.name, stroke: colour(i), width: faint ? 1 : 2, dash: dashes[i % dashes.length], alpha: faint ? 0.3 : 1,
        show: !hidden.has(i) && !(faint && s.dots), points: { show: s.dots || s.y.length === 1, size: 6, fill: colour(i) },
      }));
    }
    return list;
  }

  // options are uPlot's. moved is called with each place of the cursor.
  function options(data, choice, hidden, box, moved) {
    const axis = { stroke: ink("--quiet"), grid: { stroke: ink("--line"), width: 1 }, ticks: { stroke: ink("--line"), width: 1 } };
    return {
      width: box.clientWidth, height: box.clientHeight, legend: { show: false }, padding: [10, 12, 0, 0],
      scales: {
        x: { time: false },
        y: { distr: choice.log ? 3 : 1, ...(data.fromZero && !choice.log ? { range: (u, low, high) => uPlot.rangeNum(Math.min(low, 0), high, { min: { pad: 0, soft: 0, mode: 1 }, max: { pad: 0.1, mode: 0 } }) } : {}) },
      },
      axes: [
        { ...axis, label: data.axes[choice.axis], labelSize: 20, labelGap: 0, size: 34 },
        { ...axis, size: 64, values: (u, ticks) => ticks.map(v => v == null ? "" : short(v)) },
      ],
      series: lines(data, choice, hidden),
      cursor: { drag: { x: true, y: false }, points: { size: 8 } },
      hooks: { setCursor: [moved] },
    };
  }

  // nearest is the index of the value beside index that is there, or -1: series have their values at different x.
  function nearest(values, index) {
    for (let d = 0; d < values.length; d++) {
      for (const i of [index - d, index + d]) if (values[i] != null) return i;
    }
    return -1;
  }

  // legend makes a button for each series, which hides it, with a sample of its line and the value at the cursor.
  function legend(list, data, toggled) {
    list.replaceChildren(...data.series.map((s, i) => {
      const item = document.createElement("li"), button = document.createElement("button"), value = document.createElement("output");
      button.type = "button";
      button.ariaPressed = "true";
      const space = "http://www.w3.org/2000/svg", sample = document.createElementNS(space, "svg");
      sample.setAttribute("width", 32); sample.setAttribute("height", 10); sample.setAttribute("aria-hidden", "true");
      const line = document.createElementNS(space, "path");
      line.setAttribute("d", "M0 5H32"); line.setAttribute("stroke", `var(--s${i % 6 + 1})`); line.setAttribute("stroke-width", 2);
      line.setAttribute("stroke-dasharray", dashes[i % dashes.length].join(" "));
      sample.append(line);
      if (s.dots) {
        const dot = document.createElementNS(space, "circle");
        dot.setAttribute("cx", 16); dot.setAttribute("cy", 5); dot.setAttribute("r", 3.5); dot.setAttribute("fill", `var(--s${i % 6 + 1})`);
        sample.append(dot);
      }
      value.ariaLive = "off";
      button.append(sample, s.name, value);
      button.addEventListener("click", () => {
        button.ariaPressed = String(button.ariaPressed !== "true");
        toggled(i, button.ariaPressed === "true");
      });
      item.append(button);
      return item;
    }));
  }

  // Chart is what a figure shows.
  class Chart {
    constructor(figure) {
      this.figure = figure;
      this.box = figure.querySelector(".plot");
      this.said = figure.querySelector(".said");
      this.hidden = new Set();
      this.choice = { axis: 0, log: false, weight: 0 };
      this.box.addEventListener("keydown", event => this.key(event));
      new ResizeObserver(() => this.fit()).observe(this.box);
      this.set(JSON.parse(figure.querySelector("script[type='application/json']").textContent));
    }

    // set shows other data. Series of other names make a new legend; else a part of the chart that was chosen stays.
    set(data) {
      const names = data.series.map(s => s.name + s.dots).join("\n"), renew = this.names !== names;
      this.data = data;
      this.names = names;
      this.choice.axis = Math.min(this.choice.axis, data.axes.length - 1);
      if (renew) {
        this.hidden.clear();
        legend(this.figure.querySelector(".legend"), data, (i, shown) => this.toggle(i, shown));
      }
      if (renew || !this.plot || data.series.some(s => s.y.length < 3)) { // of one value a dot is drawn
        this.draw();
        return;
      }
      const { min, max } = this.plot.scales.x, [old] = this.columns, part = min > old[0] || max < old.at(-1);
      this.columns = columns(data, this.choice);
      this.plot.setData(this.columns, !part);
      if (part) this.plot.redraw();
      this.moved(this.plot);
    }

    draw() {
      this.plot?.destroy();
      this.plot = null;
      this.columns = columns(this.data, this.choice);
      if (this.data.series.length === 0) return;
      this.plot = new uPlot(options(this.data, this.choice, this.hidden, this.box, u => this.moved(u)), this.columns, this.box);
      this.moved(this.plot);
    }

    // fit follows the size of the box.
    fit() {
      if (!this.plot) return;
      const size = { width: this.box.clientWidth, height: this.box.clientHeight };
      if (size.width !== this.plot.width || size.height !== this.plot.height) this.plot.setSize(size);
    }

    toggle(i, shown) {
      shown ? this.hidden.delete(i) : this.hidden.add(i);
      this.draw();
    }

    // moved writes the values at the cursor, or the last ones, into the legend.
    moved(u) {
      if (!u.data) return;
      const index = u.cursor.idx ?? this.columns[0].length - 1;
      this.figure.querySelectorAll(".legend output").forEach((output, i) => {
        const values = this.columns[1 + i];
        output.value = short(values[nearest(values, index)]);
      });
      const at = this.figure.querySelector(".at");
      at.value = this.columns[0].length === 0 ? "" : `${this.data.axes[this.choice.axis]} ${short(this.columns[0][index])}`;
    }

    // key moves the cursor, and says the values there.
    key(event) {
      if (!this.plot) return;
      const last = this.columns[0].length - 1, from = this.plot.cursor.idx ?? last;
      const step = event.shiftKey ? Math.max(Math.round(last / 20), 1) : 1;
      const to = { ArrowLeft: from - step, ArrowRight: from + step, Home: 0, End: last }[event.key];
      if (event.key === "Escape") this.plot.setCursor({ left: -10, top: -10 });
      if (to === undefined) return;
      event.preventDefault();
      const index = Math.min(Math.max(to, 0), last);
      this.plot.setCursor({ left: this.plot.valToPos(this.columns[0][index], "x"), top: this.box.clientHeight / 3 });
      const values = [...this.figure.querySelectorAll(".legend li")].filter((_, i) => !this.hidden.has(i)).map(item => item.textContent);
      this.said.textContent = `${this.figure.querySelector(".at").value}: ${values.join(", ")}`;
    }
  }

  const all = new Map(); // by figure

  // start draws the charts of a part of the page, and lets the controls of each group rule the group's charts.
  function start(root) {
    for (const figure of root.querySelectorAll("figure.chart")) if (!all.has(figure)) all.set(figure, new Chart(figure));
    for (const group of root.querySelectorAll(".chart-group")) {
      const controls = group.querySelector(".chart-controls");
      if (!controls || controls.dataset.started) continue;
      controls.dataset.started = "yes";
      controls.hidden = false;
      controls.addEventListener("input", () => {
        const choice = {
          axis: controls.elements.axis?.selectedIndex ?? 0, log: controls.elements.log.checked, weight: Number(controls.elements.smoothing.value),
        };
        controls.elements.weight.value = choice.weight;
        for (const figure of group.querySelectorAll("figure.chart")) {
          const chart = all.get(figure);
          chart.choice = { ...choice, axis: Math.min(choice.axis, chart.data.axes.length - 1) };
          chart.draw();
        }
      });
      controls.addEventListener("submit", event => event.preventDefault());
    }
  }

  const again = () => all.forEach(chart => chart.draw());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  matchMedia("print").addEventListener("change", again);
  start(document);
  return { start, update: (figure, data) => all.get(figure).set(data), of: figure => all.get(figure) };
})();
