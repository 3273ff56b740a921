// A list of orders: a real table with a head that stays, rows that lead to the order, rows to tick and take along.
const MOST_TABS = 20;
// Signs, beyond which a cell is cut and tells its text on pointing.
const LONG_TEXT = 28;

function drawOrderTable(table, send) {
  const go = (choice) => {
    LIST.isAnew = true;
    send("choice", choice);
  };
  return h(
    "section",
    { class: "card orders", "aria-label": table.title },
    h("header", { class: "head" }, h("h2", {}, table.title), h("span", { class: "tally-text", role: "status" }, table.count), table.definition ? h("a", { class: "way", href: inside(table.definition[1]), target: "_self" }, table.definition[0]) : null, h("span", { class: "scope" }, table.scope)),
    drawListBar(table, go, send),
    table.notes.map((text) => h("p", { class: "list-note", role: "alert" }, stateMark("warning", ""), text)),
    table.rows.length ? drawRows(table, go) : drawNoRows(table),
    h("nav", { class: "pages", "aria-label": table.words.pages }, table.pages.map((step) => stepButton(step, go))),
  );
}

// Where the reader was in the list: kept for this address, so that the way back from an order leads there; another page,
// sorting or search begins at its top.
const LIST = { key: "orderControlRoom.list", isAnew: false };

function keepPlace(event) {
  sessionStorage.setItem(LIST.key, JSON.stringify([location.pathname + location.search, event.currentTarget.scrollTop]));
}

function settleList(root) {
  const scroll = root.querySelector(".table-scroll");
  if (!scroll) return;
  if (!root.ocrIsSettled) {
    const [href, top] = JSON.parse(sessionStorage.getItem(LIST.key) ?? "[]");
    if (href === location.pathname + location.search) scroll.scrollTop = top;
  } else if (LIST.isAnew) scroll.scrollTop = 0;
  root.ocrIsSettled = true;
  LIST.isAnew = false;
}

function drawNoRows(table) {
  return h("div", { class: "no-rows" }, emptyNote(table.empty), table.way ? h("a", { class: "way", href: inside(table.way[1]), target: "_self" }, table.way[0]) : null);
}

function stepButton(step, go) {
  return h("button", { type: "button", class: "step", "aria-pressed": step.is_on ? "true" : null, disabled: !step.choice, onclick: () => step.choice && go(step.choice) }, step.name);
}

function drawListBar(table, go, send) {
  const words = table.words;
  return h(
    "div",
    { class: "list-bar" },
    table.choices.map((group) => h("div", { class: "steps", role: "group" }, group.map((step) => stepButton(step, go)))),
    h(
      "form",
      { class: "search", role: "search", onsubmit: (event) => { event.preventDefault(); go({ search: event.target.elements.search.value.trim(), phone: "", after: "", before: "" }); } },
      h("input", { type: "search", name: "search", maxlength: "64", placeholder: words.search, "aria-label": words.search, value: table.search, oninput: null }),
      h("button", { type: "submit", class: "step" }, words.find),
    ),
    h("span", { class: "push" }),
    drawBulk(table),
    drawColumnChoice(table, send),
    table.exports.map(([name, href]) => h("a", { class: "step", href: inside(href), target: "_self", download: "" }, name)),
    table.unmasked ? h("a", { class: "step", href: inside(table.unmasked[1]), target: "_self" }, table.unmasked[0]) : null,
  );
}

function drawColumnChoice(table, send) {
  if (!table.columns.length) return null;
  const apply = (event) => {
    const boxes = [...event.target.closest(".panel").querySelectorAll("input[type=checkbox]")];
    send("columns", boxes.filter((box) => box.checked).map((box) => box.value).join(","));
    event.target.closest("details").open = false;
  };
  return h(
    "details",
    { class: "menu", ontoggle: closeOthers },
    h("summary", { class: "step" }, table.words.columns),
    h(
      "div",
      { class: "panel columns" },
      h("fieldset", {}, h("legend", {}, table.words.columns), h("div", { class: "options" }, table.columns.map((column) => h("label", { key: column.code }, h("input", { type: "checkbox", value: column.code, checked: column.is_on }), column.name)))),
      h("button", { type: "button", class: "wide", onclick: apply }, table.words.apply),
    ),
  );
}

