// A figure, opened: value, comparison, trend, contributors, orders, definition.
function drawPanel(panel, send, close) {
  const leave = (event) => {
    giveFocusBack(event.currentTarget);
    close();
  };
  return h(
    "aside",
    { class: "card figure-panel", "aria-label": panel.title, onkeydown: (event) => event.key === "Escape" && (event.stopPropagation(), leave(event)) },
    h("header", { class: "panel-head" }, h("div", {}, h("h2", {}, panel.title), h("p", { class: "muted" }, panel.subtitle)), panel.compare ? drawCompareSwitch(panel) : null, h("button", { type: "button", class: "close", "aria-label": panel.close, "data-tip": panel.close, onclick: leave }, "×")),
    h("div", { class: "panel-figure", role: "status" }, stateMark(panel.state, panel.state_word), h("strong", { class: panel.state }, panel.value), h("span", { class: "muted" }, panel.note)),
    h("ul", { class: "panel-lines" }, panel.lines.map((line) => h("li", {}, line))),
    panel.compared ? drawCompared(panel.compared) : null,
    panel.actions.length ? h("p", { class: "actions" }, panel.actions.map((action) => drawLink(action.href, send, { class: action.is_main ? "action main" : "action" }, action.name))) : null,
    panel.trend ? drawLine(panel.trend, send) : null,
    panel.parts ? drawParts(panel.parts, send) : null,
    panel.orders ? drawOrderRows(panel.orders, send) : null,
    panel.contract ? drawContract(panel.contract) : null,
  );
}

// The keyboard goes on from where the panel was opened.
function giveFocusBack(element) {
  const root = element.closest(".ocr");
  const opener = root.ocrBefore?.isConnected ? root.ocrBefore : root.querySelector("td.cell[aria-selected=true]");
  opener?.focus({ preventScroll: true });
}

// Where there is no Shift key: the next cell that is chosen stands beside the one that is open.
const COMPARING = { isOn: false, switch: null };

function drawCompareSwitch(panel) {
  const turn = (event) => {
    COMPARING.isOn = !COMPARING.isOn;
    COMPARING.switch = event.currentTarget;
    event.currentTarget.setAttribute("aria-pressed", String(COMPARING.isOn));
  };
  return h("button", { type: "button", class: "step compare", "aria-pressed": String(COMPARING.isOn), "data-tip": panel.compare_tip, onclick: turn }, panel.compare);
}

function takeComparing() {
  const wasOn = COMPARING.isOn;
  COMPARING.isOn = false;
  COMPARING.switch?.setAttribute("aria-pressed", "false");
  return wasOn;
}

// While the server answers: what the cell itself says, at once.
function pendingPanel(grid, cell, words) {
  const lines = cell.tip.split("\n");
  takeComparing();
  return { title: grid.title, subtitle: lines[0], close: words.close, value: cell.text || "–", state: "neutral", note: "", lines: lines.slice(1), compared: null, actions: [], trend: null, parts: null, orders: null, contract: null };
}

// Links of this page change the address in place; others open the page they name.
function drawLink(href, send, props, ...children) {
  const follow = (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    followHref(href, send);
  };
  return inside(href) ? h("a", { ...props, href, target: "_self", onclick: follow }, children) : h("span", props, children);
}

function followHref(href, send) {
  const target = new URL(href, location.href);
  if (target.pathname === location.pathname) send("open", target.search || "?");
  else location.assign(target);
}

function drawCompared(compared) {
  return h("div", { class: "compared" }, h("p", { class: "muted" }, compared.title), h("p", {}, h("strong", {}, compared.value), " ", h("span", { class: "muted" }, compared.note)), h("p", {}, compared.difference), h("p", { class: "muted" }, compared.sure));
}

