// The player: frames are here already, so playing asks nobody. What the reader stops at goes into the address.
const STEP_MS = 900;
const ASK_MS = 500;
const hand = { span: "", at: null, beside: null, isPlaying: false, timer: 0, asking: 0 };

function shownFrames(player) {
  if (!player?.frames.length) return { left: -1, right: -1 };
  const find = (at, fallback) => (at === null ? fallback : player.frames.findIndex((frame) => frame.at === at));
  return { left: find(hand.at, player.left), right: find(hand.beside, player.right) };
}

// What the server says of the instants counts again, unless the reader is at it: so the browser's back works.
function heedServer(player) {
  if (hand.player !== player && !hand.isPlaying && !hand.asking) Object.assign(hand, { at: null, beside: null });
  hand.player = player;
}

function keepPlaying(page, send, show) {
  hand.again = () => advance(page, send, show);
  if (hand.isPlaying && page.player?.frames.length && !hand.timer) hand.timer = setTimeout(() => hand.again(), STEP_MS);
}

function advance(page, send, show) {
  hand.timer = 0;
  if (!hand.isPlaying) return;
  const { left } = shownFrames(page.player);
  hand.at = page.player.frames[(left + 1) % page.player.frames.length].at;
  show(page);
}

function play(page, send, show) {
  hand.isPlaying = true;
  if (page.player.frames.length) advance(page, send, show);
  else send("choice", { span: page.player.spans[0].code });
}

function pause(page, send, show) {
  hand.isPlaying = false;
  clearTimeout(hand.timer);
  hand.timer = 0;
  keepInstants(send);
  show(page);
}

function stopAt(page, send, show, change) {
  Object.assign(hand, change, { isPlaying: false });
  clearTimeout(hand.timer);
  hand.timer = 0;
  keepInstants(send);
  show(page);
}

// Once the reader rests, the list follows and the address can be passed on.
function keepInstants(send) {
  clearTimeout(hand.asking);
  hand.asking = setTimeout(() => {
    hand.asking = 0;
    send("choice", { at: hand.at ?? "", beside: hand.beside ?? "" });
  }, ASK_MS);
}

function leaveTime(send) {
  clearTimeout(hand.timer);
  clearTimeout(hand.asking);
  Object.assign(hand, { at: null, beside: null, isPlaying: false, timer: 0, asking: 0 });
  send("choice", { span: "", at: "", beside: "" });
}

function chooseSpan(send, code) {
  Object.assign(hand, { at: null, beside: null });
  send("choice", { span: code, at: "", beside: "" });
}

function drawPlayer(page, send, show) {
  const { h } = globalThis.orderControlRoom.tools;
  const { player, words } = page;
  if (!player) return null;
  const { left, right } = shownFrames(player);
  const frames = player.frames;
  const button = (text, word, onclick, props = {}) => h("button", { type: "button", class: "step", "aria-label": word, "data-tip": word, onclick, ...props }, text);
  const go = (by) => stopAt(page, send, show, { at: frames[(Math.max(0, left) + by + frames.length) % frames.length].at });
  const slide = (name, index, word) => h("input", { type: "range", class: "slide", min: 0, max: frames.length - 1, step: 1, value: index < 0 ? frames.length - 1 : index, "aria-label": word, "aria-valuetext": frames[index]?.name ?? words.now, oninput: (event) => stopAt(page, send, show, { [name]: frames[Number(event.target.value)].at }) });
  return h(
    "section",
    { class: "player", "aria-label": words.player },
    hand.isPlaying && frames.length ? button("❚❚", words.pause, () => pause(page, send, show), { class: "step main" }) : button("▶", words.play, () => play(page, send, show), { class: "step main" }),
    frames.length ? [button("‹", words.back, () => go(-1)), button("›", words.forward, () => go(1)), slide("at", left, words.instant), h("output", { class: "when" }, frames[left]?.name ?? words.now)] : h("span", { class: "hint" }, words.player_hint),
    frames.length && right >= 0 ? [h("span", { class: "versus" }, words.versus), slide("beside", right, words.instant_beside), h("output", { class: "when" }, frames[right].name)] : null,
    h("span", { class: "push" }),
    h("div", { class: "spans", role: "group", "aria-label": words.span }, player.spans.map((span) => h("button", { type: "button", "aria-pressed": span.is_on ? "true" : "false", onclick: () => chooseSpan(send, span.code) }, span.name))),
    frames.length ? h("button", { type: "button", class: "plain", "aria-pressed": right >= 0 ? "true" : "false", onclick: () => stopAt(page, send, show, right >= 0 ? { beside: null, at: frames[Math.max(0, left)].at } : { at: frames[left < 0 || left === frames.length - 1 ? 0 : left].at, beside: frames[frames.length - 1].at }) }, words.compare) : null,
    frames.length ? h("button", { type: "button", class: "plain", onclick: () => leaveTime(send) }, words.to_now) : null,
    h("p", { class: "hidden", role: "status" }, hand.isPlaying || left < 0 ? "" : frames[left].spoken),
  );
}
