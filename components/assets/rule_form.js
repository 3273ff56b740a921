// The form of a rule, and beside it what its values mean: sentence, oddities, where figures lie, what it would have done.
function drawEditor(board, send) {
  const editor = board.editor;
  const words = board.words;
  const form = (event) => event.target.closest(".rules").querySelector("form.rule");
  const act = (event, action, value = "", reason = "") => send("act", { action, value, reason, values: valuesOf(form(event)) });
  const wait = () => {
    ruleDesk.isWaiting = true;
    redraw("rules");
  };
  return [
    h(
      "section",
      { class: "card jobs", key: "form", "aria-label": editor.title },
      h("header", { class: "editor-head" }, h("h2", {}, editor.title), h("button", { type: "button", onclick: () => send("act", { action: "close", value: "", values: {} }) }, words.close)),
      h(
        "form",
        { class: "rule", key: editor.stamp, onsubmit: (event) => event.preventDefault(), onchange: (event) => act(event, "edit") },
        editor.sections.map((section) => drawSection(section, act)),
        editor.limits ? drawLimits(editor.limits) : null,
      ),
    ),
    h(
      "aside",
      { class: "card panel-card", key: "means", "aria-label": editor.sentence_title },
      editor.error ? h("p", { class: "refused", role: "alert", key: "error" }, stateMark("warning", ""), editor.error) : null,
      drawSentences(editor.sentence_title, editor.sentences),
      drawRulePreview(editor.preview),
      drawNotes(editor.notes_title, editor.notes),
      editor.plot ? drawPlot(editor.plot) : null,
      editor.tries.length ? h("section", { class: "parts", key: "try" }, h("h3", {}, editor.try_title), h("div", { class: "buttons" }, editor.tries.map((one) => h("button", { type: "button", "data-try": one.value, onclick: (event) => (act(event, "try", one.value), wait()) }, one.name)), h("span", { class: "muted busy" }, words.busy))) : null,
      editor.trial ? drawTrial(editor.trial, (event, value) => act(event, "pick", value)) : null,
      editor.changes.length ? h("section", { class: "parts", key: "changes" }, h("h3", {}, editor.changes_title), drawChanges(editor.changes, words)) : null,
      editor.buttons.length ? h("div", { class: "buttons end", key: "end" }, editor.buttons.map((button) => drawFormButton(button, act, words))) : null,
    ),
  ];
}

function drawFormButton(button, act, words) {
  if (!button.reason) return h("button", { type: "button", class: button.is_main ? "primary" : "", "data-act": button.action, onclick: (event) => act(event, button.action, button.value) }, button.name);
  const submit = (event) => {
    event.preventDefault();
    const input = event.target.querySelector("input");
    if (!input.value.trim()) return input.focus();
    act(event, button.action, button.value, input.value);
    event.target.closest("details").open = false;
  };
  return h(
    "details",
    { class: "ask", key: button.action, ontoggle: focusReason },
    h("summary", { class: button.is_main ? "primary" : "", "data-act": button.action }, button.name),
    h("form", { onsubmit: submit }, h("input", { maxlength: "300", name: "reason", placeholder: button.reason, "aria-label": button.reason, autocomplete: "off" }), h("button", { type: "submit", class: "primary" }, words.go)),
  );
}

function valuesOf(form) {
  const values = {};
  if (!form) return values;
  for (const box of form.querySelectorAll("[data-many]")) values[box.dataset.many] = "";
  for (const [name, value] of new FormData(form)) values[name] = values[name] ? `${values[name]},${value}` : value;
  return values;
}

function drawSection(section, act) {
  return h(
    "details",
    { class: "section", key: section.code, open: section.is_open },
    h("summary", {}, section.title),
    section.hint ? h("p", { class: "muted" }, section.hint) : null,
    h("div", { class: "fields" }, section.fields.map(drawRuleField)),
    section.buttons.length ? h("div", { class: "buttons" }, section.buttons.map((button) => h("button", { type: "button", "data-act": button.action, onclick: (event) => act(event, button.action, button.value) }, button.name))) : null,
  );
}

function drawRuleField(field) {
  const id = `rule-${field.code}`;
  if (field.kind === "hidden") return h("input", { key: field.code, type: "hidden", name: field.code, value: field.value });
  if (field.kind === "many") return drawMany(field);
  const common = { id, name: field.code, autocomplete: "off", spellcheck: "false", placeholder: field.place || null };
  const input =
    field.kind === "choice"
      ? h("select", { ...common, class: "switch" }, field.options.map((one) => h("option", { key: one.code, value: one.code, selected: one.code === field.value }, one.name)))
      : field.kind === "long"
        ? h("textarea", { ...common, rows: "2", maxlength: "2000", value: field.value })
        : h("input", { ...common, type: field.kind === "date" ? "date" : "text", inputmode: field.kind === "number" ? "decimal" : null, maxlength: "300", value: field.value });
  return h("div", { class: `field${field.is_wide ? " wide" : ""}`, key: field.code }, h("label", { for: id }, field.name), h("span", { class: "input" }, input, field.suffix ? h("span", { class: "suffix" }, field.suffix) : null), hintOf(field));
}

function drawMany(field) {
  const chosen = new Set(field.value.split(",").filter(Boolean));
  const names = field.options.filter((one) => chosen.has(one.code)).map((one) => one.name);
  return h(
    "div",
    { class: `field${field.is_wide ? " wide" : ""}`, key: field.code, "data-many": field.code },
    h("span", { class: "label" }, field.name),
    h("details", { class: "many" }, h("summary", {}, names.join(ruleDesk.board.language === "zh-CN" ? "、" : ", ") || field.place), h("div", { class: "boxes" }, field.options.map((one) => h("label", { key: one.code }, h("input", { type: "checkbox", name: field.code, value: one.code, checked: chosen.has(one.code) }), one.name)))),
    hintOf(field),
  );
}

