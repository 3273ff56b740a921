// The wall: one grid, nine cards, nothing to scroll at 1920 × 1080.
function drawBoard(board, send, shapes, redraw) {
  if (board.notice && !board.tiles.length) return h("div", { class: "board nothing" }, drawNotice(board.notice));
  const go = (href) => followHref(href, send);
  return h(
    "main",
    { class: "board" },
    h("div", { class: "tiles" }, board.tiles.map((tile) => drawTile(tile, send))),
    board.axis ? h("p", { class: "hidden", id: "axis-marks" }, board.axis) : null,
    card("heat", cardHead(board.heat.title, board.heat.scope, drawSwitch(board.heat, send)), board.heat.rows.length ? drawHeatGrid({ ...board.heat, chosen: board.panel ? board.heat.chosen : null }, chooserOnWall(board, send, redraw)) : emptyNote(board.heat.empty)),
    card("country", cardHead(board.map.title, board.map.scope), drawCountryMap(board.map, shapes)),
    card("worst", cardHead(board.worst.title, board.worst.scope), drawWorst(board.worst, go)),
    card("warehouses", cardHead(board.warehouses.title, board.warehouses.scope), drawBars(board.warehouses, send)),
    card("returns", cardHead(board.returns.title, board.returns.scope), drawBars(board.returns, send)),
    card("complaints", cardHead(board.complaints.title, board.complaints.scope), board.complaints.rows.length ? drawHeatGrid(board.complaints, followCell) : emptyNote(board.complaints.empty)),
    board.notice ? h("p", { class: `notice ${board.notice.state}`, role: "status", tabindex: board.notice.tip ? "0" : null, "data-tip": board.notice.tip || null, "data-info": board.notice.tip || null }, stateMark(board.notice.state, ""), h("b", {}, board.notice.title), " ", board.notice.text) : null,
    board.panel ? drawPanel(board.panel, send, () => send("choice", { cell: "", beside: "", figure: "" })) : null,
  );
}

function chooserOnWall(board, send, redraw) {
  return (key, isSecond, cell) => {
    if (isSecond && board.panel) return send("choice", { beside: key });
    redraw({ ...board, panel: pendingPanel(board.heat, cell, board.words) });
    send("choice", { cell: key, beside: "", figure: "" });
  };
}

// A sentence instead of figures: what there is not, why, and a way on.
function drawNotice(notice) {
  const way = notice.href ? h("a", { class: "way", href: inside(notice.href), target: "_self" }, notice.way) : null;
  return h("section", { class: "card", role: "status" }, h("h2", {}, notice.title), h("p", {}, notice.text), way);
}

function drawSwitch(heat, send) {
  return h(
    "select",
    { class: "switch", "aria-label": heat.switch_name, onchange: (event) => send("choice", { heat: event.target.value }) },
    heat.metrics.map((metric) => h("option", { value: metric.code, selected: metric.code === heat.metric }, metric.name)),
  );
}
