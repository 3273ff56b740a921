// Drawings of a flow; every one says in text what it shows in shapes.
function drawChart(chart, send) {
  const drawing = { strip: drawStages, forest: drawForest, waterfall: drawWaterfall, bands: drawBands, sankey: drawSankey, spreads: drawSpreads }[chart.kind];
  return drawing ? drawing(chart, send) : null;
}

function drawStages(strip, send) {
  const grey = strip.stations.filter((station) => station.is_grey_zone).length;
  return h(
    "div",
    { class: "stations", style: { "--stations": strip.stations.length } },
    grey ? h("p", { class: "zone", style: { "grid-column": `1 / span ${grey}` } }, strip.zone) : null,
    h(
      "ol",
      {},
      strip.stations.map((station) =>
        h(
          "li",
          { class: `station ${station.tone} ${station.mark ? "narrowest" : ""}`, "data-tip": station.tip || null },
          h("p", { class: "name" }, stateMark(station.tone, station.state_word), drawLink(station.href, send, {}, station.name), station.mark ? h("span", { class: "badge" }, station.mark) : null),
          h("p", { class: "count" }, station.value),
          h("span", { class: "track", "aria-hidden": "true" }, h("span", { class: `fill ${station.tone}`, style: { width: `${(100 * station.share).toFixed(1)}%` } })),
          h("p", { class: "through" }, station.flow),
          h("dl", {}, station.measures.map((one) => [h("dt", {}, one.name), h("dd", { class: one.tone }, one.value, one.note ? h("small", {}, one.note) : null)])),
          h("p", { class: "foot" }, station.foot),
        ),
      ),
    ),
    strip.note ? h("p", { class: "stations-note" }, strip.note) : null,
  );
}

function drawForest(forest, send) {
  const lead = forest.lead ? h("p", { class: "lead" }, forest.lead) : null;
  if (!forest.rows.length) return h("div", { class: "forest" }, lead, forest.empty ? emptyNote(forest.empty) : null);
  const at = (share) => `${(100 * Math.min(1, Math.max(0, share))).toFixed(2)}%`;
  return h(
    "div",
    { class: "forest" },
    lead,
    h(
      "table",
      {},
      forest.heads.length ? h("thead", {}, h("tr", {}, forest.heads.map((name) => h("th", { scope: "col" }, name)))) : null,
      h(
        "tbody",
        {},
        forest.rows.map((row) =>
          h(
            "tr",
            { class: row.is_sure ? "" : "unsure", "data-tip": row.tip || null },
            h("th", { scope: "row" }, drawLink(row.href, send, { title: row.name }, row.name)),
            h(
              "td",
              { class: "axis", "aria-hidden": "true" },
              h("i", { class: "rule", style: { left: at(forest.line) } }),
              h("i", { class: `whisker ${row.tone}`, style: { left: at(row.low), width: `${(100 * Math.max(0.004, Math.min(1, row.high) - Math.max(0, row.low))).toFixed(2)}%` } }),
              h("i", { class: `point ${row.tone}`, style: { left: at(row.at) } }),
            ),
            h("td", { class: `figure ${row.tone}` }, row.value),
            h("td", { class: "end" }, row.note),
          ),
        ),
      ),
    ),
    h("p", { class: "chart-ends forest-ends" }, h("span", {}, forest.ends[0]), h("span", { class: "rule-name" }, forest.line_name), h("span", {}, forest.ends[1])),
  );
}

function drawWaterfall(waterfall) {
  const lead = waterfall.lead ? h("p", { class: "lead" }, waterfall.lead) : null;
  if (!waterfall.steps.length) return h("div", {}, lead, emptyNote(waterfall.empty));
  return h(
    "div",
    {},
    lead,
    h(
      "ol",
      { class: "waterfall" },
      waterfall.steps.map((step) => {
        const low = Math.min(step.start, step.end);
        const high = Math.max(step.start, step.end);
        return h(
          "li",
          { class: step.is_total ? "total" : "", "data-tip": step.tip || null },
          h("span", { class: "well", "aria-hidden": "true" }, h("i", { class: `bar ${step.tone} ${step.is_broken ? "broken" : ""}`, style: { bottom: `${(100 * low).toFixed(2)}%`, height: `${(100 * Math.max(0.006, high - low)).toFixed(2)}%` } }), h("i", { class: "joint", style: { bottom: `${(100 * step.end).toFixed(2)}%` } })),
          h("b", { class: step.tone }, step.value),
          h("span", { class: "name" }, step.name),
        );
      }),
    ),
  );
}

function drawBands(chart) {
  if (!chart.tips.length) return emptyNote(chart.empty);
  const size = chart.tips.length;
  const floor = new Array(size).fill(0);
  const x = (index) => ((100 * index) / Math.max(1, size - 1)).toFixed(2);
  const paths = chart.bands.map((band, place) => {
    const low = [...floor];
    band.values.forEach((value, index) => (floor[index] += value));
    const up = floor.map((value, index) => `${index ? "L" : "M"}${x(index)} ${(100 - 100 * value).toFixed(2)}`).join("");
    const down = low.map((value, index) => `L${x(index)} ${(100 - 100 * value).toFixed(2)}`).reverse().join("");
    return h("path", { class: `band b${place} ${band.is_base ? "base" : ""} ${band.is_marked ? "marked" : ""}`, d: `${up}${down}Z`, "vector-effect": "non-scaling-stroke" });
  });
  return h(
    "div",
    { class: "bands" },
    h("div", { class: "plot" }, h("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", role: "img", "aria-label": chart.spoken }, paths), h("div", { class: "hits", "aria-hidden": "true" }, chart.tips.map((tip) => h("i", { "data-tip": tip }))), h("span", { class: "top" }, chart.top)),
    h("p", { class: "chart-ends" }, h("span", {}, chart.first), h("span", {}, chart.last)),
    h("ul", { class: "keys" }, chart.bands.map((band, place) => h("li", {}, h("i", { class: `key b${place} ${band.is_base ? "base" : ""} ${band.is_marked ? "marked" : ""}` }), band.name)).reverse()),
  );
}
