// Streamlit keeps the theme per path in the browser; the choice is written for every page, then the page opens anew.
const themeKey = (path) => `stActiveTheme-${path}-v2`;

function themeOf(host) {
  const colour = getComputedStyle(host).getPropertyValue("--st-background-color").trim();
  const parts = colour.startsWith("#") ? [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)) : (colour.match(/\d+/g) ?? [0, 0, 0]).map(Number);
  return parts[0] + parts[1] + parts[2] > 384 ? "light" : "dark";
}

function setTheme(paths, theme) {
  const name = JSON.stringify(theme === "light" ? "Light" : "Dark");
  for (const path of new Set([...paths, location.pathname])) localStorage.setItem(themeKey(path), name);
}

function switchTheme(paths) {
  const now = themeOf(document.querySelector("[data-ocr-host]"));
  setTheme(paths, now === "light" ? "dark" : "light");
  const address = new URL(location.href);
  address.searchParams.delete("theme");
  location.replace(address);
}

// A theme named in the address (or dark, on a first visit) is made so; true when the page opens anew.
function followTheme(bar, host) {
  const stored = localStorage.getItem(themeKey(location.pathname));
  const wanted = bar.theme || (stored === null || stored === '"System"' ? "dark" : null);
  if (!wanted) return false;
  setTheme(bar.paths, wanted);
  if (wanted === themeOf(host)) return false;
  location.reload();
  return true;
}
