// Which chart fits two columns, and what to ask for it.
import * as format from "../format";
import type { ColumnProfile, Filter, Grouping, Measure, Profile, QueryRequest, RowsRequest } from "../schema";

type Role = "number" | "time" | "name";
type Bucket = NonNullable<Grouping["bucket"]>;

export interface Wish {
  x: string;
  y: string;
  measure: string;
  bucket: string;
  filters: Filter[];
}

export interface Plan {
  key: string;
  shape: "histogram" | "bar" | "line" | "heat" | "points" | "shares";
  title: string;
  note?: string;
  x: ColumnProfile;
  y?: ColumnProfile;
  measure: string;
  measures: [string, string][];
  bucket: string;
  buckets: string[];
  width: number;
  query?: Partial<QueryRequest>;
  rows?: Partial<RowsRequest>;
  under: (rows: number, shown: number) => string;
}

const AVERAGES: [string, string][] = [
  ["mean", "Average"],
  ["median", "Median"],
  ["sum", "Sum"],
  ["min", "Lowest"],
  ["max", "Highest"],
];
/** Names in one picture; the others are put together. */
export const MOST_NAMES = 20;
const MOST_POINTS = 1000;
const MOST_VALUES = 1000;
const MOST_SHARES = 8;
/** Bars of a histogram at the most. */
export const BINS = 40;

function roleOf(column: ColumnProfile): Role {
  if (column.kind === "integer" || column.kind === "decimal") return column.distinct <= 12 && column.kind === "integer" ? "name" : "number";
  if (column.kind === "date" || column.kind === "datetime") return "time";
  return "name";
}

/** Whether a column holds numbers. */
export function isNumber(column: ColumnProfile): boolean {
  return column.kind === "integer" || column.kind === "decimal";
}

/** What to ask and to draw for a wish. */
export function planOf(profile: Profile, wish: Wish): Plan | null {
  const x = profile.columns.find((each) => each.name === wish.x);
  const y = profile.columns.find((each) => each.name === wish.y);
  if (!x) return null;
  const base = { x, y, measure: "count", measures: [] as [string, string][], bucket: "", buckets: [] as string[], under: (rows: number) => format.counted(rows, "row") };
  const common = { filters: wish.filters };
  const key = JSON.stringify(wish);
  if (!y) {
    if (roleOf(x) === "number") {
      const counted = x.kind === "integer" && x.distinct <= MOST_VALUES;
      const group: Grouping = counted ? { column: x.name } : { column: x.name, bins: Math.min(BINS, Math.max(5, x.distinct)) };
      return { ...base, key, shape: "histogram", title: `How ${x.name} is spread`, width: 2, query: { ...common, group_by: [group], limit: 2000 } };
    }
    if (roleOf(x) === "time") return overTime(key, base, x, undefined, wish);
    return { ...base, key, shape: "bar", title: `Rows by ${x.name}`, note: manyNames(x), width: 2, query: { ...common, group_by: [{ column: x.name }], limit: 5000 } };
  }
  return pair(key, base, x, y, profile, wish);
}

type Base = Omit<Plan, "key" | "shape" | "title" | "width">;

function pair(key: string, base: Base, x: ColumnProfile, y: ColumnProfile, profile: Profile, wish: Wish): Plan {
  const roles = `${roleOf(x)} ${roleOf(y)}`;
  const common = { filters: wish.filters };
  if (roles.startsWith("time") || roles.endsWith("time")) {
    const [time, other] = roleOf(x) === "time" ? [x, y] : [y, x];
    return overTime(key, base, time, other, wish);
  }
  if (roles === "number number") {
    if (profile.rows <= MOST_POINTS) {
      return {
        ...base,
        key,
        shape: "points",
        title: `${y.name} against ${x.name}`,
        width: 2,
        rows: { columns: [x.name, y.name], filters: wish.filters, limit: MOST_POINTS },
      };
    }
    const group_by = [
      { column: x.name, bins: Math.min(BINS, Math.max(2, x.distinct)) },
      { column: y.name, bins: Math.min(30, Math.max(2, y.distinct)) },
    ];
    return { ...base, key, shape: "heat", title: `${y.name} against ${x.name}`, note: "A stronger colour means more rows.", width: 3, query: { ...common, group_by, limit: 10_000 } };
  }
  if (isNumber(y) || isNumber(x)) {
    const [name, value] = isNumber(y) && roleOf(x) === "name" ? [x, y] : [y, x];
    if (roleOf(name) === "name" && isNumber(value)) return byName(key, base, name, value, wish);
  }
  if (roleOf(y) === "name" && roleOf(x) === "name" && y.distinct <= MOST_SHARES) {
    return { ...base, key, shape: "shares", title: `${y.name} by ${x.name}`, note: manyNames(x) ?? `How the rows of each ${x.name} are divided.`, width: 3, query: { ...common, group_by: [{ column: x.name }, { column: y.name }], limit: 10_000 } };
  }
  return { ...base, key, shape: "heat", title: `${y.name} by ${x.name}`, note: "A stronger colour means more rows.", width: 3, query: { ...common, group_by: [{ column: x.name }, { column: y.name }], limit: 10_000 } };
}

