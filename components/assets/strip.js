// The strip on every page: how many alerts fire, the most urgent ones, and all of them on opening. What is new since the
// page was opened carries a mark; a sound only where somebody asked for it on this screen.
const alertsSeen = { keys: null, fresh: new Set() };
const SOUND_KEY = "orderControlRoomAlertSound";

function drawStrip(strip) {
  hearNews(strip);
  const rows = strip.rows;
  return h(
    "section",
    { class: "strip", "aria-label": strip.title },
    strip.banner ? h("span", { class: "problem", role: "alert" }, stateMark("critical", ""), strip.banner) : null,
    h(
      "details",
      { class: "menu alerts-menu", key: "menu", ontoggle: closeOthers },
      h("summary", { "aria-label": strip.title, "data-tip": strip.words.open }, h("span", { class: "muted" }, strip.title), h("span", { class: `tally ${toneOf(strip.critical, "critical")}` }, h("span", { class: "mark critical", "aria-hidden": "true" }), h("b", {}, strip.critical), strip.words.critical), h("span", { class: `tally ${toneOf(strip.warning, "warning")}` }, h("span", { class: "mark warning", "aria-hidden": "true" }), h("b", {}, strip.warning), strip.words.warning), h("span", { class: "muted" }, strip.other)),
      h("div", { class: "panel" }, rows.length ? drawStripTable(strip) : emptyNote(strip.calm), h("div", { class: "row" }, soundButton(strip), h("span", { class: "push" }), h("a", { href: inside(strip.href), target: "_self" }, strip.words.all))),
    ),
    rows.length ? h("ul", { class: "urgent", "aria-live": "polite" }, rows.slice(0, 4).map((row) => drawChipOf(row, strip))) : h("span", { class: "muted calm" }, strip.calm),
    h("a", { class: "all", href: inside(strip.href), target: "_self" }, strip.words.all),
  );
}

// None of them is nothing to look at: the count stays where it is, without its colour.
function toneOf(count, level) {
  return count === "0" ? "none" : level;
}

function drawChipOf(row, strip) {
  const isFresh = alertsSeen.fresh.has(row.key);
  return h(
    "li",
    { key: row.key },
    h(
      "a",
      { href: inside(row.href), target: "_self", class: row.tone, "data-tip": tipOf(row), onclick: () => alertsSeen.fresh.delete(row.key) },
      stateMark(row.tone, row.state),
      isFresh ? h("span", { class: "fresh" }, strip.words.fresh) : null,
      h("b", {}, row.place || row.title),
      row.place ? h("span", { class: "title" }, row.title) : null,
      h("span", { class: "value" }, row.value),
      h("span", { class: "muted" }, row.lasted),
    ),
  );
}

function tipOf(row) {
  return [`${row.title}${row.place ? ` · ${row.place}` : ""}`, `${row.value} ${row.limit}`, [row.state, row.since].join(" · "), row.holder].join("\n");
}

function drawStripTable(strip) {
  return h(
    "table",
    { "aria-label": strip.title },
    h("thead", {}, h("tr", {}, strip.words.columns.split("|").map((name) => h("th", { scope: "col" }, name)))),
    h(
      "tbody",
      {},
      strip.rows.map((row) =>
        h(
          "tr",
          { key: row.key },
          h("th", { scope: "row" }, stateMark(row.tone, row.state), h("a", { href: inside(row.href), target: "_self" }, row.place || row.title), h("span", { class: "under" }, row.place ? row.title : row.state)),
          h("td", { class: row.tone }, row.value, h("span", { class: "under" }, row.limit)),
          h("td", {}, row.lasted, h("span", { class: "under" }, row.since)),
          h("td", { class: "spark-cell" }, row.spark.some((value) => value !== null) ? drawSpark(row.spark, row.tone, []) : null),
          h("td", { class: row.has_holder ? "" : "nobody" }, row.holder),
        ),
      ),
    ),
  );
}

function isSoundOn() {
  return localStorage.getItem(SOUND_KEY) === "on";
}

function soundButton(strip) {
  const toggle = (event) => {
    localStorage.setItem(SOUND_KEY, isSoundOn() ? "off" : "on");
    if (isSoundOn()) beep();
    event.currentTarget.setAttribute("aria-pressed", String(isSoundOn()));
    event.currentTarget.textContent = isSoundOn() ? strip.words.sound_on : strip.words.sound_off;
  };
  return h("button", { type: "button", class: "sound", "aria-pressed": String(isSoundOn()), onclick: toggle }, isSoundOn() ? strip.words.sound_on : strip.words.sound_off);
}

function hearNews(strip) {
  const now = new Set(strip.news);
  if (alertsSeen.keys) {
    const fresh = strip.news.filter((key) => !alertsSeen.keys.has(key));
    fresh.forEach((key) => alertsSeen.fresh.add(key));
    if (fresh.length && isSoundOn()) beep();
  }
  for (const key of alertsSeen.fresh) if (!now.has(key)) alertsSeen.fresh.delete(key);
  alertsSeen.keys = now;
}

// Two short soft tones; a browser that allows no sound before the first click stays silent.
function beep() {
  try {
    const audio = (globalThis.orderControlRoom.audio ??= new AudioContext());
    for (const [start, pitch] of [[0, 660], [0.22, 880]]) {
      const tone = audio.createOscillator();
      const gain = audio.createGain();
      const at = audio.currentTime + start;
      tone.frequency.value = pitch;
      gain.gain.setValueAtTime(0.0001, at);
      gain.gain.exponentialRampToValueAtTime(0.12, at + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.0001, at + 0.18);
      tone.connect(gain).connect(audio.destination);
      tone.start(at);
      tone.stop(at + 0.2);
    }
  } catch {
    return;
  }
}
