// Numbers, times and sizes as people write them.

const LOCALE = "en-GB";
const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat(LOCALE, { notation: "compact", maximumSignificantDigits: 3 });
const significant = new Intl.NumberFormat(LOCALE, { maximumSignificantDigits: 3 });
const day = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric" });
const dayUtc = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const shortDay = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short" });
const hourOfDay = new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit" });
const moment = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** A place on an axis of time: "23 Nov", or "18:00" where it shows hours. */
export function tick(at: number, hours: boolean): string {
  return (hours ? hourOfDay : shortDay).format(new Date(at));
}

/** A count: 32,561. */
export function count(value: number | null | undefined): string {
  return value == null ? "–" : whole.format(value);
}

/** A count with its noun: "1 row", "32,561 rows". */
export function counted(value: number | null | undefined, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A large count in few characters: 337k. */
export function short(value: number): string {
  if (Math.abs(value) >= 10_000) return compact.format(value).replace("K", "k");
  return Number.isInteger(value) ? whole.format(value) : significant.format(value);
}

const LARGE: [number, string][] = [
  [1e12, "trillion"],
  [1e9, "billion"],
  [1e6, "million"],
];

/** A number too long to be read by its digits: 77.8 billion; null when it is not. */
function large(value: number, digits: number, least = 1e6): string | null {
  const size = Math.abs(value);
  if (size < least || size >= 1e15) return null;
  const [step, word] = LARGE.find(([each]) => size >= each) as [number, string];
  return `${new Intl.NumberFormat(LOCALE, { maximumSignificantDigits: digits }).format(value / step)} ${word}`;
}

/** Any number with as many digits as carry meaning. */
export function number(value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e12) return whole.format(value);
  if (size >= 1e9 && size < 1e15) return large(value, 4) as string;
  if (size >= 1e9 || (size > 0 && size < 1e-4)) return value.toExponential(2).replace("e+", "e");
  if (size >= 1000) return whole.format(value);
  if (size >= 100) return new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 }).format(value);
  if (size >= 1) return new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 2 }).format(value);
  return significant.format(value);
}

/** A figure that is itself an estimate: three digits say all there is to say. */
export function rough(value: number | null | undefined, digits = 3): string {
  if (value == null || !Number.isFinite(value)) return "–";
  const words = large(value, digits);
  if (words !== null) return words;
  if (Math.abs(value) >= 10 ** digits) return whole.format(Number(value.toPrecision(digits)));
  return new Intl.NumberFormat(LOCALE, { maximumSignificantDigits: digits }).format(value);
}

/** The first letter in upper case and a full stop at the end. */
export function sentence(text: string | null | undefined): string {
  const clean = (text ?? "").trim();
  if (!clean) return "";
  return clean.charAt(0).toUpperCase() + clean.slice(1) + (/[.!?…]$/.test(clean) ? "" : ".");
}

/** A share of one as per cent: 0.0346 → 3.5 %. */
export function percent(share: number | null | undefined): string {
  if (share == null || !Number.isFinite(share)) return "–";
  const value = share * 100;
  if (value > 0 && value < 0.1) return "< 0.1%";
  if (value > 99.9 && value < 100) return "> 99.9%";
  return `${new Intl.NumberFormat(LOCALE, { maximumFractionDigits: Math.abs(value) < 10 ? 1 : 0 }).format(value)}%`;
}

