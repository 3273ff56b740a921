// A state is a shape and a word before it is a colour.
const MARKED = new Set(["critical", "warning", "stale", "unknown"]);

function stateMark(state, word) {
  if (!MARKED.has(state)) return null;
  return h("span", { class: `mark ${state}`, role: "img", "aria-label": word || state });
}

function cardHead(title, scope, extra) {
  return h("header", { class: "head" }, h("h2", {}, title), extra ?? null, h("span", { class: "scope" }, scope ?? ""));
}

function card(area, head, ...body) {
  return h("section", { class: `card ${area}`, "data-area": area, "aria-label": head.children[0].children[0] }, head, ...body);
}

function emptyNote(text) {
  return h("p", { class: "empty" }, text);
}

const ICONS = {
  saved: "M6 4h12v16l-6-4-6 4z",
  menu: "M4 6h16M4 12h16M4 18h16",
  filter: "M4 6h16M7 12h10M10 18h4",
  theme: "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
  full: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
};

function icon(name) {
  return h("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, h("path", { d: ICONS[name], class: name }));
}
