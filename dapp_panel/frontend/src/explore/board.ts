// What Explore shows, kept in the address: charts, key figures, filters, what is picked. A link opens the same.
import { readFilters } from "../filters";
import { place, refine } from "../router";
import type { ChartRequest, DatasetRead, Filter, Measure, Profile } from "../schema";
import { chartFor, starters } from "./choose";

/** The charts of the address, or those that a first look at this table should have. */
export function readCharts(profile: Profile): ChartRequest[] {
  const query = place.value.query;
  const kept = parse<ChartRequest[]>(query.get("charts"), []).filter((each) => typeof each?.x === "string" && typeof each?.shape === "string");
  const known = new Set(profile.columns.map((each) => each.name));
  const fitting = kept.filter((each) => [each.x, each.y, each.color].every((name) => !name || known.has(name)));
  if (fitting.length > 0 || query.has("charts")) return fitting;
  const x = query.get("x");
  if (x && known.has(x)) return [chartFor(profile, x, query.get("y"))];
  return starters(profile);
}

/** Present charts, each with what is picked in it. */
export function writeCharts(charts: ChartRequest[]): void {
  refine({ charts: JSON.stringify(charts.map(compact)), x: undefined, y: undefined });
}

function compact(chart: ChartRequest): ChartRequest {
  return Object.fromEntries(
    Object.entries(chart).filter(([, value]) => value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0)),
  ) as unknown as ChartRequest;
}

export function readFigures(dataset: DatasetRead): Measure[] {
  const known = new Set(dataset.schema.map((each) => each.name));
  return parse<Measure[]>(place.value.query.get("figures"), []).filter((each) => typeof each?.op === "string" && (!each.column || known.has(each.column)));
}

export function writeFigures(figures: Measure[]): void {
  refine({ figures: figures.length ? JSON.stringify(figures) : undefined });
}

/** The conditions that a chart shows rows by: the filters, and what is picked in the others. */
export function filtersOf(charts: ChartRequest[], at: number): Filter[] {
  return [...readFilters(), ...charts.flatMap((each, index) => (index === at ? [] : (each.picks ?? [])))];
}

/** Every condition that holds: the filters and all that is picked. */
export function everyFilter(charts: ChartRequest[]): Filter[] {
  return [...readFilters(), ...charts.flatMap((each) => each.picks ?? [])];
}

function parse<T>(text: string | null, otherwise: T): T {
  if (!text) return otherwise;
  try {
    const found = JSON.parse(text) as T;
    return Array.isArray(found) ? found : otherwise;
  } catch {
    return otherwise;
  }
}
