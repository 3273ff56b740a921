// The work list: a table of orders, and beside it the panel of the one being worked on. Choosing a row asks nobody;
// what is done to it goes to the server and comes back as a sentence that can be taken back.
const desk = { chosen: null, told: null, sent: null, number: 0 };

function drawWorklist(board, send) {
  hearServer(board);
  const jobs = board.jobs;
  const job = jobs.find((one) => one.key === desk.chosen) ?? (board.chosen?.key === desk.chosen ? board.chosen : null);
  return h(
    "main",
    { class: "worklist" },
    h("section", { class: "card jobs", "aria-label": board.title }, drawWorkHead(board, send), drawJobs(board, jobs, send)),
    h("aside", { class: "card panel-card", "aria-label": board.words.panel }, job ? drawJob(board, job, send) : emptyNote(board.words.choose)),
    drawSaid(board, send),
  );
}

function hearServer(board) {
  const key = board.chosen?.key ?? null;
  if (key !== desk.told) desk.chosen = desk.told = key;
  if (desk.chosen === null && board.jobs.length) desk.chosen = board.jobs[0].key;
  if (board.said && board.said.number !== desk.number) {
    desk.number = board.said.number;
    if (!board.said.is_refusal) desk.sent = null;
  }
}

function drawWorkHead(board, send) {
  return [
    cardHead(board.title, board.scope, board.definition ? h("a", { class: "way", href: inside(board.definition[1]), target: "_self" }, board.definition[0]) : null),
    h(
      "div",
      { class: "tabs", role: "group", "aria-label": board.words.tabs },
      board.tabs.map((tab) =>
        h(
          "button",
          { type: "button", key: tab.code, class: tab.is_urgent ? "urgent" : "", "aria-pressed": tab.is_on ? "true" : "false", onclick: () => send("choice", { tab: tab.code, shown: "", item: "" }) },
          tab.name,
          " ",
          h("b", {}, tab.count),
        ),
      ),
    ),
    h(
      "div",
      { class: "narrow" },
      board.choices.map((choice) => drawPlaces(choice, send)),
      h("span", { class: "push" }),
      h("a", { class: "plain-link", href: inside(board.handover), target: "_self" }, board.words.handover),
    ),
    board.cannot ? h("p", { class: "cannot", role: "status" }, board.cannot) : null,
  ];
}

function drawPlaces(choice, send) {
  const chosen = choice.options.find((option) => option.is_on);
  return h(
    "label",
    { key: choice.code },
    h("span", {}, choice.name),
    h(
      "select",
      { class: "switch", onchange: (event) => send("choice", { [choice.code]: event.target.value, shown: "" }) },
      h("option", { value: "", selected: !chosen }, choice.everything),
      choice.options.map((option) => h("option", { key: option.code, value: option.code, selected: option.is_on }, option.name)),
    ),
  );
}

