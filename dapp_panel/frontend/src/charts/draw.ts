// How the answers for Explore are drawn.
import type { EChartsCoreOption } from "echarts/core";
import * as format from "../format";
import type { ColumnProfile } from "../schema";
import { type Paint, axis, tip } from "./chart";
import { BINS, MOST_NAMES, type Plan, isNumber } from "./plan";

export interface Drawn {
  empty: boolean;
  build: (paint: Paint, narrow: boolean) => EChartsCoreOption;
  numbers: () => { columns: string[]; rows: string[][] };
}

/** The picture of an answer. */
export function draw(plan: Plan, rows: unknown[][]): Drawn {
  if (plan.shape === "histogram") return histogram(plan, rows);
  if (plan.shape === "bar") return bar(plan, rows);
  if (plan.shape === "line") return line(plan, rows);
  if (plan.shape === "points") return points(plan, rows);
  if (plan.shape === "shares") return shares(plan, rows);
  return heat(plan, rows);
}

const label = (column: ColumnProfile, value: unknown) => (value === null ? "empty" : format.cell(value, column.kind));

interface Bin {
  from: number;
  to: number;
  count: number;
}

/** Bins of an answer. Whole numbers came value by value and are put together here, so that every bin holds as many values as the next. */
function binsOf(plan: Plan, rows: unknown[][]): Bin[] {
  const known = rows.filter((row) => row[0] !== null).sort((a, b) => Number(a[0]) - Number(b[0]));
  if (known.length === 0) return [];
  const first = Number(known[0]?.[0]);
  const last = Number(known.at(-1)?.[0]);
  if (plan.query?.group_by?.[0]?.bins) {
    const width = binWidth(known.map((row) => Number(row[0])));
    return known.map((row) => ({ from: Number(row[0]), to: Number(row[0]) + width, count: Number(row[1]) }));
  }
  const width = Math.max(1, Math.ceil((last - first + 1) / BINS));
  const bins = new Map<number, Bin>();
  for (const row of known) {
    const from = first + Math.floor((Number(row[0]) - first) / width) * width;
    const bin = bins.get(from) ?? { from, to: from + width, count: 0 };
    bin.count += Number(row[1]);
    bins.set(from, bin);
  }
  return [...bins.values()];
}

function histogram(plan: Plan, rows: unknown[][]): Drawn {
  const bins = binsOf(plan, rows);
  const total = bins.reduce((sum, bin) => sum + bin.count, 0);
  const whole = plan.query?.group_by?.[0]?.bins === undefined;
  const range = (bin: Bin) => (whole ? (bin.to - bin.from === 1 ? format.figure(bin.from, "integer") : `${format.figure(bin.from, "integer")} to ${format.figure(bin.to - 1, "integer")}`) : `${format.rough(bin.from)} to ${format.rough(bin.to)}`);
  const shift = whole ? 0.5 : 0;
  return {
    empty: bins.length === 0,
    numbers: () => ({ columns: [plan.x.name, "Rows", "Share"], rows: bins.map((bin) => [range(bin), format.count(bin.count), format.percent(bin.count / total)]) }),
    build: (paint) => ({
      grid: { left: 8, right: 24, top: 16, bottom: 28, containLabel: true },
      xAxis: axis(paint, {
        type: "value",
        min: (bins[0]?.from ?? 0) - shift,
        max: (bins.at(-1)?.to ?? 1) - shift,
        name: plan.x.name,
        nameLocation: "middle",
        nameGap: 28,
        splitLine: { show: false },
        axisLabel: { color: paint.ink3, fontSize: 13, hideOverlap: true, showMinLabel: false, showMaxLabel: false, formatter: (value: number) => format.short(value) },
      }),
      yAxis: axis(paint, { type: "value", axisLabel: { color: paint.ink3, fontSize: 13, formatter: (value: number) => format.short(value) } }),
      tooltip: tip(paint, (params) => {
        const bin = bins[(params as { dataIndex: number }).dataIndex];
        return bin ? [[plan.x.name, range(bin)], ["Rows", format.count(bin.count)], ["Share", format.percent(bin.count / total)]] : [];
      }),
      series: [
        {
          type: "custom",
          data: bins.map((bin) => [bin.from - shift, bin.to - shift, bin.count]),
          encode: { x: [0, 1], y: 2 },
          renderItem: (_: unknown, api: BarApi) => {
            const [left = 0, top = 0] = api.coord([api.value(0), api.value(2)]);
            const [right = 0, bottom = 0] = api.coord([api.value(1), 0]);
            const gap = right - left > 6 ? 1 : 0;
            return { type: "rect", shape: { x: left + gap, y: top, width: Math.max(1, right - left - 2 * gap), height: bottom - top, r: gap ? [3, 3, 0, 0] : 0 }, style: { fill: paint.series[0] }, emphasis: { style: { fill: paint.accent } } };
          },
        },
      ],
    }),
  };
}

