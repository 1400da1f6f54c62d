"use strict";
(() => {
  const report = JSON.parse(document.getElementById("report").textContent);
  const config = { displayModeBar: false, responsive: false, doubleClick: false, showTips: false };
  const isNarrow = () => innerWidth <= 760;

  // "--car" and "--car/0.3" in a figure become the page's own colours
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
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, painted(item)]));
  }
  function draw(id) {
    const target = document.getElementById(id);
    const { data, layout } = structuredClone(report[id]);
    const full = {
      width: target.clientWidth,
      showlegend: false,
      dragmode: false,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: "Inter, Roboto, system-ui, sans-serif", size: 12, color: "--soft" },
      hoverlabel: { bgcolor: "--card", bordercolor: "--line", font: { color: "--ink", size: 13 } },
      ...layout,
    };
    for (const key of Object.keys(full)) {
      if (/^[xy]axis/.test(key)) full[key] = { gridcolor: "--line", linecolor: "--line", ...full[key] };
    }
    if (isNarrow()) full.xaxis.nticks = Math.min(full.xaxis.nticks, 6);
    Plotly.react(target, painted(data), painted(full), config);
  }
  function drawAll() {
    for (const id of ["money", "energy", "day"]) draw(id);
  }

  for (const place of document.querySelectorAll("[data-legend]")) {
    for (const trace of report[place.dataset.legend].data) {
      const item = document.createElement("span");
      item.style.setProperty("--swatch", `var(${(trace.type === "bar" ? trace.marker : trace.line).color})`);
      if (trace.type !== "bar") item.className = trace.line.dash ? "line dashed" : "line";
      item.textContent = trace.name;
      place.append(item);
    }
  }

  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
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
