// A figure, its change, its target or size, and its last day as a line.
function drawTile(tile, send) {
  return h(
    "button",
    {
      class: `card tile ${tile.state}`,
      type: "button",
      "data-tip": tile.tip,
      "data-info": send && tile.figure ? null : tile.info,
      onclick: send && tile.figure ? () => send("choice", { figure: tile.figure, cell: "", beside: "" }) : null,
      "aria-label": tile.spoken,
      "aria-describedby": tile.marks.length ? "axis-marks" : null,
    },
    h("span", { class: "name" }, tile.name),
    h("span", { class: "value" }, tile.value),
    h(
      "span",
      { class: "foot" },
      h(
        "span",
        { class: "words" },
        h("span", { class: `change ${tile.tone}` }, stateMark(tile.state, tile.state_word), tile.change),
        h("span", { class: "note" }, tile.note),
      ),
      drawSpark(tile.spark, tile.state, tile.marks),
    ),
  );
}

// Each value stands in the middle of its step, so that a mark's share of the axis is a place between the steps' edges. A value
// without neighbours, as of promises that all fall on one hour, is a dot of its own.
function drawSpark(values, state, marks) {
  const known = values.filter((value) => value !== null);
  const low = Math.min(...known);
  const span = Math.max(...known) - low || 1;
  const base = known.length === 1 ? 12 : 22;
  const dots = [];
  const step = 100 / Math.max(1, values.length);
  let pen = "M";
  const path = values.map((value, index) => {
    if (value === null) {
      pen = "M";
      return "";
    }
    const point = `${pen}${((index + 0.5) * step).toFixed(1)} ${(base - (20 * (value - low)) / span).toFixed(1)}`;
    if (pen === "M" && (values[index + 1] ?? null) === null) {
      dots.push(`${point}l0 0`);
      return "";
    }
    pen = "L";
    return point;
  });
  return h(
    "svg",
    { class: `spark ${state}`, viewBox: "0 0 100 24", preserveAspectRatio: "none", "aria-hidden": "true" },
    drawMarks(marks, 24),
    known.length ? h("path", { class: "line", d: path.join(""), "vector-effect": "non-scaling-stroke" }) : null,
    dots.length ? h("path", { class: "line dot", d: dots.join(""), "vector-effect": "non-scaling-stroke" }) : null,
  );
}

// The business calendar on any time axis 100 wide: bands for days, thin lines for moments, behind the figures.
function drawMarks(marks, height) {
  return (marks ?? []).map((mark) => {
    const x = (100 * mark.start).toFixed(1);
    if (mark.end > mark.start) return h("rect", { class: `mark-band ${mark.kind}`, x, y: -2, width: (100 * (mark.end - mark.start)).toFixed(1), height: height + 4 });
    const from = mark.kind === "shift" ? height - 3 : -2;
    return h("path", { class: `mark-line ${mark.kind}`, d: `M${x} ${from}V${height + 2}`, "vector-effect": "non-scaling-stroke" });
  });
}