interface BarApi {
  value: (dimension: number) => number;
  coord: (point: [number, number]) => number[];
}

function binWidth(edges: number[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (let index = 1; index < edges.length; index++) least = Math.min(least, (edges[index] as number) - (edges[index - 1] as number));
  return Number.isFinite(least) ? least : 1;
}

function bar(plan: Plan, rows: unknown[][]): Drawn {
  const place = plan.y ? 1 : rows[0]?.length === 3 ? 2 : 1;
  const counted = plan.y === undefined;
  const sorted = [...rows].sort((a, b) => Number(b[counted ? 1 : 2]) - Number(a[counted ? 1 : 2]));
  const kept = sorted.slice(0, MOST_NAMES);
  const others = sorted.slice(MOST_NAMES);
  const items = kept.map((row) => ({ name: label(plan.x, row[0]), value: Number(row[place]), rows: Number(row[counted ? 1 : 2]) }));
  if (others.length && counted) items.push({ name: `${format.count(others.length)} others`, value: others.reduce((sum, row) => sum + Number(row[1]), 0), rows: 0 });
  const ordered = plan.x.kind === "integer" ? [...items].sort((a, b) => Number(a.name) - Number(b.name)) : counted ? items : [...items].sort((a, b) => b.value - a.value);
  const shown = [...ordered].reverse();
  const title = counted ? "Rows" : plan.title.split(" by ")[0] ?? "";
  return {
    empty: items.length === 0,
    numbers: () => ({ columns: counted ? [plan.x.name, "Rows"] : [plan.x.name, title, "Rows"], rows: ordered.map((each) => (counted ? [each.name, format.count(each.value)] : [each.name, format.number(each.value), format.count(each.rows)])) }),
    build: (paint, narrow) => ({
      grid: { left: 8, right: 64, top: 8, bottom: 8, containLabel: true },
      xAxis: axis(paint, { type: "value", axisLabel: { show: false }, splitLine: { show: false } }),
      yAxis: axis(paint, { type: "category", data: shown.map((each) => each.name), axisLine: { show: false }, axisLabel: { color: paint.ink2, fontSize: 14, width: narrow ? 96 : 180, overflow: "truncate" } }),
      tooltip: tip(paint, (params) => {
        const each = shown[(params as { dataIndex: number }).dataIndex];
        return each ? [[plan.x.name, each.name], [title, counted ? format.count(each.value) : format.number(each.value)], ...(counted || !each.rows ? [] : [["Rows", format.count(each.rows)] as [string, string]])] : [];
      }),
      series: [
        {
          type: "bar",
          barMaxWidth: 26,
          data: shown.map((each) => each.value),
          itemStyle: { color: paint.series[0], borderRadius: [0, 4, 4, 0] },
          label: { show: true, position: "right", color: paint.ink2, fontSize: 13, formatter: (each: { value: number }) => (counted ? format.short(each.value) : format.number(each.value)) },
        },
      ],
    }),
  };
}

function line(plan: Plan, rows: unknown[][]): Drawn {
  const known = rows.filter((row) => row[0] !== null).sort((a, b) => String(a[0]).localeCompare(String(b[0])));
  const split = plan.y !== undefined && !isNumber(plan.y);
  const groups = new Map<string, [string, number][]>();
  for (const row of known) {
    const name = split ? label(plan.y as ColumnProfile, row[1]) : plan.y ? plan.title : "Rows";
    const points = groups.get(name) ?? [];
    points.push([String(row[0]), Number(split ? row[2] : row[1])]);
    groups.set(name, points);
  }
  const sum = (points: [string, number][]) => points.reduce((total, [, value]) => total + value, 0);
  const kept = [...groups].sort((a, b) => sum(b[1]) - sum(a[1])).slice(0, 8);
  return {
    empty: known.length === 0,
    numbers: () => ({ columns: split ? [plan.x.name, plan.y?.name ?? "", "Rows"] : [plan.x.name, plan.y ? plan.title : "Rows"], rows: known.map((row) => (split ? [format.dataDate(String(row[0])), label(plan.y as ColumnProfile, row[1]), format.count(Number(row[2]))] : [format.dataDate(String(row[0])), format.number(Number(row[1]))])) }),
    build: (paint) => ({
      grid: { left: 8, right: 24, top: split ? 44 : 16, bottom: 8, containLabel: true },
      legend: split ? { top: 0, left: 0, type: "scroll", icon: "roundRect", itemWidth: 14, itemHeight: 4, textStyle: { color: paint.ink2, fontSize: 14 } } : undefined,
      xAxis: axis(paint, { type: "time", splitLine: { show: false } }),
      yAxis: axis(paint, { type: "value", scale: plan.y !== undefined && !split && plan.measure !== "sum", axisLabel: { color: paint.ink3, fontSize: 13, formatter: (value: number) => format.short(value) } }),
      tooltip: {
        ...tip(paint, (params) => {
          const all = params as { seriesName: string; value: [string, number] }[];
          return [[plan.x.name, format.dataDate(all[0]?.value[0] ?? "")], ...all.map((each): [string, string] => [split ? each.seriesName : plan.y ? (plan.y.name ?? "") : "Rows", format.number(each.value[1])])];
        }),
        trigger: "axis",
        axisPointer: { lineStyle: { color: paint.ink3 } },
      },
      series: kept.map(([name, points], index) => ({
        type: "line",
        name,
        data: points,
        showSymbol: points.length < 40,
        symbol: "circle",
        symbolSize: 6,
        sampling: "lttb",
        lineStyle: { width: 2, color: paint.series[index] },
        itemStyle: { color: paint.series[index] },
        areaStyle: kept.length === 1 && plan.y === undefined ? { color: paint.series[0], opacity: 0.1 } : undefined,
      })),
    }),
  };
}

function points(plan: Plan, rows: unknown[][]): Drawn {
  const y = plan.y as ColumnProfile;
  const order = plan.rows?.columns?.[0] === plan.x.name ? [0, 1] : [1, 0];
  const known = rows.map((row) => [row[order[0] as number], row[order[1] as number]]).filter((row) => row[0] !== null && row[1] !== null) as [number, number][];
  return {
    empty: known.length === 0,
    numbers: () => ({ columns: [plan.x.name, y.name], rows: known.map((row) => row.map((value) => format.number(value))) }),
    build: (paint) => ({
      grid: { left: 12, right: 24, top: 16, bottom: 32, containLabel: true },
      xAxis: axis(paint, { type: "value", scale: true, name: plan.x.name, nameLocation: "middle", nameGap: 30 }),
      yAxis: axis(paint, { type: "value", scale: true, name: y.name, nameLocation: "end", nameTextStyle: { color: paint.ink3, fontSize: 13, align: "left" }, nameGap: 10 }),
      tooltip: tip(paint, (params) => {
        const [first, second] = (params as { value: [number, number] }).value;
        return [
          [plan.x.name, format.number(first)],
          [y.name, format.number(second)],
        ];
      }),
      series: [{ type: "scatter", symbolSize: 8, data: known, itemStyle: { color: paint.series[0], opacity: 0.6 } }],
    }),
  };
}

/** For each value of one column, how its rows are divided by the other. */
function shares(plan: Plan, rows: unknown[][]): Drawn {
  const y = plan.y as ColumnProfile;
  const parts = orderOf(y, rows, 1).map((value) => label(y, value));
  const totals = new Map<string, number>();
  const counts = new Map<string, number>();
  for (const row of rows) {
    const name = label(plan.x, row[0]);
    totals.set(name, (totals.get(name) ?? 0) + Number(row[2]));
    counts.set(JSON.stringify([name, label(y, row[1])]), Number(row[2]));
  }
  const count = (name: string, part: string) => counts.get(JSON.stringify([name, part])) ?? 0;
  const largest = [...totals].sort((a, b) => b[1] - a[1]).slice(0, MOST_NAMES).map(([name]) => name);
  const share = (name: string, part: string) => count(name, part) / (totals.get(name) ?? 1);
  const last = parts.at(-1) ?? "";
  const names = plan.x.kind === "integer" ? largest.sort((a, b) => Number(a) - Number(b)) : largest.sort((a, b) => share(b, last) - share(a, last));
  const shown = [...names].reverse();
  return {
    empty: names.length === 0,
    numbers: () => ({ columns: [plan.x.name, y.name, "Share", "Rows"], rows: names.flatMap((name) => parts.map((part) => [name, part, format.percent(share(name, part)), format.count(count(name, part))])) }),
    build: (paint, narrow) => ({
      grid: { left: 8, right: 20, top: 40, bottom: 8, containLabel: true },
      legend: { top: 0, left: 0, type: "scroll", icon: "roundRect", itemWidth: 14, itemHeight: 10, textStyle: { color: paint.ink2, fontSize: 14 } },
      xAxis: axis(paint, { type: "value", min: 0, max: 1, axisLabel: { color: paint.ink3, fontSize: 13, formatter: (value: number) => `${Math.round(value * 100)}%` } }),
      yAxis: axis(paint, { type: "category", data: shown, axisLine: { show: false }, axisLabel: { color: paint.ink2, fontSize: 14, width: narrow ? 96 : 180, overflow: "truncate" } }),
      tooltip: tip(paint, (params) => {
        const { name, seriesName } = params as { name: string; seriesName: string };
        return [
          [plan.x.name, name],
          [seriesName, format.percent(share(name, seriesName))],
          ["Rows", format.count(count(name, seriesName))],
        ];
      }),
      series: parts.map((part, index) => ({
        type: "bar",
        name: part,
        stack: "all",
        barMaxWidth: 24,
        data: shown.map((name) => share(name, part)),
        itemStyle: { color: paint.series[index], borderColor: paint.surface, borderWidth: 1 },
      })),
    }),
  };
}

function heat(plan: Plan, rows: unknown[][]): Drawn {
  const y = plan.y as ColumnProfile;
  const xs = orderOf(plan.x, rows, 0);
  const ys = orderOf(y, rows, 1);
  const xAt = new Map(xs.map((value, index) => [value, index]));
  const yAt = new Map(ys.map((value, index) => [value, index]));
  const cells: [number, number, number][] = [];
  for (const row of rows) {
    const a = xAt.get(row[0]);
    const b = yAt.get(row[1]);
    if (a !== undefined && b !== undefined) cells.push([a, b, Number(row[2])]);
  }
  const most = cells.reduce((found, cell) => Math.max(found, cell[2]), 1);
  const name = (column: ColumnProfile, value: unknown) => (typeof value === "number" ? format.rough(value) : label(column, value));
  const every = (values: unknown[], most: number) => (typeof values[0] === "number" ? Math.max(0, Math.ceil(values.length / most) - 1) : 0);
  return {
    empty: cells.length === 0,
    numbers: () => ({ columns: [plan.x.name, y.name, "Rows"], rows: cells.map(([a, b, count]) => [name(plan.x, xs[a]), name(y, ys[b]), format.count(count)]) }),
    build: (paint, narrow) => ({
      grid: { left: 8, right: 24, top: 32, bottom: 30, containLabel: true },
      xAxis: axis(paint, { type: "category", data: xs.map((value) => name(plan.x, value)), name: typeof xs[0] === "number" ? plan.x.name : "", nameLocation: "middle", nameGap: 30, splitLine: { show: false }, axisLabel: { color: paint.ink3, fontSize: 13, hideOverlap: true, interval: every(xs, narrow ? 4 : 9), width: 90, overflow: "truncate", rotate: typeof xs[0] === "number" || xs.length < 7 ? 0 : 35 } }),
      yAxis: axis(paint, { type: "category", data: ys.map((value) => name(y, value)), name: y.name, nameLocation: "end", nameGap: 12, nameTextStyle: { color: paint.ink3, fontSize: 13, align: "left" }, splitLine: { show: false }, axisLabel: { color: paint.ink3, fontSize: 13, interval: every(ys, 9), width: narrow ? 80 : 150, overflow: "truncate" } }),
      visualMap: { show: false, min: 0, max: Math.log1p(most), dimension: 3, inRange: { color: paint.heat } },
      tooltip: tip(paint, (params) => {
        const [a, b, count] = (params as { value: [number, number, number] }).value;
        return [
          [plan.x.name, name(plan.x, xs[a])],
          [y.name, name(y, ys[b])],
          ["Rows", format.count(count)],
        ];
      }),
      // The logarithm keeps cells with few rows visible beside those with many; the tooltip has the counts.
      series: [{ type: "heatmap", data: cells.map((cell) => [...cell, Math.log1p(cell[2])]), itemStyle: { borderColor: paint.surface, borderWidth: 1, borderRadius: 2 }, progressive: 0 }],
    }),
  };
}

function orderOf(column: ColumnProfile, rows: unknown[][], place: number): unknown[] {
  const counts = new Map<unknown, number>();
  for (const row of rows) if (row[place] !== null) counts.set(row[place], (counts.get(row[place]) ?? 0) + Number(row[2]));
  const values = [...counts.keys()];
  if (isNumber(column)) return values.sort((a, b) => Number(a) - Number(b));
  return values.sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0)).slice(0, MOST_NAMES);
}
