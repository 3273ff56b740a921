// The map itself: pydeck's own library draws the layers that the page describes, over boundaries fetched once from the app.
const PICKS = { areas: "province", lanes: "lane", warehouses: "warehouse", cities: "city", incidents: "province" };
const BELOW = { province: ["city", "lane"], warehouse: ["lane", "wave"], lane: [], city: [] };
const RIGHT = "@right";
const FEW = "hatch";
const HATCH_STEP = 0.55;
const NOW_ONLY = new Set(["late", "lanes", "complaints", "cities", "warehouses", "incidents"]);
const fetched = new Map();

function once(url, get) {
  if (!fetched.has(url)) fetched.set(url, get(url).catch((error) => (fetched.delete(url), Promise.reject(error))));
  return fetched.get(url);
}

const loadLibrary = (url) =>
  once(url, () => new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => (globalThis.deck?.Deck ? resolve() : reject(new Error("no deck.gl")));
    script.onerror = () => reject(new Error("not loaded"));
    document.head.append(script);
  }));

const loadBoundaries = (url) =>
  once(url, async () => {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`boundaries: ${answer.status}`);
    return (await answer.json()).features;
  });

// After every drawing of the page: bring the map to what it says. The map's own element stays through all redraws.
function settleMap(root, page, send, show) {
  const shadow = root.getRootNode();
  if (shadow.adoptedStyleSheets && !shadow.adoptedStyleSheets.includes(mapSheet)) shadow.adoptedStyleSheets = [...shadow.adoptedStyleSheets, mapSheet];
  const host = root.querySelector(".deck");
  if (!host || !page.camera) return;
  const stage = (host.ocrStage ??= { host, cameras: new Map() });
  Object.assign(stage, { root, page, send, show });
  Promise.all([loadLibrary(page.files.library), loadBoundaries(page.files.boundaries)])
    .then(([, boundaries]) => drawStage(stage, boundaries))
    .catch((error) => failStage(stage, error))
    .then(() => requestAnimationFrame(() => requestAnimationFrame(() => keepPlaying(page, send, show))));
}

function failStage(stage, error) {
  console.error(error);
  stage.host.dataset.state = "failed";
  stage.host.setAttribute("data-words", stage.page.words.failed);
}

function drawStage(stage, boundaries) {
  const { page, host } = stage;
  if (!host.isConnected) return;
  const described = JSON.stringify(page.deck);
  if (stage.described !== described) {
    updateDeck(page.deck, { setProps: (props) => (stage.layers = props.layers) });
    stage.described = described;
  }
  const shown = shownFrames(page.player);
  const sides = shown.right >= 0 ? ["left", "right"] : ["left"];
  stage.inks = inksOf(stage.root);
  stage.boundaries = boundaries;
  moveCamera(stage, sides.length);
  const views = sides.map((id, index) => new deck.MapView({ id, x: `${(100 * index) / sides.length}%`, width: `${100 / sides.length}%`, controller: { doubleClickZoom: false, keyboard: false } }));
  const props = { layers: sides.flatMap((side) => layersOf(stage, boundaries, side, shown)), views, viewState: stage.viewState };
  if (stage.deck) stage.deck.setProps(props);
  else stage.deck = openDeck(stage, props);
  host.dataset.state = "drawn";
  host.dataset.layers = page.layers.filter((layer) => layer.is_on).map((layer) => layer.code).join(" ");
  delete host.dataset.busy;
}

function openDeck(stage, props) {
  stage.watcher = new ResizeObserver(() => stage.deck && (moveCamera(stage, 0), stage.deck.setProps({ viewState: stage.viewState })));
  stage.watcher.observe(stage.host);
  stage.host.onpointerdown = (event) => (stage.pressed = event.button === 0 ? [event.clientX, event.clientY] : null);
  stage.host.onpointerup = (event) => {
    if (stage.pressed && Math.hypot(event.clientX - stage.pressed[0], event.clientY - stage.pressed[1]) < 6) choosePicked(stage, event);
    stage.pressed = null;
  };
  return new deck.Deck({
    ...props,
    parent: stage.host,
    width: "100%",
    height: "100%",
    pickingRadius: 4,
    useDevicePixels: Math.min(2, devicePixelRatio),
    layerFilter: ({ layer, viewport }) => layer.id.includes(RIGHT) === (viewport.id === "right"),
    getCursor: ({ isDragging, isHovering }) => (isDragging ? "grabbing" : isHovering ? "pointer" : "grab"),
    onViewStateChange: ({ viewState, interactionState }) => followReader(stage, viewState, interactionState),
    onHover: (info) => tellHover(stage, info),
    onError: (error) => failStage(stage, error),
    onAfterRender: () => (stage.host.dataset.frames = String(1 + Number(stage.host.dataset.frames ?? 0))),
  });
}

