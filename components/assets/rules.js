// Rules: the list with one rule opened, or the form. The form's values go to the server as plain texts at every change;
// what they mean comes back beside it.
const ruleDesk = { board: null, isWaiting: false };

function drawRules(board, send) {
  if (board !== ruleDesk.board) Object.assign(ruleDesk, { board, isWaiting: false });
  return h("main", { class: `worklist rules${board.editor ? " editing" : ""}${ruleDesk.isWaiting ? " waiting" : ""}` }, board.editor ? drawEditor(board, send) : [drawRuleList(board, send), drawRuleDetail(board, send)], drawRuleSaid(board));
}

function drawRuleList(board, send) {
  return h(
    "section",
    { class: "card jobs", key: "list", "aria-label": board.title },
    cardHead(board.title, board.scope),
    h(
      "div",
      { class: "tabs", role: "group", "aria-label": board.words.tabs },
      board.tabs.map((tab) => h("button", { type: "button", key: tab.code, class: tab.is_urgent ? "urgent" : "", "aria-pressed": tab.is_on ? "true" : "false", onclick: () => send("choice", { tab: tab.code, rule: "" }) }, tab.name, " ", h("b", {}, tab.count))),
      h("span", { class: "push" }),
      board.new.map((one) => h("button", { type: "button", class: "primary", onclick: () => send("act", { action: one.action, value: one.value }) }, one.name)),
    ),
    board.cannot ? h("p", { class: "cannot", role: "status" }, board.cannot) : null,
    board.rows.length ? drawRuleTable(board, send) : emptyNote(board.empty),
  );
}

function drawRuleTable(board, send) {
  return h(
    "table",
    { class: "jobs-table rules-table" },
    h("caption", { class: "hidden" }, board.title),
    h("thead", {}, h("tr", {}, board.columns.map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", { onkeydown: stepThroughAlerts }, board.rows.map((row) => drawRuleRow(board, row, send))),
  );
}

function drawRuleRow(board, row, send) {
  const isOn = board.chosen?.key === row.key;
  const open = () => send("choice", { rule: row.key });
  return h(
    "tr",
    { key: row.key, class: isOn ? "on" : "", onclick: open },
    h("th", { scope: "row" }, h("button", { type: "button", class: "job", "aria-pressed": isOn ? "true" : "false", onclick: (event) => (event.stopPropagation(), open()) }, h("span", { class: "id" }, row.title), h("span", { class: "under" }, row.about))),
    h("td", { class: row.tone }, h("span", {}, row.status), h("span", { class: "under" }, row.marks.join(" · "))),
    h("td", { class: row.health_tone, "data-tip": row.health_tip }, h("span", {}, stateMark(row.health_tone, ""), row.health), h("span", { class: "under" }, row.firing)),
    h("td", { class: row.useful_tone, "data-tip": row.useful_tip }, h("span", {}, row.useful_tone === "warning" ? stateMark("warning", "") : null, row.useful), h("span", { class: "under" }, row.useful_under)),
    h("td", {}, h("span", {}, row.owner), h("span", { class: "under" }, row.changed)),
  );
}

function drawRuleDetail(board, send) {
  const detail = board.chosen;
  if (!detail) return h("aside", { class: "card panel-card", key: "none" }, emptyNote(board.words.choose));
  const act = (button, reason = "") => send("act", { action: button.action, key: detail.key, value: button.value, reason });
  return h(
    "aside",
    { class: "card panel-card", key: detail.key, "aria-label": detail.title },
    h("header", { class: "job-head", key: "head" }, h("h2", {}, detail.title), h("p", { class: detail.tone }, detail.status)),
    h("div", { class: "buttons", key: "buttons" }, detail.buttons.map((button) => drawButton(button, act, board.words))),
    drawSentences(detail.sentence_title, detail.sentences),
    drawRulePreview(detail.preview),
    drawNotes(detail.notes_title, detail.notes),
    h("dl", { class: "facts", key: "facts" }, detail.facts.map(drawFact)),
    detail.trial ? drawTrial(detail.trial, null) : null,
    h("section", { class: "parts", key: "versions" }, h("h3", {}, detail.versions_title), detail.versions.map((version) => drawVersion(version, act, board.words))),
    h("details", { class: "history", key: "events" }, h("summary", {}, detail.events_title), h("dl", { class: "facts" }, detail.events.map((fact) => [h("dt", {}, fact.name), h("dd", {}, fact.text)]))),
  );
}

// What is opened is written into at once.
function focusReason(event) {
  if (event.target.open) event.target.querySelector("input").focus();
}

// A button that needs a reason opens the line to write it first.
function drawButton(button, act, words) {
  if (!button.reason) return h("button", { type: "button", class: button.is_main ? "primary" : "", onclick: () => (!button.question || window.confirm(button.question)) && act(button) }, button.name);
  const submit = (event) => {
    event.preventDefault();
    const input = event.target.querySelector("input");
    if (!input.value.trim()) return input.focus();
    act(button, input.value);
    event.target.closest("details").open = false;
  };
  return h(
    "details",
    { class: "ask", key: `${button.action} ${button.value}`, ontoggle: focusReason },
    h("summary", { class: button.is_main ? "primary" : "" }, button.name),
    h("form", { onsubmit: submit }, h("input", { maxlength: "300", placeholder: button.reason, "aria-label": button.reason, autocomplete: "off" }), h("button", { type: "submit", class: "primary" }, words.go)),
  );
}

function drawVersion(version, act, words) {
  return h(
    "details",
    { class: "version", key: version.number },
    h("summary", {}, h("b", {}, version.number), version.marks.map((mark) => h("span", { class: "chip" }, mark)), h("span", { class: "muted" }, version.about)),
    version.reason ? h("p", {}, version.reason) : null,
    drawChanges(version.changes, words),
    h("div", { class: "buttons" }, version.buttons.map((button) => drawButton(button, act, words))),
  );
}

function drawChanges(changes, words) {
  if (!changes.length) return h("p", { class: "muted" }, words.no_changes);
  return h(
    "table",
    { class: "changes" },
    h("thead", {}, h("tr", {}, [words.part, words.before, words.after].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, changes.map(([part, before, after]) => h("tr", {}, h("th", { scope: "row" }, part), h("td", { class: before ? "old" : "" }, before || "–"), h("td", { class: "new" }, after || "–")))),
  );
}

function drawRulePreview([text, href]) {
  return text ? h("p", { class: "rule-preview", key: "preview" }, h("a", { href: inside(href), target: "_self" }, text)) : null;
}

function drawSentences(title, sentences) {
  if (!sentences.length) return null;
  return h("section", { class: "parts", key: "sentence" }, h("h3", {}, title), sentences.map((one) => h("p", { class: "sentence", lang: one.name }, one.text)));
}

function drawNotes(title, notes) {
  if (!notes.length) return null;
  return h("section", { class: "parts notes", key: "notes" }, h("h3", {}, title), h("ul", {}, notes.map((note) => h("li", { class: note.tone }, stateMark(note.tone, ""), h("span", {}, note.text)))));
}

function drawRuleSaid(board) {
  const said = board.said;
  if (!said) return null;
  return h("p", { class: `said ${said.is_refusal ? "refusal" : ""}`, role: said.is_refusal ? "alert" : "status", key: `said ${said.number}` }, stateMark(said.is_refusal ? "warning" : "neutral", ""), said.text);
}
