"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("fleet").textContent);
  const config = { displayModeBar: false, responsive: false, doubleClick: false, showTips: false };
  const style = () => getComputedStyle(document.documentElement);
  const painted = (value) => {
    if (typeof value === "string") return value.startsWith("--") ? style().getPropertyValue(value).trim() : value;
    if (Array.isArray(value)) return value.map(painted);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, painted(item)]));
  };
  function draw() {
    for (const [id, figure] of Object.entries(figures)) {
      const target = document.getElementById(id);
      if (!figure) { target?.remove(); continue; }
      const axis = { gridcolor: "--line", linecolor: "--line", zerolinecolor: "--line" };
      const layout = {
        width: target.clientWidth, height: 300, dragmode: false, margin: { l: 64, r: 12, t: 8, b: 44 },
        paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", bargap: 0.06,
        font: { family: "Inter, Roboto, system-ui, sans-serif", size: 12, color: "--soft" },
        hoverlabel: { bgcolor: "--card", bordercolor: "--line", font: { color: "--ink", size: 13 } },
        legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, showlegend: figure.data.length > 1,
        xaxis: { ...axis, ...figure.xaxis }, yaxis: { ...axis, ...figure.yaxis },
      };
      Plotly.react(target, painted(figure.data), painted(layout), config);
    }
  }
  draw();
  addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
