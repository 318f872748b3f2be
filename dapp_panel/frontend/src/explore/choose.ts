// The right chart for the columns that were picked, and what each kind of chart needs.
import type { ChartRequest, ColumnProfile, Profile } from "../schema";

export type Shape = ChartRequest["shape"];
type Role = "number" | "time" | "name";
type Bucket = NonNullable<ChartRequest["bucket"]>;

export const SHAPES: { value: Shape; label: string; hint: string }[] = [
  { value: "histogram", label: "Histogram", hint: "How numbers are spread" },
  { value: "bar", label: "Bars", hint: "Compare names" },
  { value: "line", label: "Line", hint: "Over time" },
  { value: "scatter", label: "Points", hint: "Two numbers, every row" },
  { value: "heat", label: "Heat map", hint: "Two columns, counted" },
  { value: "box", label: "Boxes", hint: "Spread by name" },
];

export const MEASURES: [string, string][] = [
  ["mean", "Average"],
  ["median", "Median"],
  ["sum", "Total"],
  ["min", "Lowest"],
  ["max", "Highest"],
  ["distinct", "Different values"],
];

// What adds up over rows; a price, a rate or an age does not.
const ADDS =
  /(?:^|[^a-z])(?:revenues?|sales|amounts?|turnover|costs?|spend(?:ing)?|expenses?|budget|units|quantity|qty|volume|orders?|profits?|paid|payments?|totals?|visits|clicks|hours)(?:$|[^a-z])/i;
const DIFFERS = /(?:^|[^a-z])(?:price|rate|ratio|share|average|avg|mean|median|per|percent|pct|score|number|no|id)(?:$|[^a-z])|%/i;

/** The figure that most people mean by a column: the sum of what adds up, else the average. */
export function usual(name: string | null | undefined): "sum" | "mean" {
  const words = (name ?? "").replace(/([a-z])([A-Z])/g, "$1 $2");
  return ADDS.test(words) && !DIFFERS.test(words) ? "sum" : "mean";
}

/** Whether most amounts would lie in the first few of even bins. */
function longTailed(column: ColumnProfile): boolean {
  const [least, middle, most] = [column.minimum, column.quantiles?.["0.5"], column.maximum].map(Number);
  return isNumber(column) && (least as number) > 0 && (most as number) > 30 * (middle as number);
}

const FEW = 12;
const NUMBERS = new Set(["integer", "decimal", "duration"]);

export function roleOf(column: ColumnProfile): Role {
  if (NUMBERS.has(column.kind)) return column.kind === "integer" && column.distinct <= FEW ? "name" : "number";
  return column.kind === "date" || column.kind === "datetime" ? "time" : "name";
}

export function isNumber(column: ColumnProfile | undefined): boolean {
  return column !== undefined && NUMBERS.has(column.kind);
}

const DAYS: Record<Bucket, number> = { hour: 1 / 24, day: 1, week: 7, month: 30.4, quarter: 91.3, year: 365.25 };

export function bucketsFor(time: ColumnProfile): Bucket[] {
  const span = (Date.parse(String(time.maximum)) - Date.parse(String(time.minimum))) / 86_400_000 || 365;
  const all: Bucket[] = time.kind === "datetime" ? ["hour", "day", "week", "month", "quarter", "year"] : ["day", "week", "month", "quarter", "year"];
  const useful = all.filter((each) => span / DAYS[each] >= 2 && span / DAYS[each] <= 4000);
  return useful.length ? useful : [all[0] as Bucket];
}

export function bestBucket(time: ColumnProfile): Bucket {
  const buckets = bucketsFor(time);
  const span = (Date.parse(String(time.maximum)) - Date.parse(String(time.minimum))) / 86_400_000 || 365;
  return buckets.reduce((best, each) => (Math.abs(span / DAYS[each] - 80) < Math.abs(span / DAYS[best] - 80) ? each : best), buckets[0] as Bucket);
}

/** The chart that two columns ask for by what they hold. */
export function chartFor(profile: Profile, xName: string, yName?: string | null, color?: string | null): ChartRequest {
  const x = profile.columns.find((each) => each.name === xName) as ColumnProfile;
  const y = profile.columns.find((each) => each.name === yName);
  const split = color && color !== xName ? { color } : {};
  if (!y) {
    if (roleOf(x) === "time") return { shape: "line", x: x.name, bucket: bestBucket(x), ...split };
    if (roleOf(x) === "number") return { shape: "histogram", x: x.name, ...(longTailed(x) ? { log: true } : {}), ...split };
    return { shape: "bar", x: x.name, ...split };
  }
  const roles = [roleOf(x), roleOf(y)];
  if (roles.includes("time")) {
    const [time, other] = roles[0] === "time" ? [x, y] : [y, x];
    const bucket = bestBucket(time);
    if (isNumber(other)) return { shape: "line", x: time.name, y: other.name, measure: usual(other.name), bucket, ...split };
    return { shape: "line", x: time.name, color: other.name, bucket };
  }
  if (roles[0] === "number" && roles[1] === "number") return { shape: "scatter", x: x.name, y: y.name, ...split };
  if (roles[0] === "name" && isNumber(y)) return { shape: "bar", x: x.name, y: y.name, measure: usual(y.name), ...split };
  if (roles[1] === "name" && isNumber(x)) return { shape: "bar", x: y.name, y: x.name, measure: usual(x.name), ...split };
  if (y.distinct <= 8) return { shape: "bar", x: x.name, color: y.name };
  return { shape: "heat", x: x.name, y: y.name };
}

