// What surrounds every view: header with navigation, language and appearance; footer; the page for those not signed in.

import { element, icon, mark, viewLink } from "./dom.js";
import { LANGUAGES, OWN_NAMES } from "./words.js";

const THEMES = ["auto", "light", "dark"];

export function header(page) {
  const { words, instance } = page;
  const name = instance?.name ?? words.say("product");
  return element(
    "header",
    { class: "header" },
    element("a", { class: "skip", href: "#content", onclick: skip }, words.say("nav.skip")),
    element(
      "div",
      { class: "header-row" },
      viewLink("ask", [mark(), brand(name, words)], page.go, { class: "brand" }),
      instance ? navigation(page) : null,
      languages(page),
    ),
  );
}

function skip(event) {
  event.preventDefault();
  document.getElementById("content").focus();
}

function brand(name, words) {
  const product = words.say("product");
  return element(
    "span",
    { class: "brand-text" },
    element("bdi", { class: "brand-name" }, name),
    name === product ? null : element("span", { class: "brand-product" }, product),
  );
}

function navigation(page) {
  const archivist = page.instance.principal.roles.includes("archivist");
  const links = ["ask", "library", archivist ? "control" : null, "about"].filter(Boolean).map((view) =>
    element(
      "li",
      {},
      viewLink(view, page.words.say(`nav.${view}`), page.go, {
        class: "nav-link",
        "aria-current": page.view === view ? "page" : null,
      }),
    ),
  );
  return element("nav", { class: "nav", "aria-label": page.words.say("nav.label") }, element("ul", {}, links));
}

function languages(page) {
  const offered = page.instance?.languages?.filter((code) => OWN_NAMES[code]) ?? LANGUAGES;
  const buttons = offered.map((code) =>
    element(
      "button",
      {
        type: "button",
        class: "language",
        lang: code,
        "data-language": code,
        "aria-pressed": String(code === page.language),
        onclick: () => page.speak(code),
      },
      // Where only the short form is seen, the name begins with it: whoever speaks to the machine says what they see.
      element("span", { class: "language-short" }, code === "ar" ? "ع" : code.toUpperCase(), " "),
      element("span", { class: "language-long" }, OWN_NAMES[code]),
    ),
  );
  return element("div", { class: "languages", role: "group", "aria-label": page.words.say("nav.language") }, buttons);
}

function themes(words) {
  const present = document.documentElement.dataset.theme ?? "auto";
  const choose = (event) => {
    const theme = event.target.value;
    if (theme === "auto") {
      delete document.documentElement.dataset.theme;
      localStorage.removeItem("assistant_theme");
    } else {
      document.documentElement.dataset.theme = theme;
      localStorage.setItem("assistant_theme", theme);
    }
  };
  const options = THEMES.map((theme) =>
    element("option", { value: theme, selected: theme === present }, words.say(`nav.theme_${theme}`)),
  );
  return element(
    "label",
    { class: "theme" },
    icon("theme"),
    element("span", {}, words.say("nav.theme")),
    element("select", { onchange: choose, id: "theme" }, options),
  );
}

export function footer(page) {
  const { words, instance } = page;
  const principal = instance?.principal;
  const signedIn = principal
    ? words.say("footer.signed_in", { name: principal.id, clearance: words.label(principal.clearance) })
    : null;
  return element(
    "footer",
    { class: "footer" },
    element("p", { class: "promise" }, words.say("footer.promise")),
    signedIn ? element("p", {}, signedIn) : null,
    themes(words),
  );
}

/** What a reader meets who is not signed in, or when the service is away. */
export function standingView(page) {
  const { words } = page;
  const table = page.view === "unavailable" ? "unavailable" : "sign_in";
  const retry = element(
    "button",
    { type: "button", class: "button", onclick: () => location.reload() },
    words.say("unavailable.retry"),
  );
  const command = [
    element("p", {}, words.say("sign_in.command")),
    element("pre", { class: "command", dir: "ltr" }, element("code", {}, "assistant up")),
  ];
  return element(
    "div",
    { class: "column standing" },
    element("h1", { tabindex: "-1" }, words.say(`${table}.title`)),
    element("p", { class: "lead" }, words.say(`${table}.text`)),
    table === "unavailable" ? retry : command,
  );
}