function drawParts(parts, send, isTitled = true) {
  const head = isTitled ? h("h3", {}, parts.title, h("span", { class: "scope" }, parts.scope)) : null;
  if (!parts.rows.length) return h("section", { class: "parts" }, head, emptyNote(parts.empty));
  return h(
    "section",
    { class: "parts" },
    head,
    h(
      "table",
      { "aria-label": parts.title },
      parts.heads.length ? h("thead", {}, h("tr", {}, parts.heads.map((name) => h("th", { scope: "col" }, name)), parts.alert_word ? h("th", { class: "flag", scope: "col" }, h("span", { class: "hidden" }, parts.alert_word)) : null)) : null,
      h(
        "tbody",
        {},
        parts.rows.map((row) =>
          h(
            "tr",
            { "data-tip": row.tip || null },
            h("th", { scope: "row" }, drawLink(row.href, send, { title: row.name }, row.name)),
            h("td", { class: "bar", "aria-hidden": "true" }, h("span", { class: "track" }, h("span", { class: `fill ${row.tone}`, style: { width: `${(100 * row.share).toFixed(1)}%` } }))),
            h("td", { class: `figure ${row.tone}` }, stateMark(row.tone, row.state_word), row.value),
            h("td", { class: "end" }, row.note),
            parts.alert_word ? h("td", { class: "flag" }, row.alert ? drawLink(row.alert, send, { "aria-label": `${parts.alert_word}: ${row.name}`, "data-tip": parts.alert_word }, "⚑") : null) : null,
          ),
        ),
      ),
    ),
  );
}

function drawOrderRows(orders, send) {
  if (!orders.rows.length) return h("section", { class: "parts" }, h("h3", {}, orders.title), emptyNote(orders.empty));
  return h(
    "section",
    { class: "parts orders" },
    h("h3", {}, orders.title),
    h(
      "div",
      { class: "scroll-x" },
      h(
        "table",
        { "aria-label": orders.title },
        h("thead", {}, h("tr", {}, orders.heads.map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, orders.rows.map((row, index) => h("tr", {}, row.map((text, column) => (column === 0 ? h("th", { scope: "row" }, drawLink(orders.hrefs[index], send, {}, text)) : h("td", {}, text)))))),
      ),
    ),
  );
}

function drawContract(contract) {
  return h(
    "details",
    { class: "contract", open: true },
    h("summary", {}, contract.title),
    h("dl", {}, contract.facts.map((fact) => [h("dt", {}, fact.name), h("dd", {}, fact.text)])),
    h("details", { class: "sql" }, h("summary", {}, contract.sql_name), h("pre", { tabindex: "0" }, contract.sql)),
  );
}

function drawLine(line, send) {
  const known = [...line.values, ...line.before, line.target].filter((value) => value !== null && value !== undefined);
  const [least, high] = [Math.min(...known), line.ceiling ?? Math.max(...known)];
  // From nothing on, unless all values lie close together far above it.
  const low = line.ceiling === null && least > high * 0.6 ? least - (high - least) * 0.3 : Math.min(0, least);
  const y = (value) => 16 + 60 - (60 * (value - low)) / (high - low || 1);
  const x = (index, length) => (100 * index) / Math.max(1, length - 1);
  const curve = (values) => {
    let pen = "M";
    return values
      .map((value, index) => {
        if (value === null) return (pen = "M"), "";
        const point = `${pen}${x(index, values.length).toFixed(2)} ${y(value).toFixed(1)}`;
        const isAlone = pen === "M" && (values[index + 1] ?? null) === null;
        pen = "L";
        // A value without neighbours is a dot.
        return isAlone ? `${point}h0` : point;
      })
      .join("");
  };
  return h(
    "section",
    { class: "line" },
    h("h3", {}, line.href ? drawLink(line.href, send, {}, line.title) : line.title, h("span", { class: "scope" }, [line.before.length ? `┄ ${line.before_name}` : "", line.target !== null ? `— ${line.target_name}` : ""].filter(Boolean).join("  "))),
    h(
      "div",
      { class: "plot" },
      h(
        "svg",
        { viewBox: "0 0 100 80", preserveAspectRatio: "none", role: "img", "aria-label": line.spoken },
        line.target !== null ? h("path", { class: "target", d: `M0 ${y(line.target).toFixed(1)}L100 ${y(line.target).toFixed(1)}`, "vector-effect": "non-scaling-stroke" }) : null,
        line.before.length ? h("path", { class: "before", d: curve(line.before), "vector-effect": "non-scaling-stroke" }) : null,
        h("path", { class: "now", d: curve(line.values), "vector-effect": "non-scaling-stroke" }),
      ),
      h("div", { class: "hits", "aria-hidden": "true" }, line.tips.map((tip) => h("i", { "data-tip": tip }))),
      h("span", { class: "top" }, line.top),
    ),
    h("p", { class: "ends" }, h("span", {}, line.first), h("span", {}, line.last)),
  );
}