function drawLimits(table) {
  return h(
    "details",
    { class: "section limits", key: "limits" },
    h("summary", {}, table.title),
    h("p", { class: "muted" }, table.hint),
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, table.heads.map((name) => h("th", { scope: "col" }, name)))),
      h(
        "tbody",
        {},
        table.rows.map((row) =>
          h(
            "tr",
            { key: row.code },
            h("th", { scope: "row" }, row.name),
            h("td", {}, row.now),
            h("td", {}, row.usual),
            ["warning", "critical"].map((level, index) => h("td", {}, h("span", { class: "input" }, h("input", { name: `limit.${level}.${row.code}`, value: row[level], inputmode: "decimal", autocomplete: "off", "aria-label": `${row.name} ${table.heads[3 + index]}` }), h("span", { class: "suffix" }, table.suffix)))),
          ),
        ),
      ),
    ),
  );
}

function drawPlot(plot) {
  if (!plot.rows.length) return h("section", { class: "parts", key: "plot" }, h("h3", {}, plot.title), emptyNote(plot.empty));
  const at = (share) => `${(100 * share).toFixed(1)}%`;
  return h(
    "section",
    { class: "parts strips", key: "plot" },
    h("h3", {}, plot.title, h("span", { class: "scope" }, plot.legend)),
    h(
      "table",
      { "aria-label": plot.title },
      h(
        "tbody",
        {},
        plot.rows.map((row) =>
          h(
            "tr",
            { key: row.name, "data-tip": row.tip },
            h("th", { scope: "row" }, row.name),
            h(
              "td",
              { class: "lane", "aria-hidden": "true" },
              h("i", { class: "range", style: { left: at(row.least), width: at(row.most - row.least) } }),
              h("i", { class: "usual", style: { left: at(row.low), width: at(Math.max(0.004, row.high - row.low)) } }),
              plot.warning === null ? null : h("i", { class: "limit warning", style: { left: at(plot.warning) } }),
              plot.critical === null ? null : h("i", { class: "limit critical", style: { left: at(plot.critical) } }),
              h("i", { class: "middle", style: { left: at(row.middle) } }),
              row.now === null ? null : h("i", { class: `now ${row.tone}`, style: { left: at(row.now) } }),
            ),
            h("td", { class: `figure ${row.tone}` }, stateMark(row.tone, ""), row.text),
          ),
        ),
      ),
    ),
    h("p", { class: "ends" }, plot.ends.map((text) => h("span", {}, text))),
    plot.more ? h("p", { class: "muted" }, plot.more) : null,
  );
}

function drawTrial(trial, pick) {
  return h(
    "section",
    { class: "parts trial", key: "trial" },
    h("h3", {}, trial.title),
    trial.note ? h("p", { class: "muted" }, trial.note) : null,
    h("dl", { class: "facts numbers" }, trial.facts.map((fact) => h("div", {}, h("dt", {}, fact.name), h("dd", {}, fact.text)))),
    trial.empty ? emptyNote(trial.empty) : null,
    trial.lanes.length ? [h("h3", {}, trial.lanes_title), h("table", { class: "lanes" }, h("tbody", {}, trial.lanes.map((lane) => h("tr", { key: lane.name }, h("th", { scope: "row" }, lane.name), h("td", {}, drawStretches(lane.stretches)), h("td", { class: "end" }, lane.figure))))), h("p", { class: "ends" }, trial.axis.map((text) => h("span", {}, text)))] : null,
    trial.more ? h("p", { class: "muted" }, trial.more) : null,
    trial.points.length ? drawFrontier(trial, pick) : null,
  );
}

// Each point is a threshold: further up more late orders are caught, further right more alerts come.
function drawFrontier(trial, pick) {
  const points = [...trial.points].sort((one, other) => one.x - other.x || one.y - other.y);
  // The line joins those that no other beats: more caught with fewer alerts. The others stay to be chosen, smaller.
  const best = points.filter((point, index) => points.every((other, place) => place === index || other.y < point.y || other.x > point.x || (other.y === point.y && other.x === point.x)));
  const line = best.map((point, index) => `${index ? "L" : "M"}${(100 * point.x).toFixed(1)} ${(100 - 100 * point.y).toFixed(1)}`).join("");
  return [
    h("h3", {}, trial.frontier_title),
    h("p", { class: "muted" }, trial.frontier_note),
    h(
      "div",
      { class: "frontier" },
      h("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" }, h("path", { d: line, "vector-effect": "non-scaling-stroke" })),
      points.map((point) => h("button", { type: "button", key: point.value, class: `${best.includes(point) ? "" : "beaten"} ${point.is_own ? "own" : ""}`, "data-tip": point.tip, "aria-label": point.tip.replaceAll("\n", ", "), disabled: !pick, style: { left: `${(100 * point.x).toFixed(1)}%`, bottom: `${(100 * point.y).toFixed(1)}%` }, onclick: (event) => pick(event, point.value) }, h("span", {}, point.name))),
      h("span", { class: "y-name" }, trial.y_name),
    ),
    h("p", { class: "ends" }, h("span", {}, trial.x_ends[0]), h("span", {}, trial.x_name), h("span", {}, trial.x_ends[1])),
  ];
}
