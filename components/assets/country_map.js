// The country by province, coloured by late share, with the busiest late lanes as arcs. Schematic, drawn from packaged paths.
function drawCountryMap(map, shapes) {
  if (!shapes) return emptyNote(map.no_shapes);
  const [width, height] = shapes.box;
  const areas = new Map(map.areas.map((area) => [area.code, area]));
  const outlines = Object.entries(shapes.paths);
  return [
    h(
      "svg",
      { class: "map", viewBox: `-12 -12 ${width + 24} ${height + 24}`, role: "img", "aria-label": map.spoken },
      h("defs", {}, hatchPattern()),
      h("g", {}, outlines.map(([code, path]) => drawArea(path, areas.get(code) ?? { kind: "gap", tip: code }))),
      h("g", { class: "lanes" }, map.lanes.map(drawLane)),
      h("g", { class: "cities" }, drawCities(map.cities, width)),
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

function drawArea(path, area) {
  const step = area.kind === "value" ? `s${area.step}` : "";
  return h("path", { d: path, class: `area ${area.kind} ${step}`, "data-tip": area.tip, "data-info": area.tip });
}

function drawLane(lane) {
  const [x1, y1] = lane.start;
  const [x2, y2] = lane.end;
  const bend = 0.18;
  const middle = [(x1 + x2) / 2 + (y2 - y1) * bend, (y1 + y2) / 2 - (x2 - x1) * bend];
  const d = `M${x1} ${y1}Q${middle[0].toFixed(1)} ${middle[1].toFixed(1)} ${x2} ${y2}`;
  return h("path", { d, class: `lane ${lane.tone}`, "data-tip": lane.tip, style: { "--width": lane.width } });
}

function drawCities(cities, width) {
  const taken = [];
  return cities.map((city) => {
    const label = placeLabel(city, width, taken);
    return h(
      "g",
      { class: `city ${city.tone}` },
      h("circle", { cx: city.x, cy: city.y, r: city.is_big ? 6.5 : 4 }),
      label ? h("text", { x: label.x, y: label.y, "text-anchor": label.anchor }, city.name) : null,
    );
  });
}

// Right of the dot, else left, below, above; a label that fits nowhere is left out rather than drawn over another.
function placeLabel(city, width, taken) {
  const size = 20;
  const length = [...city.name].reduce((sum, letter) => sum + (letter.charCodeAt(0) > 255 ? size : size * 0.56), 0);
  const places = [
    { x: city.x + 10, y: city.y + 6, anchor: "start", left: city.x + 10 },
    { x: city.x - 10, y: city.y + 6, anchor: "end", left: city.x - 10 - length },
    { x: city.x, y: city.y + 24, anchor: "middle", left: city.x - length / 2 },
    { x: city.x, y: city.y - 12, anchor: "middle", left: city.x - length / 2 },
  ];
  const free = places.find((place) => {
    const box = [place.left, place.y - size, place.left + length, place.y + 3];
    return box[0] > -12 && box[2] < width + 12 && !taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3]);
  });
  if (free) taken.push([free.left, free.y - size, free.left + length, free.y + 3]);
  return free;
}
