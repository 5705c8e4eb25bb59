// Tabs as the ARIA pattern has them: one stop for the Tab key, arrow keys from one to the next in the direction of reading.

import { element } from "./dom.js";

/** The row of tabs; `choose(name, { focus })` is told which one was pressed, or reached with the keyboard. */
export function tabList(names, chosen, { label, title, choose, direction }) {
  const tabs = names.map((name) =>
    element(
      "button",
      {
        type: "button", role: "tab", class: "tab", id: `tab-${name}`, "aria-controls": `panel-${name}`,
        "aria-selected": String(name === chosen), tabindex: name === chosen ? "0" : "-1",
        onclick: () => choose(name, { focus: false }),
      },
      title(name),
    ),
  );
  const walk = (event) => {
    const to = stepped(event.key, names.indexOf(chosen), names.length, direction);
    if (to === null) return;
    event.preventDefault();
    choose(names[to], { focus: true });
  };
  return element("div", { role: "tablist", class: "tabs", "aria-label": label, onkeydown: walk }, tabs);
}

export function tabPanel(name, content) {
  const attributes = { role: "tabpanel", class: "panel", id: `panel-${name}`, "aria-labelledby": `tab-${name}`, tabindex: "-1" };
  return element("div", attributes, content);
}

/** Brings the chosen tab into sight where the row is too long for the screen. */
export function revealTab(name) {
  document.getElementById(`tab-${name}`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function stepped(key, place, length, direction) {
  const [forward, back] = direction === "rtl" ? ["ArrowLeft", "ArrowRight"] : ["ArrowRight", "ArrowLeft"];
  const to = { [forward]: place + 1, [back]: place - 1, Home: 0, End: length - 1 }[key];
  return to === undefined ? null : (to + length) % length;
}
