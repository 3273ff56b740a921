// One tooltip per root: follows hover and focus of elements with `data-tip`; a click on one with `data-info` pins the
// longer text until Escape or a click elsewhere.
function attachTip(root, tip) {
  if (root.ocrTip) return;
  root.ocrTip = tip;
  let pinned = null;
  const show = (target, text, isPinned) => {
    tip.textContent = text;
    tip.dataset.pinned = isPinned ? "yes" : "no";
    tip.hidden = false;
    placeBeside(tip, target.getBoundingClientRect());
  };
  const hide = () => {
    tip.hidden = true;
    pinned = null;
  };
  const over = (event) => {
    const target = event.target.closest?.("[data-tip]");
    if (pinned) return;
    if (target?.dataset.tip) show(target, target.dataset.tip, false);
    else hide();
  };
  root.addEventListener("pointerover", over);
  root.addEventListener("focusin", (event) => event.target.matches?.(":focus-visible") && over(event));
  root.addEventListener("pointerleave", () => pinned || hide());
  root.addEventListener("focusout", () => pinned || hide());
  root.addEventListener("click", (event) => {
    const target = event.target.closest?.("[data-info]");
    if (!target || target === pinned) return hide();
    pinned = target;
    show(target, target.dataset.info, true);
  });
  root.ocrUnpin = () => {
    const wasPinned = pinned !== null;
    hide();
    return wasPinned;
  };
}

function placeBeside(tip, box) {
  const gap = 8;
  const below = box.bottom + gap + tip.offsetHeight < window.innerHeight;
  const top = below ? box.bottom + gap : Math.max(gap, box.top - gap - tip.offsetHeight);
  const left = Math.min(Math.max(gap, box.left), window.innerWidth - tip.offsetWidth - gap);
  tip.style.setProperty("top", `${top}px`);
  tip.style.setProperty("left", `${left}px`);
}
