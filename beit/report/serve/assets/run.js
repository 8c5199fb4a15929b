// Follows a run by server-sent events: its state, and its curves. The server bounds the points of a curve, and sends all of them again when it
// thins them out, so this page does not grow either.
"use strict";

(() => {
  const live = document.getElementById("live"), figures = [...document.querySelectorAll("figure.chart")];
  const element = name => document.getElementById(name);
  let data = [], source = null, drawing = 0;
  for (const figure of figures) figure.hidden = true; // until there are values
  live.ariaBusy = "true"; // until they are drawn

  // draw shows the charts that have values. Several changes within a moment are drawn once.
  function draw() {
    if (drawing) return;
    drawing = setTimeout(() => {
      drawing = 0;
      figures.forEach((figure, i) => {
        if (!data[i]) return;
        figure.hidden = data[i].series.length === 0;
        charts.update(figure, data[i]);
        extremes(figure, data[i].series);
      });
      live.ariaBusy = "false";
      if (element("none")) element("none").hidden = data.some(chart => chart.series.length > 0);
    }, 300);
  }

  // extremes fills in the table below a chart.
  function extremes(figure, series) {
    const body = figure.querySelector("details tbody");
    const digits = v => v.toLocaleString("en-US", { maximumSignificantDigits: 5 });
    body.replaceChildren(...series.map(({ name, y }) => {
      const row = document.createElement("tr");
      const low = y.reduce((a, b) => Math.min(a, b)), high = y.reduce((a, b) => Math.max(a, b));
      for (const [i, text] of [name, y.length, digits(y[0]), digits(low), digits(high), digits(y.at(-1))].entries()) {
        const cell = row.insertCell();
        cell.textContent = text;
        if (i > 0) cell.className = "number";
      }
      return row;
    }));
  }

  function status(s) {
    const text = (name, value) => { if (element(name).textContent !== value) element(name).textContent = value; };
    text("state", s.state);
    element("state").className = `state ${s.state}`;
    text("figure", s.figure);
    text("problem", s.problem);
    element("problem").hidden = s.problem === "";
    if (s.total > 0) {
      element("bar").max = s.total;
      element("bar").value = s.step;
      text("far", `step ${s.step} of ${s.total}, epoch ${s.epoch} of ${s.epochs}${s.left && `, ${s.left} left`}`);
    }
  }

  function open() {
    source = new EventSource(live.dataset.events);
    source.addEventListener("open", () => { element("lost").hidden = true; });
    source.addEventListener("error", () => { element("lost").hidden = false; });
    source.addEventListener("status", event => status(JSON.parse(event.data)));
    source.addEventListener("charts", event => {
      data = JSON.parse(event.data);
      draw();
    });
    source.addEventListener("points", event => {
      for (const [chart, series, ...values] of JSON.parse(event.data)) {
        const to = data[chart].series[series];
        to.y.push(values.pop());
        values.forEach((x, axis) => to.x[axis].push(x));
      }
      draw();
    });
  }

  // A page that nobody sees takes no connection: browsers have few of them for one server.
  function follow() {
    if (document.hidden) {
      source?.close();
      source = null;
    } else if (!source || source.readyState === EventSource.CLOSED) {
      open();
    }
  }
  document.addEventListener("visibilitychange", follow);
  setInterval(follow, 5000); // a browser gives up after an answer that is no stream
  follow();
})();