function closeStage(root) {
  const stage = root?.querySelector?.(".deck")?.ocrStage;
  stage?.watcher?.disconnect();
  stage?.deck?.finalize();
  if (stage) delete stage.host.ocrStage;
}

// The camera follows the address: a new key moves it, an old key finds it where the reader left it.
function moveCamera(stage, count) {
  const { camera } = stage.page;
  const size = [stage.host.clientWidth, stage.host.clientHeight].join();
  const columns = count || stage.columns || 1;
  const isSame = stage.cameraKey === camera.key && stage.columns === columns;
  if (isSame && (stage.size === size || stage.cameras.has(camera.key)) && stage.pitch === camera.pitch) return;
  const kept = stage.cameras.get(camera.key);
  const target = kept && stage.columns === columns ? { ...kept, pitch: camera.pitch } : fitted(stage, columns);
  const isFirst = stage.viewState === undefined || isSame;
  stage.viewState = { ...target, transitionDuration: isFirst || still() ? 0 : 500, transitionInterpolator: new deck.LinearInterpolator(["longitude", "latitude", "zoom", "pitch"]) };
  Object.assign(stage, { cameraKey: camera.key, size, columns, pitch: camera.pitch });
}

// The boundaries' own points inside the box, thinned out; its corners where there are hardly any, as around a city.
function edgeOf(stage, [west, south, east, north]) {
  const rings = stage.boundaries.flatMap(({ geometry }) => (geometry.type === "Polygon" ? geometry.coordinates : geometry.coordinates.flat()));
  const points = rings.flatMap((ring) => ring.filter((point, index) => index % 6 === 0 && point[0] >= west && point[0] <= east && point[1] >= south && point[1] <= north));
  const reach = (axis) => Math.max(...points.map((point) => point[axis])) - Math.min(...points.map((point) => point[axis]));
  const isFilled = points.length > 12 && reach(0) > 0.7 * (east - west) && reach(1) > 0.7 * (north - south);
  return isFilled ? points : [[west, south], [east, south], [west, north], [east, north]];
}

// Fits the leaning box into what the legend leaves free: where its corners come to lie is measured, then mended.
function fitted(stage, columns) {
  const { camera } = stage.page;
  const width = Math.max(80, stage.host.clientWidth / columns);
  const height = Math.max(80, stage.host.clientHeight);
  const [west, south, east, north] = camera.box;
  const free = { left: columns === 1 && width > 720 ? 236 : 14, right: columns === 1 ? 50 : 14, top: columns === 1 ? 16 : 44, bottom: 26 };
  const room = [Math.max(60, width - free.left - free.right), Math.max(60, height - free.top - free.bottom)];
  const edge = edgeOf(stage, camera.box);
  let now = { longitude: (west + east) / 2, latitude: (south + north) / 2, zoom: 2, pitch: camera.pitch, bearing: 0 };
  for (let turn = 0; turn < 5; turn += 1) {
    const view = new deck.WebMercatorViewport({ ...now, width, height });
    const corners = edge.map((point) => view.project(point));
    const [left, right] = [Math.min(...corners.map((corner) => corner[0])), Math.max(...corners.map((corner) => corner[0]))];
    const [top, bottom] = [Math.min(...corners.map((corner) => corner[1])), Math.max(...corners.map((corner) => corner[1]))];
    const [longitude, latitude] = view.unproject([(left + right) / 2 + (width - free.left * 2 - room[0]) / 2, (top + bottom) / 2 + (height - free.top * 2 - room[1]) / 2]);
    now = { ...now, longitude, latitude, zoom: Math.min(10, now.zoom + Math.log2(Math.min(room[0] / (right - left), room[1] / (bottom - top)))) };
  }
  return { ...now, minZoom: 1, maxZoom: 12 };
}

function followReader(stage, viewState, interaction) {
  const { transitionDuration, transitionInterpolator, ...plain } = viewState;
  const isByHand = interaction?.isDragging || interaction?.isZooming || interaction?.isPanning || interaction?.isRotating;
  if (isByHand) stage.cameras.set(stage.cameraKey, plain);
  stage.viewState = viewState;
  stage.deck.setProps({ viewState });
}

