// Alerts: a table with a time line, and beside it the one that is opened.
function drawAlerts(board, send) {
  const why = board.chosen;
  return h(
    "main",
    { class: "worklist alerts" },
    board.banner ? h("p", { class: "banner", role: "alert" }, stateMark("critical", ""), board.banner) : null,
    h("section", { class: "card jobs", "aria-label": board.title }, drawAlertHead(board, send), drawAlertTable(board, send)),
    h("aside", { class: "card panel-card", "aria-label": board.words.why, key: why ? why.row.key : "none" }, why ? drawWhy(board, why, send) : emptyNote(board.words.choose)),
    drawAlertSaid(board, send),
  );
}

function drawAlertHead(board, send) {
  return [
    cardHead(board.title, board.scope),
    h(
      "div",
      { class: "tabs", role: "group", "aria-label": board.words.tabs },
      board.tabs.map((tab) =>
        h("button", { type: "button", key: tab.code, class: tab.is_urgent ? "urgent" : "", "aria-pressed": tab.is_on ? "true" : "false", onclick: () => send("choice", { tab: tab.code, item: "" }) }, tab.name, " ", h("b", {}, tab.count)),
      ),
    ),
    h("div", { class: "narrow" }, board.choices.map((choice) => drawPlaces(choice, send)), h("span", { class: "push" }), board.figures.map((fact) => h("span", { class: "fact" }, h("span", { class: "muted" }, fact.name), " ", h("b", {}, fact.text)))),
    board.cannot ? h("p", { class: "cannot", role: "status" }, board.cannot) : null,
  ];
}

function drawAlertTable(board, send) {
  if (!board.rows.length) return emptyNote(board.empty);
  return h(
    "table",
    { class: "jobs-table alerts-table" },
    h("caption", { class: "hidden" }, board.title),
    h("thead", {}, h("tr", {}, board.columns.map((name, index) => h("th", { scope: "col", class: index === board.columns.length - 1 ? "time" : "" }, index === board.columns.length - 1 ? drawLineEnds(board.axis) : name)))),
    h("tbody", { onkeydown: stepThroughAlerts }, board.rows.map((row) => drawAlertRow(board, row, send))),
  );
}

function drawLineEnds(axis) {
  return h("span", { class: "ends" }, axis.map((text) => h("span", {}, text)));
}

function drawAlertRow(board, row, send) {
  const isOn = board.chosen?.row.key === row.key;
  const open = () => send("choice", { item: row.key });
  return h(
    "tr",
    { key: row.key, class: `${row.tone}${isOn ? " on" : ""}`, onclick: open },
    h("th", { scope: "row" }, h("button", { type: "button", class: "job", "aria-pressed": isOn ? "true" : "false", onclick: (event) => (event.stopPropagation(), open()) }, h("span", { class: "id" }, stateMark(row.tone, row.state), row.title), h("span", { class: "under" }, row.state))),
    h("td", {}, h("span", {}, row.place), h("span", { class: "under" }, row.marks.join(" · "))),
    h("td", { class: row.tone }, h("span", {}, row.value), h("span", { class: "under" }, row.limit)),
    h("td", {}, h("span", {}, row.lasted), h("span", { class: "under" }, row.since)),
    h("td", {}, h("span", { class: row.has_holder ? "" : "nobody" }, row.holder)),
    h("td", { class: "time" }, drawStretches(row.stretches)),
  );
}

function drawStretches(stretches) {
  return h("span", { class: "stretches" }, stretches.map((one) => h("i", { class: one.tone, "data-tip": one.tip, style: { left: `${(100 * one.start).toFixed(2)}%`, width: `${Math.max(0.8, 100 * (one.end - one.start)).toFixed(2)}%` } })));
}

function stepThroughAlerts(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || !event.target.classList.contains("job")) return;
  event.preventDefault();
  const buttons = [...event.currentTarget.querySelectorAll("button.job")];
  buttons[buttons.indexOf(event.target) + step]?.focus();
}

