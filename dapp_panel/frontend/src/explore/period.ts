// The stretch of time before the one that is looked at, of the same length: what every figure is compared with.
import { daysBefore } from "../filters";
import type { Column, Filter } from "../schema";

const DAY = 86_400_000;

export interface Before {
  filters: Filter[];
  /** "the 90 days before". */
  words: string;
}

/** The same conditions one stretch earlier; null unless exactly one stretch of dates, with both ends, is asked for. */
export function before(filters: Filter[], columns: Column[]): Before | null {
  const dated = new Set(columns.filter((each) => each.kind === "date" || each.kind === "datetime").map((each) => each.name));
  const stretches = filters.filter((each) => dated.has(each.column));
  const [only] = stretches;
  if (stretches.length !== 1 || !only || only.op !== "between" || !Array.isArray(only.value)) return null;
  const [first, last] = only.value.map((each) => String(each));
  const days = Math.round((Date.parse(`${last?.slice(0, 10)}T00:00:00Z`) - Date.parse(`${first?.slice(0, 10)}T00:00:00Z`)) / DAY) + 1;
  if (!first || !last || !(days > 0)) return null;
  const value = [daysBefore(first, days) + first.slice(10), daysBefore(last, days) + last.slice(10)];
  return {
    filters: filters.map((each) => (each === only ? { ...only, value } : each)),
    words: days === 1 ? "the day before" : `the ${days} days before`,
  };
}

/** How much more or less, in words: "12% more than the 90 days before". */
export function change(now: unknown, then: unknown, words: string): string {
  if (typeof now !== "number" || typeof then !== "number" || then === 0) return "";
  const share = (now - then) / Math.abs(then);
  const size = Math.abs(share) * 100;
  if (size < 0.05) return `as in ${words}`;
  const said = share > 9 ? `${Math.round(now / then)} times` : `${size < 10 ? size.toFixed(1) : Math.round(size)}%`;
  return share > 9 ? `${said} that of ${words}` : `${said} ${share > 0 ? "more" : "less"} than ${words}`;
}
