// A working page: path and controls on top, cards below, the opened figure's panel at the side.
function drawPlane(plane, send, redraw) {
  const close = () => send("choice", { cell: "", beside: "", figure: "" });
  const onlyNotice = plane.notice && !plane.cards.length;
  return h(
    "main",
    { class: `plane ${plane.panel ? "with-panel" : ""}` },
    plane.crumbs.length || plane.controls.length ? h("div", { class: "plane-head" }, drawCrumbs(plane, send), h("div", { class: "choices" }, plane.controls.map((control) => drawControl(control, send)))) : null,
    plane.notice && !onlyNotice ? h("p", { class: "plane-note", role: "status" }, stateMark(plane.notice.state, ""), h("b", {}, plane.notice.title), " ", plane.notice.text) : null,
    h(
      "div",
      { class: "plane-body" },
      onlyNotice
        ? h("div", { class: "board nothing" }, drawNotice(plane.notice))
        : h(
            "div",
            { class: "cards" },
            plane.tiles.length ? h("div", { class: "tiles" }, plane.tiles.map((tile) => drawTile(tile, send))) : null,
            plane.cards.map((one) => drawPlaneCard(one, plane, send, redraw)),
          ),
      plane.panel ? drawPanel(plane.panel, send, close) : null,
    ),
  );
}

function drawCrumbs(plane, send) {
  if (!plane.crumbs.length) return null;
  return h("nav", { class: "crumbs", "aria-label": plane.words.path }, h("ol", {}, plane.crumbs.map((crumb) => h("li", {}, crumb.is_here ? h("span", { "aria-current": "page" }, crumb.name) : drawLink(crumb.href, send, {}, crumb.name)))));
}

function drawControl(control, send) {
  const cleared = Object.fromEntries(control.clears.map((name) => [name, ""]));
  return h(
    "label",
    { key: control.code },
    h("span", {}, control.name),
    h(
      "select",
      { class: "switch", onchange: (event) => send("choice", { ...cleared, [control.code]: event.target.value }) },
      control.options.map((option) => h("option", { value: option.code, selected: option.is_on, key: option.code }, option.name)),
    ),
  );
}

function drawPlaneCard(one, plane, send, redraw) {
  const section = (...body) => h("section", { class: `card size-${one.size}`, "aria-label": one.title }, cardHead(one.title, one.scope), body);
  if (one.grid) return section(one.grid.rows.length ? drawHeatGrid(one.grid, one.picks ? chooserOf(one, plane, send, redraw) : followCell, one.picks && one.grid.column_keys.length ? (key) => send("choice", { sort: key }) : null) : emptyNote(one.grid.empty));
  if (one.parts) return section(drawParts(one.parts, send, false));
  if (one.chart) return section(drawChart(one.chart, send));
  if (one.worst) return section(h("div", { class: "chart-text" }, drawWorst(one.worst, (href) => followHref(href, send))));
  if (one.lines.length) return section(h("div", { class: "multiples" }, one.lines.map((line) => drawLine(line, send))));
  return section(emptyNote(one.text));
}

function followCell(key, isSecond, cell) {
  if (inside(cell.href)) location.assign(cell.href);
}

// The first choice opens a cell, the same again follows it, one with Shift or Ctrl stands beside it.
function chooserOf(one, plane, send, redraw) {
  return (key, isSecond, cell) => {
    const grid = one.grid;
    if (isSecond && grid.chosen && key !== grid.chosen) return send("choice", { beside: key });
    const way = plane.panel?.actions.find((action) => action.is_main);
    if (key === grid.chosen && !grid.beside && way) return location.assign(way.href);
    const cards = plane.cards.map((other) => (other.grid && other.picks ? { ...other, grid: { ...other.grid, chosen: other === one ? key : null, beside: null } } : other));
    redraw({ ...plane, cards, panel: pendingPanel(grid, cell, plane.words) });
    send("choice", { [one.picks]: key, beside: "" });
  };
}
