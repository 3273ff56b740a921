// The global filters: window, as-of, and lists of what is in scope. Each choice goes to the address at once.
function drawFilterMenu(bar, send) {
  const filters = bar.filters;
  return h(
    "details",
    { class: "menu filters", ontoggle: closeOthers },
    h("summary", {}, icon("filter"), " ", bar.words.filters, filters.active ? h("b", { class: "count" }, filters.active) : null),
    h(
      "div",
      { class: "panel" },
      h("fieldset", {}, h("legend", {}, filters.window_name), h("div", { class: "segments" }, filters.windows.map((option) => drawWindow(option, send)))),
      drawAsOf(filters.as_of, send),
      filters.groups.map((group) => drawGroup(group, send)),
      h("button", { type: "button", class: "wide", disabled: !filters.active, onclick: () => send("choice", { clear: "yes" }) }, bar.words.clear),
    ),
  );
}

function drawWindow(option, send) {
  return h("button", { type: "button", "aria-pressed": option.is_on ? "true" : "false", onclick: () => send("choice", { window: option.code }) }, option.name);
}

function drawAsOf(asOf, send) {
  return h(
    "fieldset",
    {},
    h("legend", {}, asOf.name),
    h(
      "div",
      { class: "as-of" },
      h("button", { type: "button", "aria-pressed": asOf.value ? "false" : "true", onclick: () => send("choice", { as_of: "" }) }, asOf.live),
      h("input", { type: "datetime-local", "aria-label": asOf.name, value: asOf.value, min: asOf.min, max: asOf.max, onchange: (event) => event.target.value && send("choice", { as_of: event.target.value }) }),
    ),
  );
}

function drawGroup(group, send) {
  const chosen = group.options.filter((option) => option.is_on).map((option) => option.code);
  const toggle = (code, isOn) => send("choice", { [group.code]: (isOn ? [...chosen, code] : chosen.filter((other) => other !== code)).join(",") });
  return h(
    "fieldset",
    {},
    h("legend", {}, group.name),
    h(
      "div",
      { class: "options" },
      group.options.map((option) =>
        h("label", { key: option.code }, h("input", { type: "checkbox", checked: option.is_on, onchange: (event) => toggle(option.code, event.target.checked) }), option.name),
      ),
    ),
  );
}
