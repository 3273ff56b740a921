// Saved views: a menu of links, what can be done with each, and a form to save what is on the screen.
function drawSavedMenu(saved, send) {
  if (!saved) return null;
  const words = saved.words;
  const act = (verb, more) => send("saved", { verb, ...more });
  return h(
    "details",
    { class: "menu saved", key: "saved", ontoggle: closeOthers },
    h("summary", { "aria-label": words.title, "data-tip": words.title }, icon("saved")),
    h(
      "div",
      { class: "panel" },
      h("p", { class: "saved-title" }, words.title),
      drawSavedSaid(saved, act),
      saved.entries.length ? h("ul", { class: "saved-list", key: "list" }, saved.entries.map((entry) => drawSavedEntry(saved, entry, act))) : h("p", { class: "muted" }, words.none),
      saved.deleted.length ? drawDeletedViews(saved, act) : null,
      saved.changed ? h("button", { type: "button", class: "wide", onclick: () => act("update", { id: saved.changed }) }, words.update) : null,
      h(
        "form",
        { class: "saved-form", key: "new", onsubmit: (event) => saveView(event, act) },
        h("label", {}, h("span", { class: "muted" }, words.save_title), h("input", { type: "text", name: "name", required: true, maxlength: saved.longest_name, autocomplete: "off" })),
        drawRoles(saved, []),
        h("button", { type: "submit", class: "wide" }, words.save),
      ),
    ),
  );
}

function drawDeletedViews(saved, act) {
  const words = saved.words;
  const row = (entry) => h(
    "li",
    { key: entry.id },
    h("span", {}, h("span", {}, entry.name), h("span", { class: "muted" }, entry.note)),
    h("button", { type: "button", "aria-label": `${words.restore}: ${entry.name}`, onclick: () => act("restore", { id: entry.id }) }, words.restore),
  );
  return h("details", { class: "saved-deleted", key: "deleted" }, h("summary", {}, `${words.deleted} (${saved.deleted.length})`), h("ul", { class: "saved-list" }, saved.deleted.map(row)));
}

function drawSavedSaid(saved, act) {
  const said = saved.said;
  if (!said) return null;
  return h(
    "p",
    { class: `saved-said ${said.is_refusal ? "warning" : ""}`, role: said.is_refusal ? "alert" : "status" },
    said.text,
    said.restore ? h("button", { type: "button", onclick: () => act("restore", { id: said.restore }) }, saved.words.undo) : null,
  );
}

function drawSavedEntry(saved, entry, act) {
  const words = saved.words;
  return h(
    "li",
    { key: entry.id },
    h(
      "a",
      { href: inside(entry.href), target: "_self", "aria-current": entry.is_here ? "page" : null },
      h("span", {}, entry.is_start ? h("span", { role: "img", "aria-label": words.is_start }, "★ ") : null, entry.name),
      h("span", { class: "muted" }, entry.note),
    ),
    h(
      "details",
      { class: "entry", key: `more ${entry.id}` },
      h("summary", { "aria-label": `${words.more}: ${entry.name}` }, "⋯"),
      h("button", { type: "button", class: "wide", "aria-pressed": entry.is_start ? "true" : "false", onclick: () => act("start", { id: entry.is_start ? "" : entry.id }) }, entry.is_start ? words.not_start : words.start),
      entry.is_own ? drawOwn(saved, entry, act) : null,
    ),
  );
}

function drawOwn(saved, entry, act) {
  const words = saved.words;
  return [
    h(
      "form",
      { class: "saved-form", key: `name ${entry.id} ${entry.name}`, onsubmit: (event) => submitted(event, (form) => act("rename", { id: entry.id, name: form.elements.name.value })) },
      h("label", {}, h("span", { class: "muted" }, words.name), h("input", { type: "text", name: "name", required: true, maxlength: saved.longest_name, value: entry.name, autocomplete: "off" })),
      h("button", { type: "submit", class: "wide" }, words.rename),
    ),
    h(
      "form",
      { class: "saved-form", key: `share ${entry.id}`, onsubmit: (event) => submitted(event, (form) => act("share", { id: entry.id, roles: chosenRoles(form) })) },
      drawRoles(saved, entry.roles),
      h("button", { type: "submit", class: "wide" }, words.share),
    ),
    h("button", { type: "button", class: "wide", onclick: () => act("delete", { id: entry.id }) }, words.delete),
  ];
}

function drawRoles(saved, chosen) {
  return h(
    "fieldset",
    {},
    h("legend", {}, saved.words.roles),
    h("div", { class: "options" }, saved.roles.map((role) => h("label", { key: role.code }, h("input", { type: "checkbox", name: "role", value: role.code, checked: chosen.includes(role.code) }), role.name))),
  );
}

function chosenRoles(form) {
  return [...form.querySelectorAll("input[name=role]:checked")].map((box) => box.value).join(",");
}

function submitted(event, then) {
  event.preventDefault();
  then(event.target);
}

function saveView(event, act) {
  submitted(event, (form) => {
    act("save", { name: form.elements.name.value, roles: chosenRoles(form) });
    form.reset();
  });
}
