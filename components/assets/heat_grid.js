// Places by stages (or anything by anything) as a real table: arrows move, Enter or a click chooses a cell, with Shift
// or Ctrl a second one beside it; a head sorts by its column; totals stand on the margins.
function drawHeatGrid(grid, choose, sort) {
  const hasTotals = grid.row_totals?.length > 0;
  return [
    h(
      "div",
      { class: "scroll" },
      h(
        "table",
        { class: `heat ${grid.scale ?? "scale"}`, role: "grid", "aria-label": grid.title, "aria-multiselectable": grid.beside ? "true" : null, onkeydown: moveInGrid },
        h("thead", {}, h("tr", {}, h("td", { class: "corner" }), grid.columns.map((name, column) => drawHead(name, column, grid, sort)), hasTotals ? h("th", { scope: "col", class: "total" }, grid.total_name) : null)),
        h(
          "tbody",
          {},
          grid.rows.map((name, row) =>
            h(
              "tr",
              {},
              h("th", { scope: "row", title: name }, name),
              grid.cells[row].map((cell, column) => drawCell(cell, row === 0 && column === 0, grid, choose)),
              hasTotals ? drawCell(grid.row_totals[row], false, grid, choose, "total") : null,
            ),
          ),
          grid.column_totals?.length
            ? h("tr", { class: "totals" }, h("th", { scope: "row" }, grid.total_name), grid.column_totals.map((cell) => drawCell(cell, false, grid, choose, "total")), grid.whole ? drawCell(grid.whole, false, grid, choose, "total whole") : null)
            : null,
        ),
      ),
    ),
    drawLegend(grid.legend, grid.scale),
  ];
}

function drawHead(name, column, grid, sort) {
  const key = grid.column_keys?.[column];
  if (!sort || key === undefined) return h("th", { scope: "col", title: name }, h("span", {}, name));
  const isSorted = grid.sorted_by === key;
  const tip = grid.sort_word.replace("{name}", name);
  return h("th", { scope: "col", "aria-sort": isSorted ? "descending" : null }, h("button", { type: "button", class: "sort", "data-tip": tip, "aria-label": tip, onclick: () => sort(isSorted ? "" : key) }, name, isSorted ? " ↓" : ""));
}

function drawCell(cell, isFirst, grid, choose, place) {
  const isChosen = grid.chosen === cell.key || grid.beside === cell.key;
  return h(
    "td",
    {
      class: `cell ${cell.kind} ${cell.kind === "value" && !place ? `s${cell.step}` : ""} ${place ?? ""}`,
      role: "gridcell",
      tabindex: isFirst ? "0" : "-1",
      "data-key": cell.key,
      "data-tip": cell.tip,
      "data-info": choose ? null : cell.tip,
      "aria-label": cell.tip.replaceAll("\n", ", "),
      "aria-selected": isChosen ? "true" : null,
      "data-worst": cell.worst ? "yes" : null,
      onclick: choose && cell.text ? (event) => choose(cell.key, event.shiftKey || event.ctrlKey || event.metaKey || (!!grid.chosen && takeComparing()), cell) : null,
    },
    h("span", {}, cell.text),
  );
}

function drawLegend(legend, scale) {
  return h(
    "p",
    { class: "legend", "aria-label": legend.spoken },
    h("span", { class: `ramp ${scale ?? "scale"}` }),
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
    cell.dispatchEvent(new MouseEvent("click", { bubbles: true, composed: true, shiftKey: event.shiftKey, ctrlKey: event.ctrlKey }));
    event.preventDefault();
  }
  const next = nextCell(cell, event.key);
  if (next === undefined) return;
  event.preventDefault();
  if (!next?.classList.contains("cell")) return;
  cell.closest("table").querySelectorAll("td.cell[tabindex='0']").forEach((other) => other.setAttribute("tabindex", "-1"));
  next.setAttribute("tabindex", "0");
  next.focus();
}

function nextCell(cell, key) {
  const row = cell.parentElement;
  if (key === "Home") return row.cells[1];
  if (key === "End") return row.cells[row.cells.length - 1];
  const step = STEPS[key];
  return step && (cell.closest("tbody").rows[row.sectionRowIndex + step[0]]?.cells[cell.cellIndex + step[1]] ?? null);
}

// Labels are shown where the longest one fits a cell; else colour, tip and name tell the value. Long heads stand upright.
function fitLabels(root) {
  for (const table of root.querySelectorAll("table.heat")) {
    const cell = table.querySelector("td.cell");
    if (!cell) continue;
    const size = parseFloat(getComputedStyle(cell).fontSize);
    const isIn = (cells, letter, room) => [...table.querySelectorAll(`${cells} span`)].every((span) => textWidth(span.textContent, letter) <= cell.clientWidth - room);
    const fits = isIn("tbody td.cell:not(.total):not(.few)", size, 2) && cell.clientHeight >= size;
    const heads = [...table.querySelectorAll("thead th:not(.total)")].map((head) => textWidth(head.textContent, size));
    table.dataset.heads = heads.length > 12 && Math.max(...heads) > cell.clientWidth + 4 ? "tall" : "flat";
    table.dataset.labels = fits ? "yes" : "no";
    table.dataset.few = isIn("td.few:not(.total)", fits ? size : 10, 0) ? "yes" : "no";
    table.dataset.totals = isIn("tr.totals td.cell:not(.whole)", size, 0) ? "yes" : "no";
    table.style.setProperty("--heads", `${Math.ceil(Math.min(84, Math.max(0, ...heads)) + 8)}px`);
  }
}

function textWidth(text, size) {
  return [...text].reduce((sum, letter) => sum + size * (letter.charCodeAt(0) > 255 ? 1 : 0.6), 0);
}
