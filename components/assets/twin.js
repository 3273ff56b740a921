// One order's page: the sentence that explains, the facts, one time axis, what was known when, what went on around it.

function drawTwin(page, send) {
  return h(
    page.is_rest ? "section" : "main",
    { class: page.is_rest ? "twin rest" : page.sentence ? "twin" : "twin nothing" },
    page.is_rest ? null : drawTwinHead(page, send),
    page.notice ? drawTwinNotice(page.notice) : null,
    page.axis ? drawAxis(page.axis) : null,
    page.groups.length ? h("section", { class: "card facts", "aria-label": page.words.facts }, page.groups.map(drawFacts)) : null,
    page.events ? drawTwinTable(page.events) : null,
    page.attached.map(drawTwinTable),
    page.parties ? drawParties(page.parties, send) : null,
    page.scrubber ? drawScrubber(page.scrubber) : null,
    page.around ? drawAround(page.around) : null,
  );
}

function drawTwinHead(page, send) {
  const words = page.words;
  const find = (event) => {
    event.preventDefault();
    const text = event.target.elements.order.value.trim();
    if (text) send("choice", { find: text });
  };
  return h(
    "header",
    { class: "card twin-head" },
    h(
      "div",
      { class: "twin-line" },
      page.back ? h("a", { class: "step no-print", href: inside(listBefore() ?? page.back[1]), target: "_self" }, "‹ ", page.back[0]) : null,
      h("h2", {}, page.title || words.page),
      page.status ? h("span", { class: `status ${page.state}` }, stateMark(page.state, page.state_word), page.status) : null,
      h("span", { class: "push" }),
      h("form", { class: "search no-print", role: "search", onsubmit: find }, h("input", { type: "search", name: "order", maxlength: "64", placeholder: words.search, "aria-label": words.search }), h("button", { type: "submit", class: "step" }, words.find)),
      page.work ? drawWork(page.work, send) : null,
      page.sentence ? h("button", { type: "button", class: "step no-print", onclick: () => window.print() }, words.print) : null,
      page.sentence ? h("button", { type: "button", class: "step no-print", "data-tip": words.journey_tip, onclick: () => send("choice", { journey: "yes" }) }, words.journey) : null,
    ),
    page.work?.said ? drawWorkSaid(page.work, send) : null,
    page.sentence ? h("p", { class: "sentence" }, page.sentence) : null,
    page.evidence ? h("p", { class: "evidence" }, page.evidence, " ", page.compared ? h("a", { class: "way", href: inside(page.compared[1]), target: "_self" }, page.compared[0]) : null) : null,
    page.journey ? h("p", { class: "journey-link" }, page.journey[0], " ", h("input", { type: "text", readonly: true, "aria-label": page.journey[0], value: location.origin + page.journey[1], onfocus: (event) => event.target.select() })) : null,
  );
}

function drawWork(work, send) {
  if (work.take) return h("button", { type: "button", class: "step main no-print", "data-tip": work.tip, onclick: () => send("act", work.ask) }, work.take);
  return work.text ? h("a", { class: "step no-print", href: inside(work.href), target: "_self" }, work.text) : null;
}

function drawWorkSaid(work, send) {
  return h("p", { class: "work-said no-print", role: work.is_refusal ? "alert" : "status" }, stateMark(work.is_refusal ? "warning" : "neutral", ""), work.said, work.undo ? h("button", { type: "button", class: "step", onclick: () => send("act", work.undo) }, work.undo_word) : null);
}

// The list this order was opened from, as it was: its filters, sorting and page.
function listBefore() {
  if (!document.referrer) return null;
  const from = new URL(document.referrer);
  return from.origin === location.origin && from.pathname === "/orders" ? from.pathname + from.search : null;
}

function drawTwinNotice(notice) {
  return h("section", { class: "card notice-card", role: "alert" }, h("h2", {}, notice.title), h("p", {}, notice.text), notice.href ? h("a", { class: "way", href: inside(notice.href), target: "_self" }, notice.way) : null);
}

function drawFacts(group) {
  return h("div", { class: "fact-group" }, h("h3", {}, group.title), h("dl", {}, group.facts.map((fact) => h("div", { "data-tip": fact.tip || null }, h("dt", {}, fact.name), h("dd", {}, fact.text, fact.mark ? h("em", {}, fact.mark) : null)))));
}

