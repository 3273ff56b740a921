// Joins the parts: every mounted drawing is kept with its data, so that it is drawn when the kit arrives, and again
// when the kit changes.
const sheet = new CSSStyleSheet();
sheet.replaceSync(KIT_CSS);

const DRAWINGS = {
  board: (data, send, room, redraw) => drawBoard(data, send, room.shapes, redraw),
  topbar: (data, send) => drawTopbar(data, send),
  plane: (data, send, room, redraw) => drawPlane(data, send, redraw),
  order_table: (data, send) => drawOrderTable(data, send),
  twin: (data, send) => drawTwin(data, send),
  handover: (data) => drawHandover(data),
  worklist: (data, send) => drawWorklist(data, send),
  alerts: (data, send) => drawAlerts(data, send),
  strip: (data) => drawStrip(data),
  rules: (data, send) => drawRules(data, send),
  register: (data, send) => drawRegister(data, send),
  preview: (data, send) => drawPreview(data, send),
  map: (data, send, room, show) => room.map?.draw(data, send, show),
  heat_grid: (data, send) => h("section", { class: "card alone" }, cardHead(data.title, data.scope), drawHeatGrid(data, (key) => send("cell", key))),
};

function draw(kind, component) {
  const { data, parentElement, setTriggerValue } = component;
  if (!data) return;
  const root = rootOf(parentElement);
  const host = parentElement.host ?? parentElement;
  if (kind === "topbar" && followTheme(data, host)) return;
  root.dataset.theme = root.ocrTip.dataset.theme = themeOf(host);
  root.lang = root.ocrTip.lang = data.language ?? "en";
  const show = (shown) => {
    patch(root, [DRAWINGS[kind](shown, setTriggerValue, globalThis.orderControlRoom, show)]);
    fitLabels(root);
    if (kind === "map") globalThis.orderControlRoom.map?.settle(root, shown, setTriggerValue, show);
  };
  show(data);
  if (kind === "order_table") settleList(root);
  if (kind === "twin") {
    settleScrubber(root, data);
    settleParties(root);
  }
  applyWall();
  if (kind === "board" && root.dataset.focus) bringForward(root.dataset.focus);
}

// Draw every mounted component of a kind again, for what only the browser knows.
function redraw(wanted) {
  for (const [kind, component] of globalThis.orderControlRoom.drawn.values()) if (kind === wanted) draw(kind, component);
}

function rootOf(parent) {
  const host = parent.host ?? parent;
  if (host.ocrRoot?.isConnected) return host.ocrRoot;
  parent.adoptedStyleSheets = [sheet];
  const root = document.createElement("div");
  const tip = document.createElement("div");
  root.className = "ocr";
  tip.className = "ocr tip";
  tip.hidden = true;
  tip.setAttribute("role", "status");
  parent.append(root, tip);
  host.dataset.ocrHost = "";
  host.ocrRoot = root;
  attachTip(root, tip);
  root.addEventListener("focusin", (event) => event.target.closest(".figure-panel") || (root.ocrBefore = event.target));
  return root;
}

export default function publish({ data }) {
  const room = (globalThis.orderControlRoom ??= { drawn: new Map() });
  if (data) room.shapes = data.shapes ?? null;
  // A narrower kit sent beside a wide one does not take its drawings away.
  if (KIT_WIDTH < (room.width ?? 0)) return;
  room.width = KIT_WIDTH;
  room.draw = draw;
  room.tools = { h, icon, inside, cardHead, emptyNote, stateMark, drawCrumbs, drawControl, drawLink, drawNotice, drawWorst, followHref, placeBeside };
  document.onkeydown = onWallKey;
  document.onpointerdown = closeMenus;
  window.onresize = () => document.querySelectorAll("[data-ocr-host]").forEach((host) => host.ocrRoot && fitLabels(host.ocrRoot));
  document.onfullscreenchange = () => document.fullscreenElement || !isWall() || leaveWall();
  for (const [kind, component] of room.drawn.values()) draw(kind, component);
}
