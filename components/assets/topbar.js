const MOST_CHIPS_BESIDE = 2;

// Title, what is shown, how fresh it is; and the few controls that every page has. Many filters have a line of their own.
function drawTopbar(bar, send) {
  const isCrowded = bar.chips.length > MOST_CHIPS_BESIDE;
  return h("div", {}, drawBar(bar, send, isCrowded ? [] : bar.chips), isCrowded ? h("div", { class: "chips-row no-print" }, bar.chips.map((chip) => drawChip(chip, send))) : null);
}

function drawBar(bar, send, chips) {
  return h(
    "header",
    { class: "topbar" },
    drawPageMenu(bar),
    h("h1", {}, bar.title),
    h("span", { class: "where" }, bar.scope),
    chips.map((chip) => drawChip(chip, send)),
    h("span", { class: `live ${bar.live.state}`, "data-tip": bar.live.tip, role: "status" }, h("span", { class: "dot" }), bar.live.text),
    bar.marks.map((mark) => h("span", { class: "calendar", "data-tip": mark.tip }, mark.text)),
    bar.problems.map((text) => h("span", { class: "problem", role: "alert", "data-tip": text }, stateMark("warning", ""), text)),
    h("span", { class: "push" }),
    h("ul", { class: "sources", "aria-label": bar.words.sources }, bar.sources.map(drawSource)),
    bar.counts.length ? h("span", { class: "tallies" }, h("span", { class: "muted" }, bar.words.tallies), bar.counts.map((count) => h("span", { class: `tally ${count.number ? count.state : "none"}`, "data-tip": count.tip }, h("span", { class: `mark ${count.state}`, "aria-hidden": "true" }), h("b", {}, count.number), count.word))) : null,
    drawControls(bar, send),
  );
}

function drawPageMenu(bar) {
  if (bar.pages.length < 2) return null;
  return h(
    "details",
    { class: "menu pages", ontoggle: closeOthers },
    h("summary", { "aria-label": bar.words.pages, "data-tip": bar.words.pages }, icon("menu")),
    h("nav", { class: "panel", "aria-label": bar.words.pages }, bar.pages.map((page) => h("a", { href: inside(page.href), target: "_self", "aria-current": page.is_here ? "page" : null }, page.name))),
  );
}

function drawChip(chip, send) {
  return h("button", { type: "button", class: "chip", key: chip.code, "aria-label": chip.remove, "data-tip": chip.remove, onclick: () => send("choice", { [chip.code]: "" }) }, h("span", {}, chip.text), h("span", { "aria-hidden": "true" }, "×"));
}

function drawSource(source) {
  return h("li", { class: source.state, "data-tip": source.tip, tabindex: "0", "aria-label": source.tip.replaceAll("\n", ", ") }, h("span", { class: "dot" }), source.name, " ", h("span", { class: "age" }, source.age));
}

function drawControls(bar, send) {
  const words = bar.words;
  return h(
    "nav",
    { class: "controls", key: "controls", "aria-label": words.menu },
    drawSavedMenu(bar.saved, send),
    drawFilterMenu(bar, send),
    h("button", { type: "button", class: "plain", lang: bar.other_language.code, onclick: () => send("choice", { language: bar.other_language.code }) }, bar.other_language.name),
    h("button", { type: "button", class: "plain", "aria-label": words.theme, "data-tip": words.theme, onclick: () => switchTheme(bar.paths) }, icon("theme")),
    bar.can_go_full ? h("button", { type: "button", class: "plain", "aria-label": words.full_screen, "data-tip": words.full_screen, onclick: enterWall }, icon("full")) : null,
    drawUserMenu(bar),
  );
}

function drawUserMenu(bar) {
  return h(
    "details",
    { class: "menu user", ontoggle: closeOthers },
    h("summary", { "aria-label": bar.words.menu }, h("span", { class: "badge" }, bar.user.initial), bar.user.name),
    h(
      "div",
      { class: "panel" },
      h("p", { class: "muted" }, bar.user.role),
      h("a", { href: "/auth/account", target: "_self" }, bar.words.account),
      h("form", { method: "post", action: "/auth/sign-out" }, h("button", { type: "submit", class: "wide" }, bar.words.sign_out)),
    ),
  );
}

// A click outside closes what is open; the event's path sees into the components.
function closeMenus(event) {
  for (const host of document.querySelectorAll("[data-ocr-host]")) {
    for (const menu of host.ocrRoot?.querySelectorAll("details.menu[open]") ?? []) if (!event.composedPath().includes(menu)) menu.open = false;
  }
}

function closeOthers(event) {
  if (!event.target.open) return;
  for (const other of event.target.getRootNode().querySelectorAll("details.menu[open]")) if (other !== event.target) other.open = false;
}
