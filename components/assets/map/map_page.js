// The map page: path and choices, the map with its legend and player, and the same in words beside it.
function drawMapPage(page, send, show) {
  const { h, drawNotice, drawCrumbs, drawControl, stateMark } = globalThis.orderControlRoom.tools;
  heedServer(page.player);
  if (page.notice) return h("main", { class: "geo" }, h("div", { class: "board nothing" }, drawNotice(page.notice)));
  return h(
    "main",
    { class: "geo" },
    h("div", { class: "plane-head" }, drawCrumbs(page, send), h("div", { class: "choices" }, page.controls.map((control) => drawControl(control, send)))),
    page.note ? h("p", { class: "plane-note", role: "status" }, stateMark("warning", ""), page.note) : null,
    h("div", { class: "geo-body" }, drawMapCard(page, send, show), h("div", { class: "geo-side" }, drawFigures(page, send), drawStuck(page, send), drawRanking(page, send), drawMissing(page, send))),
  );
}

function drawMapCard(page, send, show) {
  const { h, cardHead } = globalThis.orderControlRoom.tools;
  const { left, right } = shownFrames(page.player);
  const names = [left, right].filter((index) => index >= 0).map((index) => page.player.frames[index].name);
  return h(
    "section",
    { class: "card geo-map", "aria-label": page.title },
    cardHead(page.title, page.scope),
    h(
      "div",
      { class: `stage ${right >= 0 ? "two" : ""}` },
      h("div", { class: "deck", key: "deck", own: true, tabindex: "0", role: "group", "aria-label": `${page.spoken} ${page.words.keys}`, onkeydown: onMapKey }),
      names.length ? h("div", { class: "instants", "aria-hidden": "true" }, names.map((name) => h("span", {}, name))) : null,
      right >= 0 ? null : drawLayers(page, send),
      drawZoom(page),
      h("p", { class: "credit" }, page.credit),
    ),
    drawPlayer(page, send, show),
  );
}

// The legend is the switch: each layer with what its marks mean, on or off.
function drawLayers(page, send) {
  const { h, drawLink } = globalThis.orderControlRoom.tools;
  const isFrame = shownFrames(page.player).left >= 0;
  const turned = (code) => page.layers.filter((layer) => layer.is_on !== (layer.code === code)).map((layer) => layer.code).join() || "none";
  return h(
    "fieldset",
    { class: "layers" },
    h("legend", { class: "hidden" }, page.words.layers),
    page.layers.map((layer) =>
      h(
        "div",
        { class: `layer ${layer.is_on ? "on" : "off"}`, key: layer.code },
        h("button", { type: "button", role: "switch", "aria-checked": layer.is_on ? "true" : "false", onclick: () => send("choice", { layers: turned(layer.code) }) }, h("span", { class: `sign ${layer.swatch}`, "aria-hidden": "true" }), h("span", {}, layer.name)),
        layer.is_on ? [layer.range ? h("p", { class: "range" }, layer.swatch.startsWith("ramp") ? h("span", { class: `ramp ${layer.swatch.split("-")[1]}`, "aria-hidden": "true" }) : null, layer.range) : null, layer.note ? h("p", { class: "range" }, drawLink(layer.href, send, {}, layer.note)) : null] : null,
      ),
    ),
    isFrame ? h("p", { class: "range" }, page.words.now_only) : null,
  );
}

function drawZoom(page) {
  const { h } = globalThis.orderControlRoom.tools;
  const stage = (event) => event.currentTarget.closest(".stage").querySelector(".deck").ocrStage;
  const zoom = (by) => (event) => nudge(stage(event), (now) => ({ zoom: Math.min(12, Math.max(1, now.zoom + by)) }));
  const button = (sign, word, onclick) => h("button", { type: "button", "aria-label": word, "data-tip": word, onclick }, sign);
  return h("div", { class: "zoom" }, button("+", page.words.zoom_in, zoom(0.7)), button("−", page.words.zoom_out, zoom(-0.7)), button("⤢", page.words.fit, (event) => refit(stage(event))));
}

