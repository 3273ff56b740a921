// Descriptions of elements, and a patch that brings a live tree to them in place: nodes stay, so focus, scroll and
// selection stay. Text is only ever set as text; nothing here parses HTML.
const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "g", "path", "circle", "line", "rect", "text", "defs", "pattern", "polyline", "title", "desc"]);

// What the user may have changed since: set on the element itself, not as its initial attribute.
const LIVE = new Set(["checked", "selected", "value", "disabled"]);

function h(tag, props, ...children) {
  return { tag, props: props ?? {}, children };
}

function patch(parent, wanted) {
  const nodes = wanted.flat(Infinity).filter((node) => node !== null && node !== undefined && node !== false);
  const keys = new Set(nodes.map((node) => node.props?.key).filter((key) => key !== undefined));
  nodes.forEach((node, index) => fit(parent, keyed(parent, parent.childNodes[index], node, keys), node, keys));
  while (parent.childNodes.length > nodes.length) parent.lastChild.remove();
}

// The element that already stands for the node's key, brought here: what came before it and is no longer wanted goes.
function keyed(parent, current, node, keys) {
  const key = node.props?.key;
  if (key === undefined || current?.ocrKey === key) return current;
  let found = current;
  while (found && found.ocrKey !== key) found = found.nextSibling;
  if (!found) return current;
  while (current !== found && !keys.has(current.ocrKey)) {
    const next = current.nextSibling;
    current.remove();
    current = next;
  }
  if (current !== found) parent.insertBefore(found, current);
  return found;
}

function fit(parent, current, node, keys) {
  if (typeof node !== "object") {
    const text = String(node);
    if (current?.nodeType !== Node.TEXT_NODE) put(parent, current, document.createTextNode(text), keys);
    else if (current.data !== text) current.data = text;
    return;
  }
  const reusable = current?.nodeType === Node.ELEMENT_NODE && current.localName === node.tag && current.ocrKey === node.props.key;
  const element = reusable ? current : put(parent, current, create(node), keys);
  dress(element, node.props);
  if (!node.props.own) patch(element, node.children);
}

function create(node) {
  const element = SVG_TAGS.has(node.tag) ? document.createElementNS(SVG, node.tag) : document.createElement(node.tag);
  element.ocrKey = node.props.key;
  return element;
}

// What is still wanted further on is not replaced: it keeps its focus, its open menus and its text.
function put(parent, current, fresh, keys) {
  if (current && keys.has(current.ocrKey)) parent.insertBefore(fresh, current);
  else if (current) current.replaceWith(fresh);
  else parent.append(fresh);
  return fresh;
}

function dress(element, props) {
  const before = element.ocrProps ?? {};
  for (const name of Object.keys(before)) if (!(name in props)) undress(element, name);
  for (const [name, value] of Object.entries(props)) {
    if (name === "key" || name === "own") continue;
    if (name.startsWith("on")) element[name] = value;
    else if (name === "style") styleBy(element, value, before.style);
    else if (before[name] === value) continue;
    else if (LIVE.has(name)) element[name] = value;
    else setAttribute(element, name, value);
  }
  element.ocrProps = props;
}

function undress(element, name) {
  if (name.startsWith("on")) element[name] = null;
  else if (name !== "key" && name !== "own") element.removeAttribute(name);
}

function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}

function styleBy(element, style, before) {
  for (const [name, value] of Object.entries(style)) {
    if (before?.[name] !== value) element.style.setProperty(name, String(value));
  }
}

// Links from data lead inside the app only, but for a rule's runbook.
function inside(href) {
  return /^(\?|\/(?![/\\\t\r\n]))/.test(href ?? "") ? href : null;
}