function drawParties(parties, send) {
  return h(
    "section",
    { class: "card parties", "aria-label": parties.title },
    cardHead(parties.title, parties.scope),
    parties.problem ? h("p", { class: "problem", role: "alert" }, parties.problem) : null,
    parties.watermark ? h("div", { class: "twin-watermark", key: "watermark", "aria-hidden": "true" }, Array.from({ length: 40 }, () => h("span", {}, parties.watermark))) : null,
    h("dl", {}, parties.parties.map((party) => h("div", { class: party.shown_seconds ? "revealed" : "" }, h("dt", {}, party.name), h("dd", { "data-masked": party.masked, "data-seconds": String(party.shown_seconds) }, party.text), parties.words.reveal && !party.shown_seconds ? drawReveal(party, parties, send) : null))),
  );
}

function drawReveal(party, parties, send) {
  const words = parties.words;
  if (parties.confirm) return h("a", { class: "no-print", href: inside(parties.confirm), target: "_self" }, words.confirm);
  const ask = (event) => {
    event.preventDefault();
    const { purpose, reason, password } = event.target.elements;
    send("choice", { reveal: { field: party.field, purpose: purpose.value, reason: reason.value, password: password?.value ?? "" } });
    if (password) password.value = "";
    event.target.closest("details").open = false;
  };
  return h(
    "details",
    { class: "no-print", key: party.field },
    h("summary", {}, words.reveal),
    h(
      "form",
      { class: "reveal", onsubmit: ask },
      h("label", {}, words.purpose, h("select", { name: "purpose" }, parties.purposes.map(([code, name]) => h("option", { value: code }, name)))),
      h("label", {}, words.reason, h("input", { type: "text", name: "reason", required: true, minlength: "5", maxlength: "500", autocomplete: "off" })),
      parties.is_password_asked ? h("label", {}, words.password, h("input", { type: "password", name: "password", required: true, autocomplete: "current-password" })) : h("span", { class: "muted" }, words.confirmed),
      h("button", { type: "submit", class: "step" }, words.show),
    ),
  );
}

// An original leaves the page by itself when its time is over, whether or not the page is drawn again.
function settleParties(root) {
  const mark = root.querySelector(".twin-watermark");
  if (mark) mark.hidden = false;
  root.querySelectorAll(".parties dd[data-seconds]").forEach((place) => {
    clearTimeout(place.ocrTimer);
    const seconds = Number(place.dataset.seconds);
    if (seconds > 0) place.ocrTimer = setTimeout(() => { place.textContent = place.dataset.masked; place.parentElement.classList.remove("revealed"); if (mark) mark.hidden = true; }, seconds * 1000);
  });
}

function share(value) {
  return `${(100 * value).toFixed(3)}%`;
}

function drawAxis(axis) {
  return h(
    "section",
    { class: "card axis", "aria-label": axis.title },
    cardHead(axis.title, axis.scope),
    axis.spans.length
      ? h(
          "table",
          { class: "stages" },
          h("caption", { class: "hidden" }, axis.title),
          h("thead", {}, h("tr", {}, h("th", { scope: "col" }, axis.heads[0]), h("th", { scope: "col", class: "track" }, h("div", { class: "ticks", "aria-hidden": "true" }, axis.ticks.map((tick) => h("span", { class: `tick-mark ${tick.kind} ${tick.left > 0.94 ? "last" : ""}`, style: { left: share(tick.left) } }, tick.text)))), axis.heads.slice(1).map((head) => h("th", { scope: "col", class: "figure" }, head)))),
          h("tbody", {}, axis.spans.map((span) => drawSpan(span, axis))),
        )
      : emptyNote(axis.empty),
    h("p", { class: "legend" }, axis.legend),
  );
}

function drawSpan(span, axis) {
  return h(
    "tr",
    { class: span.state },
    h("th", { scope: "row" }, span.href ? h("a", { href: inside(span.href), target: "_self" }, span.name) : span.name, span.mark ? h("em", {}, span.mark) : null),
    h(
      "td",
      { class: "track", "data-tip": span.tip },
      axis.ticks.map((tick) => h("i", { class: `rule ${tick.kind}`, style: { left: share(tick.left) } })),
      span.usual_width === null ? null : h("i", { class: "usual", style: { left: share(span.usual_left), width: share(span.usual_width) } }),
      h("i", { class: `bar ${span.is_waiting ? "waiting" : ""}`, style: { left: share(span.left), width: share(span.width) } }),
    ),
    h("td", { class: "figure strong" }, stateMark(span.state, span.state_word), span.dwell),
    h("td", { class: "figure" }, span.usual),
    h("td", { class: "figure" }, span.limit),
  );
}

