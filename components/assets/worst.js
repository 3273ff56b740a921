// The places where most delay-hours are being lost, in words; each leads to itself.
function drawWorst(worst, go) {
  if (!worst.items.length) return emptyNote(worst.empty);
  return h(
    "ol",
    { class: "worst-list" },
    worst.items.map((item) =>
      h(
        "li",
        { class: `${item.state} ${item.orders ? "with-orders" : ""}` },
        h(
          "a",
          {
            href: inside(item.href),
            onclick: (event) => {
              if (event.metaKey || event.ctrlKey || event.shiftKey) return;
              event.preventDefault();
              go(item.href);
            },
          },
          h("strong", {}, h("span", { class: "hidden" }, `${item.state_word}: `), item.title),
          h("span", { class: "sure", "data-tip": item.sure_tip || null }, item.sure),
          h("span", { class: "text" }, item.text),
          h("span", { class: "since" }, item.since),
        ),
        item.orders ? h("a", { class: "worst-orders", href: inside(item.orders), target: "_self", "aria-label": `${item.orders_word}: ${item.title}`, "data-tip": item.orders_word }, "☰") : null,
      ),
    ),
  );
}