/** Bytes: 4.0 MB. */
export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let size = value / 1000;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`;
}

/** A length of time: 45 s, 4 min 30 s, 1 h 5 min. */
export function duration(seconds: number): string {
  const total = Math.max(0, Math.round(seconds));
  if (total < 60) return `${total} s`;
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return total % 60 && minutes < 10 ? `${minutes} min ${total % 60} s` : `${minutes} min`;
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
}

/** How long something took. */
export function took(seconds: number): string {
  return seconds > 0 && seconds < 1 ? "under a second" : duration(seconds);
}

/** How long ago, in words. */
export function ago(iso: string, now = Date.now()): string {
  const seconds = (new Date(iso).getTime() - now) / 1000;
  if (seconds > -5) return "just now";
  if (seconds > -60) return relative.format(Math.round(seconds), "second");
  if (seconds > -3600) return relative.format(Math.round(seconds / 60), "minute");
  if (seconds > -86_400) return relative.format(Math.round(seconds / 3600), "hour");
  if (seconds > -7 * 86_400) return relative.format(Math.round(seconds / 86_400), "day");
  return day.format(new Date(iso));
}

/** Date and time in full. */
export function when(iso: string): string {
  return moment.format(new Date(iso));
}

const ISO_DATE = /^(-?\d{4,6})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?)?/;

/** A date of the data, without moving it between time zones. */
export function dataDate(text: string): string {
  const found = ISO_DATE.exec(text);
  if (!found) return text;
  const [, year, month, date, hour, minute, second] = found;
  const label = dayUtc.format(Date.UTC(Number(year), Number(month) - 1, Number(date)));
  if (hour === undefined || (hour === "00" && minute === "00" && (second ?? "00") === "00")) return label;
  return `${label}, ${hour}:${minute}${second && second !== "00" ? `:${second}` : ""}`;
}

/** A cell or a value of the data, by the kind of its column. */
export function cell(value: unknown, kind?: string): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "boolean") return value ? "Yes" : "No";
  if (typeof value === "number") return kind === "integer" || Number.isInteger(value) ? plain(value) : precise(value);
  if (typeof value === "string" && (kind === "date" || kind === "datetime")) return dataDate(value);
  if (typeof value === "string" && kind === "boolean") return answer(value, kind);
  return String(value);
}

function plain(value: number): string {
  // A year or a code reads wrong with a thousands separator; from five digits on it helps.
  return Math.abs(value) < 10_000 ? String(value) : whole.format(value);
}

function precise(value: number): string {
  return new Intl.NumberFormat(LOCALE, { maximumSignificantDigits: 6 }).format(value);
}

/** A value of a profile: minimum, quantile, median. */
export function figure(value: unknown, kind?: string): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number") return kind === "integer" ? plain(Math.round(value * 10) / 10) : number(value);
  return cell(value, kind);
}

/** A text that is not longer than its place allows. */
export function cut(text: string, most = 60): string {
  const letters = [...text];
  return letters.length > most
    ? `${letters
        .slice(0, most - 1)
        .join("")
        .trimEnd()}…`
    : text;
}

/** A long name by its two ends: names of one family differ at the end. */
export function middle(text: string, most = 26): string {
  const letters = [...text];
  if (letters.length <= most) return text;
  const tail = Math.floor(most / 3);
  return `${letters
    .slice(0, most - tail - 1)
    .join("")
    .trimEnd()}…${letters.slice(-tail).join("").trimStart()}`;
}

/** A text of the data inside a sentence: short, and not mixing its direction of writing with ours. */
export function quoted(text: string): string {
  return `\u2068${cut(text)}\u2069`;
}

/** The name of a value: only a column of kind boolean is yes and no, whatever its file said; words of a text stay its own. */
export function answer(name: string, kind: string | null | undefined): string {
  return kind !== "boolean" ? name : /^true$/i.test(name) ? "Yes" : /^false$/i.test(name) ? "No" : name;
}

/** A sentence of the service with the names of its answers as they are shown. */
export function answers(said: string | null | undefined, kind: string | null | undefined = "boolean"): string {
  return (said ?? "").replace(/“(True|False)”/g, (_, name: string) => `“${answer(name, kind)}”`);
}

const BEFORE = /[$€£¥₹₩₽₺₪฿]$/;

/** A number that is said already, with what its column is counted in: $1,250, 12.5%, 80 kr. */
export function amount(said: string, unit: string | null | undefined): string {
  if (!unit || said === "–" || said === "") return said;
  if (unit === "%" || unit === "‰") return `${said}${unit}`;
  if (!BEFORE.test(unit)) return `${said} ${unit}`;
  return /^[-−]/.test(said) ? `${said.charAt(0)}${unit}${said.slice(1)}` : `${unit}${said}`;
}

/** A figure of a column: money as it is written, other numbers with as many digits as carry meaning. */
export function measured(value: number | null | undefined, unit: string | null | undefined): string {
  if (value == null || !unit || !BEFORE.test(unit) || Number.isInteger(value) || Math.abs(value) >= 1e9 || Math.abs(value) < 0.01) {
    return amount(number(value), unit);
  }
  return amount(Math.abs(value) >= 100 ? whole.format(value) : value.toFixed(2), unit);
}

/** Figures that stand under one another: with the same number of decimals where they are of one size. */
export function alike(values: (number | null | undefined)[], unit?: string | null): (value: number | null | undefined) => string {
  const sizes = values.filter((each): each is number => typeof each === "number" && Number.isFinite(each)).map(Math.abs);
  const most = Math.max(0, ...sizes);
  if (most === 0 || most >= 1000 || sizes.every(Number.isInteger) || (unit && BEFORE.test(unit))) return (value) => measured(value, unit);
  const digits = most >= 100 ? 1 : most >= 1 ? 2 : Math.min(6, 2 - Math.floor(Math.log10(most)));
  const same = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return (value) => (value == null || !Number.isFinite(value) ? "–" : amount(same.format(value), unit));
}

/** How far off an amount is: of per cents in points, which are no share of the amount. */
export function offBy(said: string, unit: string | null | undefined): string {
  return unit === "%" ? `${said} points` : amount(said, unit);
}

/** A column's name with what its numbers are counted in: price ($). */
export function named(name: string, unit: string | null | undefined): string {
  return unit && !says(name, unit) ? `${name} (${unit})` : name;
}

const CODES: Record<string, string> = { EUR: "€", USD: "$", GBP: "£", JPY: "¥", INR: "₹" };

/** Whether a name says already what its numbers are counted in: "Bonus %", "Salary (EUR)". */
function says(name: string, unit: string): boolean {
  return name.includes(unit) || Object.entries(CODES).some(([code, sign]) => sign === unit && new RegExp(`(?:^|[^a-z])${code}(?:$|[^a-z])`, "i").test(name));
}

/** A list in words: a, b and c. */
export function listed(items: string[], most = 3): string {
  if (items.length <= most) return new Intl.ListFormat("en", { type: "conjunction" }).format(items);
  return `${items.slice(0, most).join(", ")} and ${items.length - most} more`;
}

const SHARES = new Set(["accuracy", "balanced_accuracy", "precision", "recall"]);
/** Scores in the unit of the target. */
const OFF = new Set(["mae", "rmse"]);

/** A score, read as its metric is: accuracy in per cent, the others with two decimals or in units. */
export function score(name: string | null | undefined, value: number | null | undefined, unit?: string | null): string {
  if (value == null || !Number.isFinite(value)) return "–";
  if (name && SHARES.has(name)) return percent(value);
  if (name && unit && OFF.has(name)) return offBy(score(name, value), unit);
  if (Math.abs(value) < 0.0005) return "0";
  if (Math.abs(value) < 10) return value.toFixed(Math.abs(value) < 0.095 ? 3 : 2);
  return rough(value);
}

/** How much of a score something is worth, said already: in the unit of the target where the score is. */
export function worth(name: string, said: string, unit: string | null | undefined): string {
  return unit && OFF.has(name) ? offBy(said, unit) : said;
}

/** A score among others that lie near it: one digit more than where it stands alone. */
export function near(name: string | null | undefined, value: number | null | undefined): string {
  if (value == null || !Number.isFinite(value)) return "–";
  if (name && SHARES.has(name)) return `${(value * 100).toFixed(1)}%`;
  return Math.abs(value) < 10 ? value.toFixed(4) : rough(value, 4);
}
