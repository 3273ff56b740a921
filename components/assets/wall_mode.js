// Full-screen wall: no chrome, the sections come forward one after the other, Escape leaves.
const ROTATION = [null, "worst", "heat", "country", "warehouses"];
const TURN_MS = 15000;
let turning = null;

function isWall() {
  return new URLSearchParams(location.search).get("wall") === "1";
}

function enterWall() {
  setWall(true);
  document.documentElement.requestFullscreen?.().catch(() => null);
}

function leaveWall() {
  if (document.fullscreenElement) document.exitFullscreen();
  setWall(false);
}

function setWall(isOn) {
  const address = new URL(location.href);
  if (isOn) address.searchParams.set("wall", "1");
  else address.searchParams.delete("wall");
  history.replaceState(history.state, "", address);
  applyWall();
}

function applyWall() {
  const isOn = isWall();
  for (const root of document.querySelectorAll("[data-ocr-host]")) setFlag(root.ocrRoot, "wall", isOn ? "yes" : null);
  if (isOn && turning === null) turning = setInterval(turn, TURN_MS);
  if (!isOn && turning !== null) {
    clearInterval(turning);
    turning = null;
    bringForward(null);
  }
}

function setFlag(element, name, value) {
  if (!element) return;
  if (value === null) delete element.dataset[name];
  else element.dataset[name] = value;
}

function turn() {
  if (document.hidden) return;
  const board = boardRoot();
  const next = (ROTATION.indexOf(board?.dataset.focus ?? null) + 1) % ROTATION.length;
  bringForward(ROTATION[next]);
}

function boardRoot() {
  return [...document.querySelectorAll("[data-ocr-host]")].map((host) => host.ocrRoot).find((root) => root?.querySelector(".board"));
}

function bringForward(area) {
  const board = boardRoot();
  setFlag(board, "focus", area);
  for (const section of board?.querySelectorAll("section.card") ?? []) section.classList.toggle("zoomed", section.dataset.area === area);
}

function onWallKey(event) {
  if (event.key !== "Escape") return;
  for (const host of document.querySelectorAll("[data-ocr-host]")) if (host.ocrRoot?.ocrUnpin?.()) return;
  for (const host of document.querySelectorAll("[data-ocr-host]")) {
    const menu = host.ocrRoot?.querySelector("details.menu[open]");
    if (menu) return void (menu.open = false);
  }
  for (const host of document.querySelectorAll("[data-ocr-host]")) {
    const close = host.ocrRoot?.querySelector(".figure-panel .close");
    if (close) return void close.click();
  }
  if (boardRoot()?.dataset.focus && !isWall()) bringForward(null);
  else if (isWall()) leaveWall();
}