function byName(key: string, base: Base, name: ColumnProfile, value: ColumnProfile, wish: Wish): Plan {
  const measure = AVERAGES.some(([each]) => each === wish.measure) ? wish.measure : "mean";
  const measures: Measure[] = [{ op: measure as Measure["op"], column: value.name }, { op: "count" }];
  const label = AVERAGES.find(([each]) => each === measure)?.[1] ?? "";
  return {
    ...base,
    key,
    x: name,
    y: value,
    measure,
    measures: AVERAGES,
    shape: "bar",
    title: `${label} ${value.name} by ${name.name}`,
    note: manyNames(name),
    width: 3,
    query: { filters: wish.filters, group_by: [{ column: name.name }], measures, limit: 5000 },
  };
}

function overTime(key: string, base: Base, time: ColumnProfile, other: ColumnProfile | undefined, wish: Wish): Plan {
  const buckets = bucketsFor(time);
  const bucket = buckets.includes(wish.bucket as Bucket) ? (wish.bucket as Bucket) : bestBucket(time, buckets);
  const group: Grouping = { column: time.name, bucket };
  const common = { filters: wish.filters, limit: 10_000 };
  const steps = { bucket, buckets };
  if (other && isNumber(other)) {
    const measure = AVERAGES.some(([each]) => each === wish.measure) ? wish.measure : "mean";
    const label = AVERAGES.find(([each]) => each === measure)?.[1] ?? "";
    const measures: Measure[] = [{ op: measure as Measure["op"], column: other.name }, { op: "count" }];
    return { ...base, ...steps, key, x: time, y: other, measure, measures: AVERAGES, shape: "line", title: `${label} ${other.name} over time`, note: `Per ${bucket} of ${time.name}.`, width: 3, query: { ...common, group_by: [group], measures } };
  }
  if (other) return { ...base, ...steps, key, x: time, y: other, shape: "line", title: `Rows over time by ${other.name}`, note: `Per ${bucket} of ${time.name}.`, width: 3, query: { ...common, group_by: [group, { column: other.name }] } };
  return { ...base, ...steps, key, x: time, shape: "line", title: "Rows over time", note: `Per ${bucket} of ${time.name}.`, width: 2, query: { ...common, group_by: [group] } };
}

const DAYS: Record<Bucket, number> = { hour: 1 / 24, day: 1, week: 7, month: 30.4, quarter: 91.3, year: 365.25 };

function spanDays(time: ColumnProfile): number {
  const span = (Date.parse(String(time.maximum)) - Date.parse(String(time.minimum))) / 86_400_000;
  return Number.isFinite(span) ? span : 365;
}

function bucketsFor(time: ColumnProfile): Bucket[] {
  const span = spanDays(time);
  const all: Bucket[] = time.kind === "datetime" ? ["hour", "day", "week", "month", "quarter", "year"] : ["day", "week", "month", "quarter", "year"];
  const useful = all.filter((each) => span / DAYS[each] >= 2 && span / DAYS[each] <= 4000);
  return useful.length ? useful : [all[0] as Bucket];
}

function bestBucket(time: ColumnProfile, buckets: Bucket[]): Bucket {
  const span = spanDays(time);
  return buckets.find((each) => span / DAYS[each] <= 400) ?? (buckets.at(-1) as Bucket);
}

function manyNames(column: ColumnProfile): string | undefined {
  return column.distinct > MOST_NAMES ? `The ${MOST_NAMES} largest of ${format.count(column.distinct)} values; the others are one bar.` : undefined;
}