function drawWhy(board, why, send) {
  const words = board.words;
  const row = why.row;
  const act = (verb, value = "", note = "") => send("act", { verb, key: row.key, value, note });
  return [
    h(
      "header",
      { class: "job-head", key: "head" },
      h("h2", {}, stateMark(row.tone, row.state), h("span", {}, row.title)),
      h("p", { class: "why-figure" }, h("strong", { class: row.tone }, row.value), " ", h("span", { class: "muted" }, row.limit)),
      h("p", {}, why.headline),
      row.marks.length ? h("p", {}, row.marks.map((mark) => [h("span", { class: "chip" }, mark), " "])) : null,
    ),
    why.band ? drawBand(why.band) : null,
    why.actions.length ? h("p", { class: "actions", key: "actions" }, why.actions.map((action) => h("a", { class: action.is_main ? "action main" : "action", href: inside(action.href), target: "_self" }, action.name))) : null,
    h("fieldset", { key: "take", disabled: !board.can_act }, h("legend", {}, words.handle), drawTake(why, words, act)),
    h("fieldset", { key: "verdict", disabled: !board.can_act }, h("legend", {}, words.verdict), h("div", { class: "segments three" }, why.verdicts.map((one) => h("button", { type: "button", "aria-pressed": one.is_on ? "true" : "false", onclick: () => act("verdict", one.code) }, one.name)))),
    why.silences.length || why.silence ? h("fieldset", { key: "silence", disabled: !board.can_act }, h("legend", {}, words.silence), drawSilence(why, words, act)) : null,
    h("dl", { class: "facts", key: "facts" }, why.facts.map(drawFact)),
    h("section", { class: "parts", key: "sentence" }, h("h3", {}, why.sentence_title), h("p", { class: "sentence" }, why.sentence), why.rule_href ? h("a", { class: "plain-link small", href: inside(why.rule_href), target: "_self" }, why.rule_link) : null),
    why.parts ? h("div", { key: "parts" }, drawParts(why.parts, send)) : null,
    why.orders ? h("div", { key: "orders" }, drawOrderRows(why.orders, send)) : null,
    why.past ? h("div", { key: "past" }, drawParts(why.past, send)) : null,
    h("section", { class: "parts", key: "deeds" }, h("h3", {}, words.history), why.deeds.length ? drawLines(why.deeds, words, (verb, value) => act(verb, value)) : emptyNote(words.nothing_done)),
  ];
}

function drawFact(fact) {
  const href = outside(fact.href);
  const text = href ? h("a", { class: "way", href, target: "_blank", rel: "noopener noreferrer" }, fact.text, h("span", { "aria-hidden": "true" }, " ↗")) : fact.text;
  return [h("dt", {}, fact.name), h("dd", {}, text)];
}

// A runbook is kept elsewhere: of what leads out, plain web addresses only.
function outside(href) {
  return /^https?:\/\/[^\s/\\]/i.test(href ?? "") ? href : null;
}

function drawTake(why, words, act) {
  const submit = (event) => {
    event.preventDefault();
    const area = event.target.querySelector("textarea");
    act(why.is_acknowledged ? "note" : "acknowledge", "", area.value);
    area.value = "";
  };
  return [
    h(
      "form",
      { class: "note-form", key: `note ${why.row.key}`, onsubmit: submit },
      h("textarea", { rows: "2", maxlength: "2000", placeholder: words.note_hint, "aria-label": words.note }),
      h("button", { type: "submit", class: "primary" }, why.is_acknowledged ? words.add_note : words.acknowledge),
    ),
    h(
      "div",
      { class: "row" },
      h(
        "select",
        { class: "switch grow", "aria-label": words.assignee, onchange: (event) => event.target.value && act("assign", event.target.value) },
        h("option", { value: "", selected: !why.assignee }, words.assign),
        why.people.map((person) => h("option", { key: person.code, value: person.code, selected: person.code === why.assignee }, person.name)),
      ),
      h("button", { type: "button", disabled: why.assignee === words.me || !why.people.some((person) => person.code === words.me), onclick: () => act("assign", words.me) }, words.take),
    ),
  ];
}

function drawSilence(why, words, act) {
  if (why.silence) return h("div", { class: "row" }, h("p", { class: "grow" }, why.silence), h("button", { type: "button", disabled: !why.silence_id, onclick: () => act("unsilence", why.silence_id) }, words.unsilence));
  const submit = (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    act("silence", `${form.get("reach")}/${form.get("length")}`, form.get("note"));
  };
  return h(
    "form",
    { class: "silence-form", key: `silence ${why.row.key}`, onsubmit: submit },
    h("div", { class: "row" }, h("select", { class: "switch grow", name: "reach", "aria-label": words.reach }, why.reaches.map((one) => h("option", { value: one.code }, one.name))), h("select", { class: "switch", name: "length", "aria-label": words.length }, why.silences.map((one) => h("option", { value: one.code }, one.name)))),
    h("div", { class: "row" }, h("input", { class: "grow", name: "note", maxlength: "300", placeholder: words.silence_hint, "aria-label": words.silence_hint, autocomplete: "off" }), h("button", { type: "submit" }, words.silence_set)),
  );
}

function drawAlertSaid(board, send) {
  const said = board.said;
  if (!said) return null;
  return h(
    "p",
    { class: `said ${said.is_refusal ? "refusal" : ""}`, role: said.is_refusal ? "alert" : "status", key: `said ${said.number}` },
    stateMark(said.is_refusal ? "warning" : "neutral", ""),
    said.text,
    said.undo ? h("button", { type: "button", onclick: () => send("act", { verb: "undo", key: said.key, value: said.undo, note: "" }) }, board.words.undo) : null,
  );
}
