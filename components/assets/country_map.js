// The country by province, coloured by late share, with the busiest late lanes as arcs. Schematic, drawn from packaged paths.
function drawCountryMap(map, shapes) {
  if (!shapes) return emptyNote(map.no_shapes);
  const [left, top, width, height] = map.box ?? [0, 0, ...shapes.box];
  const k = Math.max(width / 1000, height / 860);
  const areas = new Map(map.areas.map((area) => [area.code, area]));
  const outlines = Object.entries(shapes.paths);
  const firstArea = outlines.map(([code]) => code).find((code) => inside(areas.get(code)?.href));
  return [
    h(
      "svg",
      { class: "map", viewBox: `${left - 12 * k} ${top - 12 * k} ${width + 24 * k} ${height + 24 * k}`, style: { "--k": k }, role: "group", "aria-label": map.spoken, onkeydown: moveOnMap },
      h("defs", {}, hatchPattern()),
      h("g", {}, outlines.map(([code, path]) => drawArea(path, areas.get(code) ?? { kind: "gap", tip: code }, code === firstArea))),
      h("g", { class: "lanes" }, map.lanes.map((lane, index) => drawLane(lane, index === 0))),
      h("g", { class: "cities" }, drawCities(map.cities, [left, left + width], k)),
    ),
    h("p", { class: "credit" }, map.credit),
    drawLegend(map.legend),
  ];
}

function hatchPattern() {
  return h(
    "pattern",
    { id: "hatch", width: "10", height: "10", patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    h("rect", { width: "10", height: "10", class: "hatch-ground" }),
    h("line", { x1: "0", y1: "0", x2: "0", y2: "10", class: "hatch-line" }),
  );
}

function drawArea(path, area, isFirst) {
  const step = area.kind === "value" ? `s${area.step}` : "";
  return h("path", { d: path, class: `area ${area.kind} ${step}`, "data-tip": area.tip, ...opening(area, isFirst) });
}

// What has a place to go is a link and goes there; what has none tells on a tap what pointing tells.
function opening(thing, isFirst) {
  if (!inside(thing.href)) return { "data-info": thing.tip };
  return { role: "link", tabindex: isFirst ? "0" : "-1", "aria-label": thing.tip.replaceAll("\n", ", "), onclick: () => location.assign(thing.href) };
}

// Provinces, lanes and warehouses are one stop of the Tab key each; arrows walk among them, Enter opens.
function moveOnMap(event) {
  const mark = event.target.closest("[role=link]");
  if (!mark) return;
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    return mark.dispatchEvent(new MouseEvent("click", { bubbles: true, composed: true }));
  }
  const marks = [...mark.parentElement.querySelectorAll("[role=link]")];
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const next = { Home: marks[0], End: marks.at(-1) }[event.key] ?? (by && marks[marks.indexOf(mark) + by]);
  if (by || next) event.preventDefault();
  if (!next) return;
  marks.forEach((other) => other.setAttribute("tabindex", other === next ? "0" : "-1"));
  next.focus();
}

function drawLane(lane, isFirst) {
  const [x1, y1] = lane.start;
  const [x2, y2] = lane.end;
  const bend = 0.18;
  const middle = [(x1 + x2) / 2 + (y2 - y1) * bend, (y1 + y2) / 2 - (x2 - x1) * bend];
  const d = `M${x1} ${y1}Q${middle[0].toFixed(1)} ${middle[1].toFixed(1)} ${x2} ${y2}`;
  return h(
    "g",
    { class: "lane-open", "data-tip": lane.tip, ...opening(lane, isFirst) },
    h("path", { d, class: `lane ${lane.tone}`, style: { "--width": lane.width } }),
    h("path", { d, class: "lane-reach" }),
  );
}

function drawCities(cities, sides, k) {
  const taken = [];
  return cities.map((city, index) => {
    const label = placeLabel(city, sides, k, taken);
    return h(
      "g",
      { class: `city ${city.tone}`, "data-tip": city.tip || null, ...(city.tip ? opening(city, index === 0) : {}) },
      h("circle", { cx: city.x, cy: city.y, r: (city.is_big ? 6.5 : 4) * k }),
      label ? h("text", { x: label.x, y: label.y, "text-anchor": label.anchor }, city.name) : null,
    );
  });
}

// Right of the dot, else left, below, above; a label that fits nowhere is left out rather than drawn over another.
function placeLabel(city, sides, k, taken) {
  const size = 20 * k;
  const length = [...city.name].reduce((sum, letter) => sum + (letter.charCodeAt(0) > 255 ? size : size * 0.56), 0);
  const places = [
    { x: city.x + 10 * k, y: city.y + 6 * k, anchor: "start", left: city.x + 10 * k },
    { x: city.x - 10 * k, y: city.y + 6 * k, anchor: "end", left: city.x - 10 * k - length },
    { x: city.x, y: city.y + 24 * k, anchor: "middle", left: city.x - length / 2 },
    { x: city.x, y: city.y - 12 * k, anchor: "middle", left: city.x - length / 2 },
  ];
  const free = places.find((place) => {
    const box = [place.left, place.y - size, place.left + length, place.y + 3 * k];
    return box[0] > sides[0] && box[2] < sides[1] + 12 * k && !taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3]);
  });
  if (free) taken.push([free.left, free.y - size, free.left + length, free.y + 3 * k]);
  return free;
}