function drawFigures(page, send) {
  const { h, drawLink, stateMark } = globalThis.orderControlRoom.tools;
  return h(
    "ul",
    { class: "figures card" },
    page.tiles.map((tile) => h("li", { "data-tip": tile.info, tabindex: "0", "aria-label": tile.spoken }, tile.href ? drawLink(tile.href, send, { class: "name" }, tile.name) : h("span", { class: "name" }, tile.name), h("span", { class: `value ${tile.tone}` }, stateMark(tile.state, tile.state_word), tile.value))),
  );
}

// What the engine finds stuck, in words, as on the flow page; how sure that is stands beside it.
function drawStuck(page, send) {
  const { h, cardHead, drawLink, drawWorst, followHref } = globalThis.orderControlRoom.tools;
  if (!page.stuck) return null;
  const { worst, way, href } = page.stuck;
  return h("section", { class: "card stuck", key: "stuck", "aria-label": worst.title }, cardHead(worst.title, worst.scope), h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": worst.title }, drawWorst(worst, (to) => followHref(to, send))), h("p", { class: "way" }, drawLink(href, send, {}, way)));
}

function drawRanking(page, send) {
  const { h, cardHead, emptyNote, stateMark, drawLink } = globalThis.orderControlRoom.tools;
  const ranking = page.ranking;
  const isCompared = ranking.rows.some((row) => row.before);
  const row = (entry) =>
    h(
      "tr",
      { "data-tip": entry.tip, class: entry.is_chosen ? "chosen" : "", "aria-current": entry.is_chosen ? "true" : null },
      h("th", { scope: "row" }, drawLink(entry.href, send, { title: entry.name }, entry.name)),
      isCompared ? h("td", { class: "figure" }, entry.before) : h("td", { class: "bar", "aria-hidden": "true" }, h("span", { class: "track" }, h("span", { class: `fill ${entry.state}`, style: { width: `${(100 * entry.share).toFixed(1)}%` } }))),
      h("td", { class: `figure ${entry.state}` }, stateMark(entry.state, entry.state_word), entry.figure),
      h("td", { class: "end" }, isCompared ? entry.change : entry.note),
      h("td", { class: "ways" }, entry.drill ? drawLink(entry.drill, send, { "aria-label": `${page.words.drill}: ${entry.name}`, "data-tip": page.words.drill }, "↘") : null, entry.orders ? drawLink(entry.orders, send, { "aria-label": `${page.words.orders}: ${entry.name}`, "data-tip": page.words.orders }, "☰") : null, entry.alert ? drawLink(entry.alert, send, { "aria-label": `${page.words.alert}: ${entry.name}`, "data-tip": page.words.alert }, "⚑") : null),
    );
  return h(
    "section",
    { class: "card ranking", "aria-label": ranking.title },
    cardHead(ranking.title, ranking.scope),
    ranking.rows.length
      ? h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": ranking.title }, h("table", { "aria-label": ranking.title }, h("thead", {}, h("tr", {}, ranking.heads.map((name, index) => h("th", { scope: "col", class: index === 1 && !isCompared ? "bar" : "" }, index === 1 && !isCompared ? h("span", { class: "hidden" }, name) : name)))), h("tbody", {}, ranking.rows.map(row))))
      : emptyNote(ranking.empty),
  );
}

function drawMissing(page, send) {
  const { h, cardHead, emptyNote, drawLink } = globalThis.orderControlRoom.tools;
  const missing = page.missing;
  return h("section", { class: "card missing", "aria-label": missing.title }, cardHead(missing.title, ""), missing.rows.length ? h("ul", {}, missing.rows.map(([text, href]) => h("li", {}, drawLink(href, send, {}, text)))) : emptyNote(missing.empty));
}

export default function mountMap(component) {
  const room = (globalThis.orderControlRoom ??= { drawn: new Map() });
  room.map = { draw: drawMapPage, settle: settleMap };
  room.drawn.set(component.parentElement, ["map", component]);
  room.draw?.("map", component);
  return () => {
    const parent = component.parentElement;
    closeStage((parent.host ?? parent).ocrRoot);
    room.drawn.delete(parent);
  };
}
