// A chain of stages: where orders went from each, and how long they took in it. The tables say the same as the shapes.
function drawSankey(chart, send) {
  const lead = chart.lead ? h("p", { class: "lead" }, chart.lead) : null;
  if (!chart.nodes.length) return h("div", {}, lead, emptyNote(chart.empty));
  const columns = chart.heads.length;
  const pitch = 100 / columns;
  const bar = 0.09 * pitch;
  const left = (column) => column * pitch + 0.12 * pitch;
  const ribbon = (one) => {
    const [x0, x1] = [left(one.start) + bar, left(one.end)];
    const [y0, y1, high] = [100 * one.start_top, 100 * one.end_top, Math.max(0.5, 100 * one.height)];
    const middle = (x0 + x1) / 2;
    const f = (value) => value.toFixed(2);
    return `M${f(x0)} ${f(y0)}C${f(middle)} ${f(y0)} ${f(middle)} ${f(y1)} ${f(x1)} ${f(y1)}V${f(y1 + high)}C${f(middle)} ${f(y1 + high)} ${f(middle)} ${f(y0 + high)} ${f(x0)} ${f(y0 + high)}Z`;
  };
  return h(
    "div",
    { class: "sankey" },
    lead,
    h(
      "div",
      { class: "sankey-body" },
      h(
        "div",
        { class: "sankey-sight", style: { "--columns": columns } },
        h("div", { class: "sankey-heads", "aria-hidden": "true" }, chart.heads.map((name, column) => h("p", {}, h("b", {}, name), h("span", {}, chart.notes[column])))),
        h(
          "div",
          { class: "sankey-plot" },
          h(
            "svg",
            { viewBox: "0 0 100 100", preserveAspectRatio: "none", role: "img", "aria-label": chart.spoken },
            chart.ribbons.map((one) => h("path", { class: `ribbon ${one.kind}`, d: ribbon(one), "data-tip": one.tip })),
            chart.nodes.map((one) => h("rect", { class: `sankey-node ${one.kind}`, x: left(one.column).toFixed(2), y: (100 * one.top).toFixed(2), width: bar.toFixed(2), height: Math.max(0.8, 100 * one.height).toFixed(2), "data-tip": one.tip })),
          ),
          chart.nodes.filter((one) => one.kind !== "through" && one.value).map((one) => h("span", { class: `sankey-value ${one.kind}`, "aria-hidden": "true", "data-tip": one.tip, style: { left: `${(left(one.column) + bar).toFixed(2)}%`, top: `${(100 * (one.top + one.height / 2)).toFixed(2)}%` } }, one.value)),
          chart.loops.map((one) => h("span", { class: `sankey-loop ${one.kind}`, "aria-hidden": "true", "data-tip": one.tip, style: { left: `${(left(one.column) - 0.45 * pitch).toFixed(2)}%`, "--weight": one.weight.toFixed(3) } }, h("i", {}), one.value)),
        ),
        h("ul", { class: "sankey-keys" }, chart.keys.map(([kind, name]) => h("li", {}, h("i", { class: `sankey-key ${kind}` }), name))),
      ),
      h(
        "div",
        { class: "sankey-table", tabindex: "0", role: "group", "aria-label": chart.spoken },
        h(
          "table",
          {},
          h("thead", {}, h("tr", {}, chart.table_heads.map((name) => h("th", { scope: "col" }, name)))),
          h("tbody", {}, chart.table.map(([name, ...cells], index) => h("tr", {}, h("th", { scope: "row" }, drawLink(chart.hrefs[index], send, { title: name }, name)), cells.map((cell) => h("td", {}, cell))))),
        ),
      ),
    ),
  );
}

function drawSpreads(chart, send) {
  const lead = chart.lead ? h("p", { class: "lead" }, chart.lead) : null;
  if (!chart.rows.length) return h("div", {}, lead, emptyNote(chart.empty));
  const percent = (share) => `${(100 * share).toFixed(2)}%`;
  const steps = (values, from, to) => {
    const width = 100 / values.length;
    const tops = values.map((value, index) => `${(index * width).toFixed(2)} ${(from + (to - from) * value).toFixed(2)}H${((index + 1) * width).toFixed(2)}`);
    return `M0 ${from}L${tops.join("L")}V${from}Z`;
  };
  return h(
    "div",
    { class: "spreads" },
    lead,
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, chart.heads.map((name, index) => h("th", { scope: "col" }, index === 1 ? [h("span", { class: "hidden" }, name), h("span", { class: "spread-ticks", "aria-hidden": "true" }, chart.ticks.map(([at, text]) => h("i", { style: { left: percent(at) } }, text)))] : name)))),
      h(
        "tbody",
        {},
        chart.rows.map((row) =>
          h(
            "tr",
            { "data-tip": row.tip },
            h("th", { scope: "row" }, drawLink(row.href, send, { title: row.name }, row.name)),
            h(
              "td",
              { class: "spread-cell", "aria-hidden": "true" },
              chart.ticks.map(([at]) => h("i", { class: "spread-rule", style: { left: percent(at) } })),
              row.low === null ? null : h("i", { class: "spread-usual", style: { left: percent(row.low), width: percent(Math.max(0.004, row.high - row.low)) } }),
              h("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none" }, h("path", { class: "spread-passed", d: steps(row.passed, 66, 4) }), h("path", { class: "spread-waiting", d: steps(row.waiting, 68, 98) })),
              row.middle === null ? null : h("i", { class: "spread-middle", style: { left: percent(row.middle) } }),
            ),
            [row.usual, row.now, row.slow, row.open].map((text) => h("td", {}, text)),
          ),
        ),
      ),
    ),
    h("ul", { class: "sankey-keys" }, chart.keys.map(([kind, name]) => h("li", {}, h("i", { class: `sankey-key ${kind}` }), name))),
  );
}