function drawJobs(board, jobs, send) {
  if (!jobs.length) return emptyNote(board.empty);
  return [
    h(
      "table",
      { class: "jobs-table" },
      h("caption", { class: "hidden" }, board.title),
      h("thead", {}, h("tr", {}, board.columns.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", { onkeydown: stepThroughJobs }, jobs.map((job) => drawJobRow(board, job))),
    ),
    board.more ? h("button", { type: "button", class: "wide more", onclick: () => send("choice", { shown: String(jobs.length) }) }, board.more) : null,
  ];
}

function drawJobRow(board, job) {
  const isOn = job.key === desk.chosen;
  return h(
    "tr",
    { key: job.key, class: `${job.tone}${isOn ? " on" : ""}`, onclick: () => chooseJob(job.key) },
    h(
      "th",
      { scope: "row" },
      h("button", { type: "button", class: "job", "aria-pressed": isOn ? "true" : "false", "data-job": job.key }, h("span", { class: "id" }, stateMark(job.tone, job.trouble), job.order_id), h("span", { class: "under" }, job.title)),
    ),
    h("td", {}, h("span", {}, job.place), h("span", { class: "under" }, job.origin)),
    h("td", { class: job.is_calm ? "" : job.tone }, h("span", {}, job.lateness), h("span", { class: "under" }, job.promise)),
    h("td", {}, h("span", {}, job.stage), h("span", { class: "under" }, job.waited)),
    h("td", {}, h("span", { class: job.assignee ? "" : "nobody" }, job.assignee_name), h("span", { class: "under" }, job.state_name)),
    h(
      "td",
      {},
      h("span", { class: job.is_due ? "due" : "" }, job.is_due ? stateMark("warning", board.words.due) : null, job.follow_up),
      h("span", { class: "under remark" }, job.remark || (job.notes.length ? job.notes[job.notes.length - 1].text : "")),
    ),
  );
}

function chooseJob(key) {
  desk.chosen = key;
  redraw("worklist");
}

function stepThroughJobs(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || !event.target.dataset.job) return;
  event.preventDefault();
  const buttons = [...event.currentTarget.querySelectorAll("button.job")];
  const next = buttons[buttons.indexOf(event.target) + step];
  if (!next) return;
  chooseJob(next.dataset.job);
  next.focus();
}

function drawJob(board, job, send) {
  const words = board.words;
  const act = (verb, value) => send("act", { verb, channel: job.channel, order_id: job.order_id, value, version: job.version });
  return [
    h(
      "header",
      { class: "job-head", key: "head" },
      h("h2", {}, stateMark(job.tone, job.trouble), h("a", { href: inside(job.href), target: "_self" }, job.order_id)),
      h("p", { class: job.is_calm ? "muted" : job.tone }, job.lateness),
      h("p", { class: "muted" }, [job.title, job.place, job.origin, job.content].filter(Boolean).join(" · ")),
      h("p", { class: "muted" }, [job.stage, job.waited].filter(Boolean).join(" · ")),
      job.marks.map((mark) => h("span", { class: "chip" }, mark)),
      job.remark ? h("p", { class: "remark" }, job.remark) : null,
    ),
    job.reviews.length ? h("section", { key: "reviews", class: "job-reviews", "aria-label": words.review }, h("h3", {}, words.review), job.reviews.map((one) => drawReview(one, board, act))) : null,
    h("fieldset", { key: "assignee", disabled: !board.can_act }, h("legend", {}, words.assignee), drawAssignee(board, job, act)),
    h("fieldset", { key: "state", disabled: !board.can_act }, h("legend", {}, words.state), h("div", { class: "segments four" }, board.states.map((state) => h("button", { type: "button", "aria-pressed": state.code === job.state ? "true" : "false", onclick: () => act("state", state.code) }, state.name)))),
    h("fieldset", { key: "follow", disabled: !board.can_act }, h("legend", {}, words.follow_up, job.follow_up ? h("b", {}, job.follow_up) : null), drawFollowUps(board, job, act)),
    h("fieldset", { key: "notes", disabled: !board.can_act }, h("legend", {}, words.notes), drawLines(job.notes, words, act), drawNoteForm(board, job, act)),
    h("details", { key: "history", class: "history" }, h("summary", {}, words.history), drawLines(job.history, words, act)),
  ];
}

function drawReview(one, board, act) {
  const words = board.words;
  return h(
    "div",
    { class: `job-review ${one.is_open ? `rank-${one.tone}` : "over"}`, key: one.rule },
    h("p", {}, stateMark(one.tone, ""), h("b", {}, one.title), h("span", { class: "push" }), h("span", { class: "chip" }, one.state)),
    h("p", { class: "muted" }, one.about),
    one.advice ? h("p", {}, one.advice) : null,
    board.can_act && one.can_confirm ? h("button", { type: "button", class: "primary", onclick: () => act("confirm", one.rule) }, words.confirm) : null,
    board.can_act && one.can_withdraw ? h("button", { type: "button", onclick: () => act("withdraw", one.rule) }, words.withdraw) : null,
  );
}

function drawAssignee(board, job, act) {
  const people = board.people[job.people] ?? [];
  return h(
    "div",
    { class: "row" },
    h(
      "select",
      { class: "switch grow", "aria-label": board.words.assignee, onchange: (event) => act("assign", event.target.value) },
      h("option", { value: "", selected: !job.assignee }, board.words.nobody),
      people.map((person) => h("option", { key: person.code, value: person.code, selected: person.code === job.assignee }, person.name)),
    ),
    h("button", { type: "button", disabled: job.assignee === board.words.me || !people.some((person) => person.code === board.words.me), onclick: () => act("assign", board.words.me) }, board.words.take),
  );
}

function drawFollowUps(board, job, act) {
  return [
    h("div", { class: "segments" }, board.follow_ups.map((choice) => h("button", { type: "button", key: choice.code, onclick: () => act("follow_up", choice.code) }, choice.name))),
    h(
      "div",
      { class: "row" },
      h("input", { type: "datetime-local", class: "grow", key: `at ${job.key}`, "aria-label": board.words.follow_up_at }),
      h("button", { type: "button", onclick: (event) => setFollowUp(event, act) }, board.words.set),
      h("button", { type: "button", disabled: !job.follow_up, onclick: () => act("follow_up", "") }, board.words.clear),
    ),
  ];
}

function setFollowUp(event, act) {
  const input = event.target.parentElement.querySelector("input");
  if (input.value) act("follow_up", input.value);
  else input.focus();
}

function drawLines(lines, words, act) {
  return h(
    "ul",
    { class: "lines" },
    lines.map((line, index) =>
      h(
        "li",
        { key: `${index} ${line.text}` },
        h("span", { class: "muted" }, line.who, " · ", line.when),
        line.undo ? h("button", { type: "button", class: "undo", onclick: () => act("undo", line.undo) }, words.undo) : null,
        h("p", {}, line.text),
      ),
    ),
  );
}

function drawNoteForm(board, job, act) {
  const draft = desk.sent?.key === job.key ? desk.sent.text : "";
  return h(
    "form",
    { class: "note-form", key: `note ${job.key}`, onsubmit: (event) => sendNote(event, job, act) },
    h("textarea", { rows: "3", maxlength: board.longest_note, placeholder: board.words.note_hint, "aria-label": board.words.note, value: draft }),
    h("button", { type: "submit" }, board.words.add_note),
  );
}

function sendNote(event, job, act) {
  event.preventDefault();
  const area = event.target.querySelector("textarea");
  if (!area.value.trim()) return area.focus();
  desk.sent = { key: job.key, text: area.value };
  act("note", area.value);
  area.value = "";
}

function drawSaid(board, send) {
  const said = board.said;
  if (!said) return null;
  const [channel, ...rest] = said.key.split("/");
  return h(
    "p",
    { class: `said ${said.is_refusal ? "refusal" : ""}`, role: said.is_refusal ? "alert" : "status", key: `said ${said.number}` },
    stateMark(said.is_refusal ? "warning" : "neutral", ""),
    said.text,
    said.undo ? h("button", { type: "button", onclick: () => send("act", { verb: "undo", channel, order_id: rest.join("/"), value: said.undo, version: 0 }) }, board.words.undo) : null,
    h("button", { type: "button", class: "close", "aria-label": board.words.close, onclick: (event) => (event.currentTarget.parentElement.hidden = true) }, "×"),
  );
}