/** Whether a kind of chart can be drawn from these columns. */
export function fits(shape: Shape, profile: Profile, xName: string, yName: string): boolean {
  const x = profile.columns.find((each) => each.name === xName);
  const y = profile.columns.find((each) => each.name === yName);
  if (!x) return false;
  if (shape === "histogram") return isNumber(x);
  if (shape === "line") return roleOf(x) === "time" || isNumber(x);
  if (shape === "scatter") return isNumber(x) && isNumber(y);
  if (shape === "heat") return y !== undefined;
  if (shape === "box") return isNumber(y);
  return true;
}

/** The same columns as another kind of chart, with what that kind needs. */
export function reshape(profile: Profile, chart: ChartRequest, shape: Shape): ChartRequest {
  const x = profile.columns.find((each) => each.name === chart.x);
  const y = profile.columns.find((each) => each.name === chart.y);
  const next: ChartRequest = { shape, x: chart.x, color: chart.color, bins: chart.bins, log: shape === "histogram" ? chart.log : undefined };
  if (x && roleOf(x) === "time") next.bucket = chart.bucket ?? bestBucket(x);
  if (y && shape !== "histogram") next.y = y.name;
  if (y && (shape === "bar" || shape === "line")) {
    if (isNumber(y) || chart.measure === "distinct") next.measure = chart.measure && chart.measure !== "count" ? chart.measure : usual(y.name);
    else {
      next.y = null;
      next.color = y.name;
    }
  }
  return next;
}

/** The first look at a table: the likely target, how it hangs together with the rest, and time where there is one. */
export function starters(profile: Profile): ChartRequest[] {
  const useful = profile.columns.filter((each) => each.distinct > 1 && each.missing < profile.rows * 0.6 && !isId(each, profile.rows));
  const target = useful.find((each) => each.name === profile.likely_target) ?? useful.find(isNumber) ?? useful[0] ?? profile.columns[0];
  if (!target) return [];
  const others = useful.filter((each) => each !== target);
  const time = others.find((each) => roleOf(each) === "time");
  const name = others.find((each) => roleOf(each) === "name" && each.distinct >= 2 && each.distinct <= 20) ?? others.find((each) => roleOf(each) === "name");
  const numbers = others.filter((each) => roleOf(each) === "number");
  // Where each value stands once, counting rows shows nothing.
  const counts = target.distinct < profile.rows || roleOf(target) === "number";
  const charts = counts || !name ? [chartFor(profile, target.name)] : [];
  if (name) charts.push(chartFor(profile, name.name, target.name));
  if (time) {
    // Readings come as evenly as they are taken; what they say is of more interest than how many there are.
    const figure = isNumber(target) ? target : even(time) ? numbers[0] : undefined;
    const by = figure && figure !== target && name && name.distinct <= 8 ? name.name : null;
    charts.push(chartFor(profile, time.name, figure?.name ?? null, by));
  }
  if (numbers[0])
    charts.push(
      isNumber(target) && roleOf(target) === "number"
        ? chartFor(profile, numbers[0].name, target.name)
        : { ...chartFor(profile, numbers[0].name), color: target.distinct <= 8 ? target.name : null },
    );
  if (charts.length < 4 && numbers[1] && numbers[0])
    charts.push({ shape: "scatter", x: numbers[0].name, y: numbers[1].name, color: target.distinct <= 8 && !isNumber(target) ? target.name : null });
  // A survey: one answer after the other, by what is to be found out.
  const answers = others.filter((each) => each !== name && roleOf(each) === "name" && !isNumber(each) && each.distinct <= 8);
  for (const each of answers.slice(0, Math.max(0, 4 - charts.length))) {
    charts.push(
      target.distinct <= 8 && !isNumber(target)
        ? { shape: "bar", x: each.name, color: target.name }
        : chartFor(profile, each.name, isNumber(target) ? target.name : null),
    );
  }
  return charts.slice(0, 4);
}

/** Whether every stretch of time holds about as many rows. */
function even(time: ColumnProfile): boolean {
  const counts = (time.histogram?.counts ?? []).slice(1, -1);
  const middle = counts.reduce((sum, each) => sum + each, 0) / (counts.length || 1);
  return counts.length >= 4 && counts.every((each) => Math.abs(each - middle) <= 0.1 * middle);
}

function isId(column: ColumnProfile, rows: number): boolean {
  return column.distinct > rows * 0.95 && column.kind !== "decimal" && roleOf(column) !== "time" && rows > 50;
}

/** What a chart shows, in words. */
export function titleOf(chart: ChartRequest): string {
  const measure = chart.measure && chart.measure !== "count" ? chart.measure : null;
  const words = measure ? (MEASURES.find(([each]) => each === measure)?.[1] ?? "") : "";
  const figure = measure && chart.y ? (measure === "distinct" ? `Different ${chart.y}` : `${words} ${chart.y}`) : "Rows";
  const split = chart.color ? ` and ${chart.color}` : "";
  if (chart.shape === "histogram") return `How ${chart.x} is spread${chart.color ? `, by ${chart.color}` : ""}`;
  if (chart.shape === "scatter") return `${chart.y} against ${chart.x}`;
  if (chart.shape === "box") return `How ${chart.y} is spread, by ${chart.x}`;
  if (chart.shape === "heat") return chart.color && measure ? `${words} ${chart.color} by ${chart.x} and ${chart.y}` : `Rows by ${chart.x} and ${chart.y}`;
  if (chart.bucket) return `${figure} per ${chart.bucket}${figure === "Rows" ? ` of ${chart.x}` : ""}${chart.color ? `, by ${chart.color}` : ""}`;
  return `${figure} by ${chart.x}${split}`;
}
