// A figure over time with where it warns and where it is critical behind it, and episodes as bars below.
function drawBand(band) {
  if (band.empty) return h("section", { class: "line band", key: "band" }, h("h3", {}, band.title), emptyNote(band.empty));
  const known = [...band.values, ...band.warning, ...band.critical].filter((value) => value !== null && value !== undefined);
  const most = Math.max(...known);
  const least = Math.min(...known);
  const pad = (most - least || Math.abs(most) || 1) * 0.08;
  const low = least >= 0 && least < most * 0.6 ? 0 : least - pad;
  const high = most + pad;
  const y = (value) => 4 + 76 - (76 * (value - low)) / (high - low || 1);
  const x = (index, length) => (100 * index) / Math.max(1, length - 1);
  return h(
    "section",
    { class: "line band", key: "band" },
    h("h3", {}, band.title, h("span", { class: "scope" }, band.legend)),
    h(
      "div",
      { class: "plot" },
      h(
        "svg",
        { viewBox: "0 0 100 84", preserveAspectRatio: "none", role: "img", "aria-label": band.spoken },
        drawZone(band.warning, band.down, "warning", x, y),
        drawZone(band.critical, band.down, "critical", x, y),
        h("path", { class: "limit warning", d: bandCurve(band.warning, x, y), "vector-effect": "non-scaling-stroke" }),
        h("path", { class: "limit critical", d: bandCurve(band.critical, x, y), "vector-effect": "non-scaling-stroke" }),
        h("path", { class: "now", d: bandCurve(band.values, x, y), "vector-effect": "non-scaling-stroke" }),
      ),
      h("div", { class: "hits", "aria-hidden": "true" }, band.tips.map((tip) => h("i", { "data-tip": tip }))),
      h("span", { class: "top" }, band.top),
      h("span", { class: "top low" }, band.bottom),
    ),
    band.stretches.length ? drawStretches(band.stretches) : null,
    h("p", { class: "ends" }, h("span", {}, band.first), h("span", {}, band.last)),
  );
}

function bandCurve(values, x, y) {
  let pen = "M";
  return values
    .map((value, index) => {
      if (value === null || value === undefined) return (pen = "M"), "";
      const point = `${pen}${x(index, values.length).toFixed(2)} ${y(value).toFixed(2)}`;
      const isAlone = pen === "M" && (values[index + 1] ?? null) === null;
      pen = "L";
      return isAlone ? `${point}l0.4 0` : point;
    })
    .join("");
}

function drawZone(limits, down, kind, x, y) {
  const known = limits.map((value, index) => [index, value]).filter(([, value]) => value !== null && value !== undefined);
  if (!known.length) return null;
  const edge = down ? 84 : 0;
  const points = known.map(([index, value]) => `${x(index, limits.length).toFixed(2)} ${Math.min(84, Math.max(0, y(value))).toFixed(2)}`);
  const first = x(known[0][0], limits.length).toFixed(2);
  const last = x(known[known.length - 1][0], limits.length).toFixed(2);
  return h("path", { class: `zone ${kind}`, d: `M${first} ${edge}L${points.join("L")}L${last} ${edge}z` });
}
