// A figure, its change, its target or size, and its last day as a line.
function drawTile(tile) {
  return h(
    "button",
    {
      class: `card tile ${tile.state}`,
      type: "button",
      "data-tip": tile.tip,
      "data-info": tile.info,
      "aria-label": tile.spoken,
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
      drawSpark(tile.spark, tile.state),
    ),
  );
}

function drawSpark(values, state) {
  const known = values.filter((value) => value !== null);
  const low = Math.min(...known);
  const span = Math.max(...known) - low || 1;
  const step = 100 / Math.max(1, values.length - 1);
  let pen = "M";
  const path = values.map((value, index) => {
    if (value === null) {
      pen = "M";
      return "";
    }
    const point = `${pen}${(index * step).toFixed(1)} ${(22 - (20 * (value - low)) / span).toFixed(1)}`;
    pen = "L";
    return point;
  });
  return h(
    "svg",
    { class: `spark ${state}`, viewBox: "0 0 100 24", preserveAspectRatio: "none", "aria-hidden": "true" },
    known.length > 1 ? h("path", { d: path.join(""), "vector-effect": "non-scaling-stroke" }) : null,
  );
}