function drawTwinTable(table) {
  return h(
    "section",
    { class: "card small-table", "aria-label": table.title },
    cardHead(table.title, table.scope),
    table.rows.length
      ? h("div", { class: "table-scroll" }, h("table", { class: "order-table" }, h("caption", { class: "hidden" }, table.title), h("thead", {}, h("tr", {}, table.heads.map((head) => h("th", { scope: "col" }, head)))), h("tbody", {}, table.rows.map((row) => h("tr", {}, row.map((text) => h("td", {}, text)))))))
      : emptyNote(table.empty),
  );
}

function drawScrubber(scrubber) {
  if (!scrubber.steps.length) return h("section", { class: "card scrubber" }, cardHead(scrubber.title, scrubber.scope), emptyNote(scrubber.empty));
  return h(
    "section",
    { class: "card scrubber", "aria-label": scrubber.title },
    cardHead(scrubber.title, scrubber.scope),
    h("div", { class: "scrub" }, h("input", { type: "range", min: "0", max: String(scrubber.steps.length - 1), step: "1", disabled: scrubber.steps.length < 2, "aria-label": scrubber.slider, value: String(scrubber.steps.length - 1), oninput: (event) => showKnown(event.target, scrubber), onchange: (event) => showKnown(event.target, scrubber) }), h("output", { class: "at" }, scrubber.steps.at(-1))),
    h("div", { class: "known", own: true, key: scrubber.steps.length + scrubber.title }),
  );
}

// Filled after the slider stands in the page, and again whenever it moves; nothing is asked of the server.
function showKnown(slider, scrubber) {
  const card = slider.closest(".scrubber");
  const step = Number(slider.value);
  card.querySelector("output").textContent = scrubber.steps[step];
  slider.setAttribute("aria-valuetext", scrubber.steps[step]);
  const known = new Map();
  for (const change of scrubber.changes) if (change.step <= step) known.set(change.fact, change);
  const later = scrubber.changes.filter((change) => change.step > step);
  const rows = [...known.values()].filter((change) => !change.is_withdrawn);
  patch(card.querySelector(".known"), [
    h("div", {}, h("h3", {}, scrubber.known), h("dl", {}, rows.map((change) => h("div", { "data-tip": `${change.source} · ${change.seen}` }, h("dt", {}, change.fact), h("dd", {}, change.after))))),
    h("div", {}, h("h3", {}, scrubber.since), later.length ? changeTable(later, scrubber) : emptyNote(scrubber.none_since)),
  ]);
}

function changeTable(changes, scrubber) {
  return h("div", { class: "table-scroll" }, h("table", { class: "order-table" }, h("thead", {}, h("tr", {}, scrubber.heads.map((head) => h("th", { scope: "col" }, head)))), h("tbody", {}, changes.map((change) => h("tr", { class: change.kind }, [change.seen, change.source, change.fact, change.kind_word, change.before, change.after, change.delay].map((text) => h("td", {}, text)))))));
}

function settleScrubber(root, page) {
  const slider = root.querySelector(".scrubber input[type=range]");
  if (slider && page.scrubber) showKnown(slider, page.scrubber);
}

function drawAround(around) {
  return h(
    "section",
    { class: "card around", "aria-label": around.title },
    cardHead(around.title, around.scope),
    around.series.map((series) => h("div", { class: "series", "data-tip": series.tip }, h("span", { class: "name" }, series.name), h("span", { class: "hours", role: "img", "aria-label": series.tip }, series.bars.map((bar, index) => h("i", { class: index === series.marked ? "marked" : bar === null ? "gap" : "", style: { height: share(Math.max(bar ?? 0, 0.02)) } }))), h("span", { class: "figure" }, series.text))),
    h("dl", {}, around.facts.map((fact) => h("div", { "data-tip": fact.tip || null }, h("dt", {}, fact.name), h("dd", {}, fact.text)))),
  );
}
