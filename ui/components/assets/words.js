// The page's words in one language, with its numbers, dates and plurals.

const NUMBERS = ["n", "page", "limit"];
const MARKINGS = ["one", "other"];

const TAGS = { fr: "fr-FR", ar: "ar-u-nu-latn", en: "en-GB" };
export const OWN_NAMES = { fr: "Français", ar: "العربية", en: "English" };
export const LANGUAGES = Object.keys(OWN_NAMES);

export class Words {
  /** `patterns` recognise what the service records about documents: [key, pattern, hidden] each, by table. */
  constructor(language, entries, patterns = {}) {
    this.language = language;
    this.patterns = patterns;
    this.direction = language === "ar" ? "rtl" : "ltr";
    this.entries = entries;
    this.tag = TAGS[language];
    // In Arabic a brief date is figures alone, which turn round in a line; the long one names the month.
    this.brief = language === "ar" ? "long" : "medium";
    this.plurals = new Intl.PluralRules(this.tag);
  }

  /** The entry at a dotted path: text, with {names} replaced, or a list. */
  say(path, values = {}) {
    const entry = path.split(".").reduce((table, key) => table?.[key], this.entries);
    if (Array.isArray(entry)) return entry;
    if (typeof entry !== "string") return path;
    return entry.replace(/\{(\w+)\}/g, (whole, name) => this.isolated(values[name] ?? whole));
  }

  /** What reads the other way, such as a French title in an Arabic sentence, leaves the order of the sentence alone. */
  isolated(text) {
    const foreign = this.direction === "rtl" ? /\p{Script=Latin}/u : /\p{Script=Arabic}/u;
    return foreign.test(text) ? `\u2068${text}\u2069` : text;
  }

  /** What a recorded sentence is about, as {key, hidden, text}; null when no pattern of the table knows it. */
  told(table, recorded) {
    for (const [key, pattern, hidden] of this.patterns[table]) {
      const found = new RegExp(pattern).exec(recorded);
      if (found) return { key, hidden, text: this.say(`${table}.${key}`, this.named(found.groups ?? {})) };
    }
    return null;
  }

  named(groups) {
    const shown = ([name, given]) => {
      if (NUMBERS.includes(name)) return [name, this.number(Number(given))];
      if (MARKINGS.includes(name)) return [name, this.label(given)];
      return [name, name === "levels" ? this.list(given.split(" and ").map((level) => this.label(level))) : given];
    };
    return Object.fromEntries(Object.entries(groups).map(shown));
  }

  has(path) {
    return path.split(".").reduce((table, key) => table?.[key], this.entries) !== undefined;
  }

  /** The keys of a table, in the order in which the locale lists them. */
  names(table) {
    return Object.keys(this.entries[table]);
  }

  /** `n` things in words: `count("passages", 12)`. A number and what it counts stay on one line. */
  count(noun, n) {
    const forms = this.entries.count[noun];
    return (forms[this.plurals.select(n)] ?? forms.other).replace(/\{n\} /, `${this.number(n)}\u00a0`);
  }

  number(n) {
    return new Intl.NumberFormat(this.tag).format(n);
  }

  percent(share) {
    return new Intl.NumberFormat(this.tag, { style: "percent" }).format(share);
  }

  /** An ISO date in long form; what is not one is shown as it stands. */
  date(iso) {
    const day = /^(\d{4})-(\d{2})-(\d{2})/.exec(iso ?? "");
    if (!day) return iso ?? "";
    const moment = new Date(Date.UTC(+day[1], +day[2] - 1, +day[3]));
    return this.dated(moment, { dateStyle: "long", timeZone: "UTC" });
  }

  /** As the language writes dates. French writes the first of a month as an ordinal, which Intl does not. */
  dated(moment, options) {
    const text = new Intl.DateTimeFormat(this.tag, options).format(moment);
    return this.language === "fr" ? text.replace(/^1(?= \p{L})/u, "1er") : text;
  }

  /** A moment in the reader's own time zone, to the minute. */
  moment(iso) {
    const moment = new Date(iso ?? "");
    if (Number.isNaN(moment.getTime())) return iso ?? "";
    return this.dated(moment, { dateStyle: this.brief, timeStyle: "short" });
  }

  /** The day of a moment, for a heading; today and yesterday by name. */
  day(iso) {
    const moment = new Date(iso ?? "");
    if (Number.isNaN(moment.getTime())) return iso ?? "";
    const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(moment).setHours(0, 0, 0, 0)) / 864e5);
    if (days < 0 || days > 1) return this.dated(moment, { dateStyle: "long" });
    const name = new Intl.RelativeTimeFormat(this.tag, { numeric: "auto" }).format(-days, "day");
    return name.charAt(0).toLocaleUpperCase(this.tag) + name.slice(1);
  }

  /** A moment to the second. */
  instant(iso) {
    return this.dated(new Date(iso), { dateStyle: this.brief, timeStyle: "medium" });
  }

  /** About how long: seconds below a minute and a half, then minutes, then hours. */
  duration(seconds) {
    const [unit, size] = seconds < 90 ? ["second", 1] : seconds < 5400 ? ["minute", 60] : ["hour", 3600];
    return new Intl.NumberFormat(this.tag, { style: "unit", unit, unitDisplay: "long" }).format(Math.max(1, Math.round(seconds / size)));
  }

  /** A length of time in one unit, such as "10 years". */
  span(n, unit) {
    return new Intl.NumberFormat(this.tag, { style: "unit", unit, unitDisplay: "long" }).format(n);
  }

  /** A rate or another measured number, with one digit after the point below ten. */
  measure(n) {
    return new Intl.NumberFormat(this.tag, { maximumFractionDigits: n < 10 ? 1 : 0 }).format(n);
  }

  bytes(n) {
    const [unit, size] = n < 1e6 ? ["kilobyte", 1e3] : n < 1e9 ? ["megabyte", 1e6] : ["gigabyte", 1e9];
    return new Intl.NumberFormat(this.tag, { style: "unit", unit, maximumFractionDigits: 1 }).format(n / size);
  }

  list(names) {
    return new Intl.ListFormat(this.tag).format(names);
  }

  /** A canonical label such as `internal/health,tax` for people. */
  label(canonical) {
    if (!canonical) return this.say("label.none");
    const [level, compartments] = canonical.split("/");
    const name = this.has(`label.${level}`) ? this.say(`label.${level}`) : level;
    return compartments ? `${name} (${compartments.split(",").join(", ")})` : name;
  }

  /** What kind of document it is: the words that reading a document gives are ours, others are an archivist's own. */
  kind(name) {
    return this.has(`kind.${name}`) ? this.say(`kind.${name}`) : name;
  }

  languageName(code) {
    return this.has(`language.${code}`) ? this.say(`language.${code}`) : code || this.say("library.unknown");
  }

  /** A human sentence for a ServiceError. */
  problem(error) {
    return this.say(`error.${error.kind ?? "unknown"}`);
  }
}
