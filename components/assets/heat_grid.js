// Places by stages (or anything by anything) as a real table: arrows move, Enter or a click chooses a cell.
function drawHeatGrid(grid, choose) {
  return [
    h(
      "div",
      { class: "scroll" },
      h(
        "table",
        { class: "heat", role: "grid", "aria-label": grid.title, onkeydown: moveInGrid },
        h("thead", {}, h("tr", {}, h("td", { class: "corner" }), grid.columns.map((name) => h("th", { scope: "col" }, h("span", {}, name))))),
        h(
          "tbody",
          {},
          grid.rows.map((name, row) =>
            h("tr", {}, h("th", { scope: "row", title: name }, name), grid.cells[row].map((cell, column) => drawCell(cell, row, column, grid, choose))),
          ),
        ),
      ),
    ),
    drawLegend(grid.legend),
  ];
}

function drawCell(cell, row, column, grid, choose) {
  const isChosen = grid.chosen === cell.key;
  return h(
    "td",
    {
      class: `cell ${cell.kind} ${cell.kind === "value" ? `s${cell.step}` : ""}`,
      role: "gridcell",
      tabindex: row === 0 && column === 0 ? "0" : "-1",
      "data-key": cell.key,
      "data-tip": cell.tip,
      "data-info": choose ? null : cell.tip,
      "aria-label": cell.tip.replaceAll("\n", ", "),
      "aria-selected": isChosen ? "true" : null,
      "data-worst": cell.worst ? "yes" : null,
      onclick: choose ? () => choose(cell.key) : null,
    },
    h("span", {}, cell.text),
  );
}

function drawLegend(legend) {
  return h(
    "p",
    { class: "legend", "aria-label": legend.spoken },
    h("span", { class: "ramp" }),
    h("span", {}, legend.range),
    legend.few ? [h("span", { class: "swatch few" }), h("span", {}, legend.few)] : null,
    legend.gap ? [h("span", { class: "swatch gap" }, "–"), h("span", {}, legend.gap)] : null,
    legend.stale ? [h("span", { class: "swatch stale" }), h("span", {}, legend.stale)] : null,
    legend.note ? h("span", { class: "push" }, legend.note) : null,
  );
}

const STEPS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };

function moveInGrid(event) {
  const cell = event.target.closest("td.cell");
  if (!cell) return;
  if (event.key === "Enter" || event.key === " ") {
    cell.click();
    event.preventDefault();
  }
  const step = STEPS[event.key];
  if (!step) return;
  const next = cell.closest("tbody").rows[cell.parentElement.sectionRowIndex + step[0]]?.cells[cell.cellIndex + step[1]];
  event.preventDefault();
  if (!next?.classList.contains("cell")) return;
  cell.setAttribute("tabindex", "-1");
  next.setAttribute("tabindex", "0");
  next.focus();
}