function drawBulk(table) {
  const words = table.words;
  return h(
    "span",
    { class: "bulk" },
    h("span", { class: "ticked-count", role: "status" }, ""),
    h("button", { type: "button", class: "step copy", disabled: true, onclick: (event) => copyTicked(event.target, table) }, words.copy),
    h("button", { type: "button", class: "step tabs", disabled: true, "data-tip": words.tabs_tip, onclick: (event) => openTicked(event.target, table) }, words.tabs),
  );
}

function drawRows(table, go) {
  return h(
    "div",
    { class: "table-scroll", tabindex: "-1", onscroll: keepPlace },
    h(
      "table",
      { class: "order-table", onkeydown: moveByArrow },
      h("caption", { class: "hidden" }, table.title),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col", class: "tick" }, h("input", { type: "checkbox", "aria-label": table.words.tick_all, onchange: (event) => tickAll(event.target) })),
          table.heads.map((head) =>
            h(
              "th",
              { scope: "col", class: head.is_figure ? "figure" : "", "aria-sort": head.order, key: head.name },
              h("button", { type: "button", class: `sort ${head.order}`, "data-tip": head.tip || null, onclick: () => go(head.sort) }, head.label, h("span", { class: "arrow", "aria-hidden": "true" }, head.order === "descending" ? "▾" : head.order === "ascending" ? "▴" : "")),
            ),
          ),
        ),
      ),
      h("tbody", {}, table.rows.map((row) => drawOrderRow(row, table))),
    ),
  );
}

function drawOrderRow(row, table) {
  return h(
    "tr",
    { class: `${row.is_late ? "late" : ""} ${row.mark === "neutral" ? "" : `rule-${row.mark}`}`, key: row.key },
    h("td", { class: "tick" }, h("input", { type: "checkbox", class: "row", value: row.order_id, "data-href": inside(row.href), "aria-label": `${table.words.tick} ${row.order_id}`, onchange: (event) => showTicked(event.target.getRootNode(), table) })),
    row.cells.map((cell, index) => {
      const head = table.heads[index];
      const content = [stateMark(cell.tone, cell.state_word), cell.text];
      const inner = head.name === "order_id" ? h("a", { href: inside(row.href), target: "_self" }, content) : content;
      return h(head.name === "order_id" ? "th" : "td", { scope: head.name === "order_id" ? "row" : null, class: `${head.is_figure ? "figure" : ""} ${cell.tone === "neutral" ? "" : cell.tone}`, "data-tip": cell.tip || (cell.text.length > LONG_TEXT ? cell.text : null) }, inner);
    }),
  );
}

function tickedBoxes(root) {
  return [...root.querySelectorAll("tbody input.row:checked")];
}

function tickAll(box) {
  const root = box.getRootNode();
  for (const row of root.querySelectorAll("tbody input.row")) row.checked = box.checked;
  showTicked(root);
}

function showTicked(root) {
  const number = tickedBoxes(root).length;
  root.querySelector(".ticked-count").textContent = number ? String(number) : "";
  for (const button of root.querySelectorAll(".bulk button")) button.disabled = !number;
}

async function copyTicked(button, table) {
  const root = button.getRootNode();
  const text = tickedBoxes(root).map((box) => box.value).join("\n");
  await putOnClipboard(root, text);
  root.querySelector(".ticked-count").textContent = table.words.copied;
}

async function putOnClipboard(root, text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without TLS browsers hide the clipboard; the old way still works on a selected field.
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
}

function openTicked(button, table) {
  const root = button.getRootNode();
  for (const box of tickedBoxes(root).slice(0, MOST_TABS)) window.open(box.dataset.href, "_blank", "noopener");
}

// Arrow up and down go from order to order.
function moveByArrow(event) {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const links = [...event.currentTarget.querySelectorAll("tbody th a")];
  const here = links.indexOf(event.target);
  const next = links[here + (event.key === "ArrowDown" ? 1 : -1)];
  if (here < 0 || !next) return;
  event.preventDefault();
  next.focus();
}