function nudge(stage, change) {
  if (!stage?.viewState) return;
  const { transitionDuration, transitionInterpolator, ...now } = stage.viewState;
  const next = { ...now, ...change(now) };
  stage.cameras.set(stage.cameraKey, next);
  stage.viewState = { ...next, transitionDuration: still() ? 0 : 160, transitionInterpolator: new deck.LinearInterpolator(["longitude", "latitude", "zoom", "pitch"]) };
  stage.deck.setProps({ viewState: stage.viewState });
}

function refit(stage) {
  if (!stage?.deck) return;
  stage.cameras.delete(stage.cameraKey);
  stage.cameraKey = null;
  moveCamera(stage, 0);
  stage.deck.setProps({ viewState: stage.viewState });
}

function onMapKey(event) {
  const stage = event.currentTarget.ocrStage;
  const step = (now) => 30 / 2 ** now.zoom;
  const moves = {
    ArrowLeft: (now) => ({ longitude: now.longitude - step(now) }),
    ArrowRight: (now) => ({ longitude: now.longitude + step(now) }),
    ArrowUp: (now) => ({ latitude: Math.min(80, now.latitude + step(now)) }),
    ArrowDown: (now) => ({ latitude: Math.max(-80, now.latitude - step(now)) }),
    "+": (now) => ({ zoom: Math.min(12, now.zoom + 0.5) }),
    "=": (now) => ({ zoom: Math.min(12, now.zoom + 0.5) }),
    "-": (now) => ({ zoom: Math.max(1, now.zoom - 0.5) }),
  };
  if (!moves[event.key] || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  nudge(stage, moves[event.key]);
}

// The layers of one side: provinces as they are now or in a frame; what stands on them is of now only.
function layersOf(stage, boundaries, side, shown) {
  const { page, inks } = stage;
  const frame = side === "right" ? shown.right : shown.left;
  const cells = frame >= 0 ? page.player.frames[frame].cells : null;
  const suffix = side === "right" ? RIGHT : "";
  const isOn = new Set(["outline", "labels", "cities", ...(page.layers.some((layer) => layer.code === "areas" && layer.is_on) ? ["hatch"] : []), ...page.layers.filter((layer) => layer.is_on).map((layer) => layer.code)]);
  return stage.layers
    .filter((layer) => isOn.has(layer.id) && !(cells && (NOW_ONLY.has(layer.id) || layer.id === "labels")))
    .map((layer) => {
      const id = layer.id + suffix;
      if (layer.id === "outline") return layer.clone({ id, data: featuresOf(stage, boundaries, (code) => !isOn.has("areas") || !page.areas[code], "outline"), ...paints(() => inks("track"), () => inks("line"), () => 1, stage.root.dataset.theme) });
      if (layer.id === "areas") return areasLayer(stage, layer, boundaries, id, cells);
      if (layer.id === "hatch") return layer.clone({ id, data: Object.keys(page.areas).filter((code) => (cells ? cells[code]?.[0] : page.areas[code].ink) === FEW).flatMap((code) => hatchOf(stage, boundaries, code)) });
      return layer.clone({ id, data: (page.marks[layer.id] ?? []).map((mark) => painted(layer.id, mark, inks)) });
    });
}

function areasLayer(stage, layer, boundaries, id, cells) {
  const { page, inks } = stage;
  const inkOf = (code) => (cells ? (cells[code]?.[0] ?? "track") : page.areas[code].ink);
  const fill = ({ code }) => inks(inkOf(code) === FEW ? "hatch-ground" : inkOf(code), page.areas[code].is_muted ? 110 : 255);
  const line = ({ code }) => (page.areas[code].is_chosen ? inks("accent") : inks("surface", 220));
  const key = [stage.root.dataset.theme, ...Object.keys(page.areas).map((code) => inkOf(code) + (page.areas[code].is_chosen ? "!" : "") + (page.areas[code].is_muted ? "-" : ""))].join();
  return layer.clone({ id, data: featuresOf(stage, boundaries, (code) => page.areas[code], "areas"), ...paints(fill, line, ({ code }) => (page.areas[code].is_chosen ? 2.5 : 1), key) });
}

// Too few orders: the province is hatched, as everywhere else, by lines of its own cut at its boundary.
function hatchOf(stage, boundaries, code) {
  stage.hatches ??= new Map();
  const key = `${code} ${stage.root.dataset.theme}`;
  if (!stage.hatches.has(key)) {
    const geometry = boundaries.find((feature) => feature.properties.iso === code)?.geometry;
    const rings = geometry ? (geometry.type === "Polygon" ? geometry.coordinates : geometry.coordinates.flat()) : [];
    stage.hatches.set(key, hatchLines(rings).map(([from, to]) => ({ from, to, line: stage.inks("hatch") })));
  }
  return stage.hatches.get(key);
}

// Diagonals x + y = c, by the even-odd rule.
function hatchLines(rings) {
  const cuts = new Map();
  for (const ring of rings) {
    for (let index = 1; index < ring.length; index += 1) {
      const [[x1, y1], [x2, y2]] = [ring[index - 1], ring[index]];
      const [low, high] = [x1 + y1, x2 + y2].sort((one, other) => one - other);
      for (let c = Math.ceil(low / HATCH_STEP) * HATCH_STEP; c < high; c += HATCH_STEP) {
        const share = (c - x1 - y1) / (x2 + y2 - x1 - y1);
        const name = Math.round(c / HATCH_STEP);
        if (!cuts.has(name)) cuts.set(name, []);
        cuts.get(name).push([x1 + share * (x2 - x1), y1 + share * (y2 - y1)]);
      }
    }
  }
  return [...cuts.values()].flatMap((points) => {
    points.sort((one, other) => one[0] - other[0]);
    return points.flatMap((point, index) => (index % 2 === 1 ? [[points[index - 1], point]] : []));
  });
}

function paints(getFillColor, getLineColor, getLineWidth, key) {
  return { getFillColor, getLineColor, getLineWidth, updateTriggers: { getFillColor: key, getLineColor: key, getLineWidth: key } };
}

// The same array while the same provinces are shown, so that a frame only changes colours.
function featuresOf(stage, boundaries, wanted, name) {
  const codes = boundaries.filter((feature) => wanted(feature.properties.iso)).map((feature) => feature.properties.iso);
  const key = `${name} ${codes.join()}`;
  stage.features ??= new Map();
  if (stage.features.get(name)?.key !== key) {
    const kept = new Set(codes);
    stage.features.set(name, { key, data: boundaries.filter((feature) => kept.has(feature.properties.iso)).map((feature) => ({ type: "Feature", geometry: feature.geometry, properties: {}, code: feature.properties.iso })) });
  }
  return stage.features.get(name).data;
}

function painted(layer, mark, inks) {
  const colour = inks(mark.ink, mark.alpha ?? 255);
  return { ...mark, ground: inks("surface", 190), fill: colour, line: mark.is_chosen ? inks("accent") : layer === "cities" ? inks("surface") : colour, size: mark.size ?? 0, width: mark.width ?? 0, offset: mark.offset ?? [0, 0] };
}

function tellHover(stage, info) {
  const tip = stage.root.ocrTip;
  const text = info.object ? tipOf(stage, info) : "";
  if (tip.dataset.pinned === "yes") return;
  tip.hidden = !text;
  if (!text) return;
  tip.textContent = text;
  const box = stage.host.getBoundingClientRect();
  const point = { left: box.left + info.x + 12, bottom: box.top + info.y + 6, top: box.top + info.y - 6 };
  globalThis.orderControlRoom.tools.placeBeside(tip, point);
}

function tipOf(stage, info) {
  if (info.object.tip !== undefined) return info.object.tip;
  const { page } = stage;
  const area = page.areas[info.object.code];
  const shown = shownFrames(page.player);
  const frame = page.player?.frames[info.layer.id.includes(RIGHT) ? shown.right : shown.left];
  if (!area || !frame) return area?.tip ?? "";
  return [area.name, frame.name, `${page.player.metric} ${frame.cells[info.object.code]?.[1] ?? "–"}`].join("\n");
}

// A press and release in one place, however long drawing took in between; what cannot be chosen lets through to its province.
function choosePicked(stage, event) {
  const box = stage.host.getBoundingClientRect();
  const at = { x: event.clientX - box.left, y: event.clientY - box.top, radius: 4 };
  const first = stage.deck.pickObject(at);
  const isPlain = first?.object && !PICKS[first.layer.id.replace(RIGHT, "")];
  const picked = isPlain ? stage.deck.pickObject({ ...at, layerIds: ["areas", `areas${RIGHT}`] }) : first;
  const dimension = PICKS[picked?.layer?.id.replace(RIGHT, "")];
  if (!picked?.object?.code || !dimension) return;
  stage.root.ocrTip.hidden = true;
  stage.host.dataset.busy = "yes";
  chooseCode(stage.send, dimension, picked.object.code);
}

// Choosing what is chosen already lets go of it.
function chooseCode(send, dimension, code) {
  const address = new URLSearchParams(location.search);
  const now = address.getAll(dimension);
  for (const name of [dimension, ...BELOW[dimension]]) address.delete(name);
  if (now.length !== 1 || now[0] !== code) address.append(dimension, code);
  send("open", `?${address}`);
}
