// Rows of name, bar, figures: how far along, and whether it will do.
function drawBars(list, send) {
  if (!list.rows.length) return emptyNote(list.empty);
  return h(
    "table",
    { class: `bars ${list.kind}`, "aria-label": list.title },
    h(
      "tbody",
      {},
      list.rows.map((row) =>
        h(
          "tr",
          { "data-tip": row.tip },
          h("th", { scope: "row", title: row.name }, row.href ? drawLink(row.href, send, {}, row.name) : row.name),
          h("td", { class: "bar", "aria-hidden": "true" }, h("span", { class: "track" }, h("span", { class: `fill ${row.tone}`, style: { width: `${(100 * row.share).toFixed(1)}%` } }))),
          h("td", { class: "figure" }, row.figure),
          h("td", { class: `end ${row.end_tone}` }, stateMark(row.end_tone, row.state_word), row.end),
        ),
      ),
    ),
  );
}
