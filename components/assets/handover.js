// The handover sheet: read on the screen, printed on paper in black on white.
function drawHandover(sheet) {
  return h(
    "main",
    { class: "sheet" },
    h(
      "div",
      { class: "sheet-tools" },
      h("a", { href: inside(sheet.back), target: "_self" }, sheet.words.back),
      h("span", { class: "push" }),
      h("button", { type: "button", onclick: () => window.print() }, sheet.words.print),
    ),
    h(
      "article",
      { class: "card paper" },
      h("header", {}, h("h2", {}, sheet.title), h("p", {}, sheet.subtitle), h("ul", { class: "facts" }, sheet.facts.map((fact) => h("li", {}, fact)))),
      h("dl", { class: "figures" }, sheet.figures.map((figure) => h("div", {}, h("dt", {}, figure.href ? h("a", { class: "way", href: inside(figure.href), target: "_self" }, figure.name) : figure.name), h("dd", {}, figure.value)))),
      sheet.tables.map(drawSheetTable),
      h("div", { class: "signatures" }, sheet.signatures.map((name) => h("p", {}, name))),
    ),
  );
}

function drawSheetTable(table, index) {
  return h(
    "section",
    { key: index },
    h("h3", {}, table.title, " ", h("span", { class: "muted" }, table.rows.length)),
    table.rows.length
      ? h(
          "table",
          {},
          h("thead", {}, h("tr", {}, table.columns.map((name) => h("th", { scope: "col" }, name)))),
          h("tbody", {}, table.rows.map((row) => h("tr", {}, row.map((cell, at) => (at ? h("td", {}, cell) : h("th", { scope: "row" }, cell)))))),
        )
      : emptyNote(table.empty),
  );
}
