// Colours are the page's tokens: a mark names its ink (a step of a scale such as s12, or a role such as critical).
const mapSheet = new CSSStyleSheet();
mapSheet.replaceSync(MAP_CSS);

function inksOf(root) {
  const style = getComputedStyle(root);
  const known = new Map();
  return (ink, alpha = 255) => {
    if (!known.has(ink)) {
      const text = style.getPropertyValue(`--${ink}`).trim();
      known.set(ink, /^#[0-9a-f]{6}$/i.test(text) ? [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16)) : [128, 128, 128]);
    }
    return [...known.get(ink), alpha];
  };
}

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
