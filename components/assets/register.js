// Rows with what can be done about each, and forms beside them. Values go to the server as plain texts.
function drawRegister(data, send) {
  const act = (action, key, values = {}) => send("act", { action, key, values });
  const inline = data.forms.filter((form) => form.is_inline);
  const beside = data.forms.filter((form) => !form.is_inline);
  const own = drawSheet(data, act, inline);
  const said = data.outcome;
  const forms = beside.map((form) => h("section", { class: "card", key: form.key }, h("div", { class: "head" }, h("h2", {}, form.title)), said?.form === form.key ? drawOutcome(said) : null, drawForm(form, act)));
  const [above, below] = [true, false].map((isFirst) => data.sheets.filter((sheet) => sheet.is_first === isFirst).map((sheet) => drawSheet(sheet, act, [])));
  return h(
    "div",
    { class: beside.length ? "register beside" : "register" },
    said && !said.form ? drawOutcome(said) : null,
    data.sheets.length ? [h("div", { class: "column", key: "sheets" }, above, own, below), forms.length ? h("div", { class: "column", key: "forms" }, forms) : null] : forms.length ? [own, h("div", { class: "side", key: "forms" }, forms)] : own,
  );
}

function drawSheet(sheet, act, inline) {
  return h(
    "section",
    { class: sheet.is_first ? "card raised" : "card", key: sheet.title },
    h("div", { class: "head" }, h("h2", {}, sheet.title), h("span", { class: "muted" }, sheet.note)),
    inline.map((form) => drawForm(form, act)),
    sheet.entries.length ? drawEntries(sheet, act) : h("p", { class: "muted" }, sheet.empty),
  );
}

function drawOutcome(outcome) {
  return h("div", { class: `outcome ${outcome.state}`, role: "status" }, h("span", {}, outcome.text), outcome.secret ? h("code", {}, outcome.secret) : null);
}

function drawEntries(data, act) {
  const hasActs = data.entries.some((entry) => entry.acts.length);
  return h(
    "div",
    { class: "rows", tabindex: "0", role: "region", "aria-label": data.title },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, data.columns.map((name) => h("th", { scope: "col" }, name)), hasActs ? h("th", { scope: "col", class: "acts" }, data.acts_name) : null)),
      h("tbody", {}, data.entries.map((entry) => drawEntry(entry, hasActs, act))),
    ),
  );
}

function drawEntry(entry, hasActs, act) {
  const [first, ...rest] = entry.cells;
  const mark = entry.mark ? h("span", { class: `word ${entry.state}` }, entry.state === "neutral" ? null : stateMark(entry.state, ""), entry.mark) : null;
  return h(
    "tr",
    { key: entry.key, "data-tip": entry.tip || null },
    h("th", { scope: "row" }, first, entry.mark_cell ? null : mark),
    rest.map((text, place) => h("td", {}, mark && entry.mark_cell === place + 1 ? mark : text)),
    hasActs ? h("td", { class: "acts" }, entry.acts.map((one) => h("button", { type: "button", onclick: () => (!one.question || window.confirm(one.question)) && act(one.action, entry.key) }, one.name))) : null,
  );
}

function drawForm(form, act) {
  const submit = (event) => {
    event.preventDefault();
    const values = {};
    for (const [name, value] of new FormData(event.target)) values[name] = name in values ? `${values[name]},${value}` : value;
    act(form.action, form.key, values);
  };
  return h(
    "form",
    { key: form.key, class: form.is_inline ? "inline" : "", onsubmit: submit },
    form.fields.map((field) => drawField(form, field)),
    form.note ? h("p", { class: "muted" }, form.note) : null,
    h("button", { type: "submit", class: form.is_quiet ? "quiet" : "primary" }, form.submit),
  );
}

function drawField(form, field) {
  const id = `${form.key}-${field.code}`;
  if (field.kind === "tree") return h("fieldset", {}, h("legend", {}, field.name), field.branches.map((branch) => drawBranch(field, branch)), hintOf(field));
  const input =
    field.kind === "choice"
      ? h("select", { id, name: field.code }, [field.choices.map((one) => drawChoice(one)), field.branches.map((branch) => h("optgroup", { label: branch.name }, branch.choices.map((one) => drawChoice(one))))])
      : h("input", { id, name: field.code, type: field.kind, value: field.value, required: field.is_needed ? "" : null, autocomplete: "off", spellcheck: "false", maxlength: "200" });
  return h("div", { class: "field" }, h("label", { for: id }, field.name), input, hintOf(field));
}

function drawChoice(one) {
  return h("option", { value: one.code, selected: one.is_on }, one.name);
}

function drawBranch(field, branch) {
  return h(
    "div",
    { class: "branch", role: "group", "aria-label": branch.name },
    h("span", { class: "muted" }, branch.name),
    branch.choices.map((one) => h("label", {}, h("input", { type: "checkbox", name: field.code, value: one.code, checked: one.is_on }), one.name)),
  );
}

function hintOf(field) {
  return field.hint ? h("span", { class: "hint" }, field.hint) : null;
}

// Who is looked through, on every page of a preview, and the way out.
function drawPreview(data, send) {
  return h("div", { class: "preview", role: "status" }, stateMark("warning", ""), h("span", {}, data.text), h("button", { type: "button", onclick: () => send("leave", true) }, data.leave));
}
