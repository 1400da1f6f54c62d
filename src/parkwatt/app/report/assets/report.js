"use strict";
(() => {
  const study = JSON.parse(document.getElementById("study").textContent);
  const element = (id) => document.getElementById(id);
  const config = { displayModeBar: false, responsive: false, doubleClick: false, showTips: false };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isNarrow = () => innerWidth <= 760;
  const byName = Object.fromEntries(study.strategies.map((strategy) => [strategy.name, strategy]));

  // ---- colours: "--car" and "--car/0.3" in a figure become the page's own ------------------------------------------
  function colour(name) {
    const [variable, opacity] = name.split("/");
    const hex = getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
    if (!opacity) return hex;
    const parts = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    return `rgba(${parts.join(",")},${opacity})`;
  }
  function painted(value) {
    if (typeof value === "string") return value.startsWith("--") ? colour(value) : value;
    if (Array.isArray(value)) return value.map(painted);
    if (ArrayBuffer.isView(value) || value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, painted(item)]));
  }
  function draw(id, data, layout) {
    const target = element(id);
    const base = {
      autosize: true,
      width: target.clientWidth,
      showlegend: false,
      dragmode: false,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: "Inter, Roboto, system-ui, sans-serif", size: 12, color: "--soft" },
      hoverlabel: { bgcolor: "--card", bordercolor: "--line", font: { color: "--ink", size: 13 } },
    };
    const full = { ...base, ...layout };
    for (const key of Object.keys(full)) {
      if (/^[xy]axis/.test(key)) full[key] = { gridcolor: "--line", linecolor: "--line", ...full[key] };
    }
    return Plotly.react(target, painted(data), painted(full), config);
  }

  // ---- series ------------------------------------------------------------------------------------------------------
  const unpack = ({ bdata }) => new Float32Array(Uint8Array.from(atob(bdata), (c) => c.charCodeAt(0)).buffer);
  const series = Object.fromEntries(Object.entries(study.series).map(([key, value]) => [key, unpack(value)]));
  const unpacked = {};
  function car(name) {
    unpacked[name] ??= Object.fromEntries(
      Object.entries(byName[name].series).map(([key, value]) => [key, unpack(value)]),
    );
    return unpacked[name];
  }
  const localMs = new Float64Array(study.count);
  study.offsets.forEach(([first, offset], at) => {
    const end = at + 1 < study.offsets.length ? study.offsets[at + 1][0] : study.count;
    for (let i = first; i < end; i++) localMs[i] = (study.start_s + i * study.step_s + offset) * 1000;
  });
  const DAY_MS = 864e5;
  const stepMs = study.step_s * 1000;
  const perDay = Math.max(1, Math.round(DAY_MS / stepMs));

  /* The points of steps [from, to): every step up to 16 days, the mean of an hour up to 120 days, of a day beyond. Bins follow
     the local clock, so the hour that a clock change repeats is one bin. */
  function points(name, from, to) {
    const days = (to - from) / perDay;
    const binMs = Math.max(days <= 16 ? stepMs : days <= 120 ? 36e5 : DAY_MS, stepMs);
    const { power, energy } = car(name);
    const keys = ["sell", "buy", "solar", "charge", "discharge", "to_house", "load", "away", "energy"];
    const out = Object.fromEntries(keys.map((key) => [key, []]));
    const x = [];
    let sums = null;
    let counts = null;
    let bin = null;
    let steps = 0;
    const flush = () => {
      if (!sums || (x.length && steps * stepMs < binMs / 2)) return; // the rest of a day says nothing about a day
      x.push(bin * binMs);
      keys.forEach((key, k) => out[key].push(counts[k] ? sums[k] / counts[k] : null));
    };
    for (let i = from; i < to; i++) {
      const own = Math.floor(localMs[i] / binMs);
      if (own !== bin) {
        flush();
        bin = own;
        sums = new Float64Array(keys.length);
        counts = new Int32Array(keys.length);
        steps = 0;
      }
      const discharge = Math.max(-power[i], 0);
      const needed = Math.max(series.load[i] - series.solar[i], 0);
      const values = [
        series.sell[i], series.buy[i], series.solar[i], Math.max(power[i], 0), -discharge,
        -Math.min(discharge, needed), series.load[i], (1 - series.connected[i]) * study.energy_kwh_max, energy[i],
      ];
      steps++;
      for (let k = 0; k < values.length; k++) {
        if (!Number.isNaN(values[k])) { sums[k] += values[k]; counts[k]++; }
      }
    }
    flush();
    if (x.length) { // the last step is drawn to its end
      x.push(x[x.length - 1] + binMs);
      keys.forEach((key) => out[key].push(out[key][out[key].length - 1]));
    }
    out.floor = x.map(() => study.energy_kwh_min);
    return { x, out };
  }

  // ---- what is shown -----------------------------------------------------------------------------------------------
  let shown = study.shown;
  const week = Math.min(7 * perDay, study.count);
  let from = firstMonday();
  let length = week;

  function firstMonday() { // of the middle of the span, where neither end is special
    const middle = Math.floor(Math.max(study.count - week, 0) / 2);
    for (let i = middle; i < Math.min(middle + 8 * perDay, study.count - week); i++) {
      const time = new Date(localMs[i]);
      if (time.getUTCDay() === 1 && time.getUTCHours() === 0 && time.getUTCMinutes() === 0) return i;
    }
    return middle;
  }
  const day = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", weekday: "short", day: "numeric", month: "short", year: "numeric" });

  function drawSteps() {
    if (!shown) return;
    const to = Math.min(from + length, study.count);
    const { x, out } = points(shown, from, to);
    const data = study.panels.data.map(({ key, label, ...trace }) => ({ ...trace, x, y: out[key] }));
    const layout = structuredClone(study.panels.layout);
    layout.xaxis = { ...layout.xaxis, type: "date", range: [x[0], x[x.length - 1]], hoverformat: length > 120 * perDay ? "%a %-d %b %Y" : "%a %-d %b %Y, %H:%M", nticks: isNarrow() ? 5 : 9, tickformatstops: [
      { dtickrange: [null, DAY_MS - 1], value: "%H:%M\n%a %-d %b" },
      { dtickrange: [DAY_MS, 7 * DAY_MS], value: "%a %-d %b" },
      { dtickrange: [7 * DAY_MS, "M1"], value: "%-d %b" },
      { dtickrange: ["M1", null], value: "%b %Y" },
    ] };
    for (const axis of ["yaxis", "yaxis2", "yaxis3"]) layout[axis].fixedrange = true;
    layout.dragmode = isNarrow() ? false : "zoom";
    if (isNarrow()) layout.height = 560;
    draw("steps", data, layout);
    const first = day.format(localMs[from]);
    const last = day.format(localMs[to - 1]);
    element("steps-range").textContent = first === last ? first : `${first} to ${last}`;
    const slider = element("span-start");
    slider.max = Math.max(study.count - length, 0);
    slider.step = Math.min(perDay, Math.max(length, 1));
    slider.value = from;
    slider.setAttribute("aria-valuetext", first);
    slider.disabled = length >= study.count;
    pressed(element("span-chips"), String(length));
  }
  function show(start, count) {
    length = Math.min(Math.max(Math.round(count), 2), study.count);
    from = Math.min(Math.max(Math.round(start), 0), study.count - length);
    drawSteps();
  }
  function drawWeek() {
    if (!shown) return;
    const values = byName[shown].week;
    const monday = Date.UTC(2001, 0, 1);
    const x = Array.from({ length: 169 }, (_, hour) => monday + hour * 36e5);
    const data = study.panels.data.map(({ key, label, ...trace }) => ({
      ...trace, x, y: [...unpack(values[key]), unpack(values[key])[167]],
    }));
    const layout = structuredClone(study.panels.layout);
    layout.xaxis = { ...study.week_axis };
    for (const axis of ["yaxis", "yaxis2", "yaxis3"]) layout[axis].fixedrange = true;
    layout.shapes = [1, 2, 3, 4, 5, 6].map((n) => ({
      type: "line", xref: "x", yref: "paper", x0: monday + n * DAY_MS, x1: monday + n * DAY_MS, y0: 0, y1: 1, layer: "below", line: { color: "--line", width: 1 },
    }));
    layout.height = isNarrow() ? 520 : 560;
    draw("week", data, layout);
  }
  function drawLoss() {
    if (!shown) return;
    const { loss, loss_words: text } = byName[shown];
    element("loss-words").textContent = text;
    draw("loss", loss.data, loss.layout);
  }
  function drawMoney() {
    const { data, layout } = structuredClone(study.worth);
    if (isNarrow()) { // labels need the same room on a narrower scale
      const [low, high] = layout.xaxis.range;
      layout.margin.l = 112;
      layout.xaxis.range = [low < 0 ? low - 0.16 * (high - low) : low, high + 0.1 * (high - low)];
      layout.xaxis.nticks = 4;
    }
    draw("worth", data, layout);
    draw("months", study.months.data, isNarrow() ? study.months.layout_narrow : study.months.layout);
  }
  function drawStrategy() {
    drawSteps();
    drawWeek();
    drawLoss();
    document.querySelectorAll("[data-chips]").forEach((group) => pressed(group, shown));
  }
  function drawAll() {
    drawStrategy();
    drawMoney();
  }

  // ---- controls and legends ----------------------------------------------------------------------------------------
  function chip(parent, value, text, act) {
    const button = document.createElement("button");
    button.className = "chip";
    button.dataset.value = value;
    button.textContent = text;
    button.addEventListener("click", act);
    parent.append(button);
  }
  function pressed(group, value) {
    group.querySelectorAll(".chip").forEach((one) => {
      const isOn = one.dataset.value === value;
      one.setAttribute("aria-pressed", String(isOn));
      if (isOn) group.scrollLeft = one.offsetLeft - group.offsetLeft - 16;
    });
  }
  document.querySelectorAll("[data-chips]").forEach((group) => {
    for (const { name, title } of study.strategies) {
      chip(group, name, title, () => { shown = name; drawStrategy(); });
    }
  });
  for (const [text, days] of [["Day", 1], ["Week", 7], ["Month", 30], ["All", Infinity]]) {
    const count = Math.min(days * perDay, study.count);
    if (days !== Infinity && count === study.count) continue;
    chip(element("span-chips"), String(count), text, () => show(from + (length - count) / 2, count));
  }
  element("span-start").addEventListener("input", (event) => show(Number(event.target.value), length));
  element("span-back").addEventListener("click", () => show(from - length, length));
  element("span-on").addEventListener("click", () => show(from + length, length));

  function legend(name, traces) {
    document.querySelectorAll(`[data-legend="${name}"]`).forEach((place) => {
      const seen = new Set();
      for (const trace of traces) {
        if (seen.has(trace.name) || trace.mode === "text") continue;
        seen.add(trace.name);
        const item = document.createElement("span");
        const swatch = (trace.fillcolor || trace.marker?.color || trace.line.color).split("/")[0];
        item.style.setProperty("--swatch", `var(${swatch})`);
        if (!trace.fillcolor && trace.line) item.className = { dash: "line dashed", dot: "line dotted" }[trace.line.dash] || "line";
        item.textContent = trace.label || trace.name;
        place.append(item);
      }
    });
  }
  legend("panels", study.panels.data);
  legend("worth", study.worth.data);
  legend("months", study.months.data);
  if (shown) legend("loss", byName[shown].loss.data);

  drawAll();
  // A stretch drawn with the mouse becomes the span shown; a double click shows all.
  element("steps").on?.("plotly_relayout", (change) => {
    if (change["xaxis.range[0]"] === undefined) return;
    const edge = (key) => (new Date(`${String(change[key]).replace(" ", "T")}Z`).getTime() - localMs[0]) / stepMs;
    const [start, end] = [edge("xaxis.range[0]"), edge("xaxis.range[1]")];
    if (Number.isFinite(start + end)) show(start, end - start);
  });
  element("steps").on?.("plotly_doubleclick", () => show(0, study.count));
  dark.addEventListener("change", drawAll);
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width) { width = innerWidth; drawAll(); }
  });
  for (const [event, isPrinting] of [["beforeprint", true], ["afterprint", false]]) {
    addEventListener(event, () => {
      document.documentElement.classList.toggle("printing", isPrinting);
      drawAll();
    });
  }
})();
