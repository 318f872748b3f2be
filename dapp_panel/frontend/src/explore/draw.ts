// How the numbers of a board are drawn, and what a place in a chart stands for when it is picked.
import type { EChartsCoreOption } from "echarts/core";
import { type Paint, axis, tip } from "../charts/chart";
import * as format from "../format";
import type { ChartRead, ChartRequest, ColumnProfile, Filter } from "../schema";
import { boxes, heat, points } from "./draw_pairs";
import { ownOrder, taken } from "./order";

export interface Numbers {
  columns: string[];
  rows: unknown[][];
}

export interface Drawn {
  empty: boolean;
  /** More than a picture can tell: what is left out, what the colours mean. */
  note?: string;
  build: (paint: Paint, narrow: boolean) => EChartsCoreOption;
  numbers: () => Numbers;
  /** How many bars lie under one another, which all want their name. */
  lines?: number;
  /** The conditions that a place stands for, by its number. */
  pick?: (index: number) => Filter[] | null;
  /** The conditions that a stretch, or a rectangle, stands for. */
  brush?: (x: [number, number], y: [number, number]) => Filter[] | null;
  brushKind?: "x" | "xy";
}

export interface Parts {
  names: unknown[];
  rows: number[][];
  values: (number | null)[][] | null;
  left_out: number;
}

export type Known = (name: string | null | undefined) => (ColumnProfile & { unit?: string | null }) | undefined;

/** A column's name on an axis, with what its numbers are counted in. */
export function titled(known: Known, name: string): string {
  return format.named(name, known(name)?.unit);
}

/** What the figures of a column are counted in, where they are not counts themselves. */
export function unitOfFigure(chart: ChartRequest, known: Known, name: string | null | undefined): string | null | undefined {
  return !chart.measure || chart.measure === "count" || chart.measure === "distinct" ? null : known(name)?.unit;
}

/** Names and colours that have an order of their own, in it. */
function ordered(answer: ChartRead): ChartRead {
  const data = { ...answer.data } as { names?: unknown[]; parts?: Parts };
  const own = answer.shape === "bar" && data.names ? ownOrder(data.names) : null;
  if (own) {
    for (const key of ["names", "rows", "values", "edges"]) {
      const list = (data as Record<string, unknown[] | null | undefined>)[key];
      if (list) (data as Record<string, unknown>)[key] = taken(list, own);
    }
    if (data.parts)
      data.parts = { ...data.parts, rows: data.parts.rows.map((each) => taken(each, own)), values: data.parts.values?.map((each) => taken(each, own)) ?? null };
  }
  const colours = data.parts && ["bar", "line", "histogram"].includes(answer.shape) ? ownOrder(data.parts.names) : null;
  if (colours && data.parts) {
    const { names, rows, values } = data.parts;
    data.parts = { ...data.parts, names: taken(names, colours), rows: taken(rows, colours), values: values && taken(values, colours) };
  }
  return own || colours ? { ...answer, data } : answer;
}

/** The picture of an answer. */
export function drawChart(chart: ChartRequest, found: ChartRead, known: Known): Drawn {
  const answer = ordered(found);
  if (chart.shape === "histogram") return histogram(chart, answer, known);
  if (chart.shape === "bar") return bar(chart, answer, known);
  if (chart.shape === "line") return line(chart, answer, known);
  if (chart.shape === "scatter") return points(chart, answer, known);
  if (chart.shape === "box") return boxes(chart, answer, known);
  return heat(chart, answer, known);
}

/** The label of a value of a column. */
export function label(column: ColumnProfile | undefined, value: unknown): string {
  return value === null || value === undefined
    ? "empty"
    : typeof value === "string"
      ? format.cell(value, column?.kind) || "blank"
      : format.cell(value, column?.kind);
}

/** A legend above the picture. */
export function legend(paint: Paint, shown: boolean, icon = "roundRect"): object | undefined {
  return shown
    ? {
        top: 0,
        left: 0,
        type: "scroll",
        icon,
        itemWidth: 14,
        itemHeight: 10,
        formatter: (name: string) => format.middle(name),
        textStyle: { color: paint.ink2, fontSize: 14, width: 220, overflow: "truncate" },
        pageIconColor: paint.ink2,
        pageTextStyle: { color: paint.ink3, fontSize: 14 },
      }
    : undefined;
}

/** Whether a condition is among those picked in this chart. */
export function isPicked(chart: ChartRequest, conditions: Filter[] | null): boolean {
  const picked = chart.picks ?? [];
  return Boolean(
    conditions && picked.length > 0 && conditions.every((each) => picked.some((one) => one.column === each.column && one.op === each.op && same(one, each))),
  );
}

function same(one: Filter, each: Filter): boolean {
  if (one.op === "in" && Array.isArray(one.value) && Array.isArray(each.value)) return each.value.every((value) => (one.value as unknown[]).includes(value));
  return JSON.stringify(one.value) === JSON.stringify(each.value);
}

/** Whether a bin lies inside the stretch that is picked. */
function inStretch(chart: ChartRequest, low: number, high: number): boolean {
  const picked = chart.picks ?? [];
  const from = picked.find((each) => each.op === "ge")?.value as number | undefined;
  const to = picked.find((each) => each.op === "lt" || each.op === "le")?.value as number | undefined;
  return (from === undefined || low >= from) && (to === undefined || high <= to);
}

export function stretch(name: string, low: number, high: number): Filter[] {
  return [
    { column: name, op: "ge", value: low },
    { column: name, op: "lt", value: high },
  ];
}

function histogram(chart: ChartRequest, answer: ChartRead, known: Known): Drawn {
  const data = answer.data as unknown as { edges: number[]; rows: number[]; missing: number; below?: number; parts?: Parts };
  const total = answer.drawn || 1;
  const picking = (chart.picks ?? []).length > 0;
  const unit = known(chart.x)?.unit;
  const said = (value: number | undefined) => format.amount(format.rough(value, 6), unit);
  const off = (edge: number, at: number) => Math.abs(chart.log ? Math.log(edge / at) : edge - at);
  const range = (index: number) => `${said(data.edges[index])} to ${said(data.edges[index + 1])}`;
  const conditions = (index: number): Filter[] => {
    const last = index === data.rows.length - 1;
    const low = data.edges[index] as number;
    const high = data.edges[index + 1] as number;
    return last ? [{ column: chart.x, op: "ge", value: low }] : stretch(chart.x, low, high);
  };
  const parts = data.parts;
  return {
    empty: answer.drawn === 0,
    note: [data.below ? `${format.counted(data.below, "row")} of nought or less cannot stand on this scale.` : "", leftOut(parts, data.missing, chart.x)]
      .filter(Boolean)
      .join(" "),
    numbers: () => ({
      columns: ["from", "to", "rows", ...(parts?.names.map(String) ?? [])],
      rows: data.rows.map((count, index) => [data.edges[index], data.edges[index + 1], count, ...(parts?.rows.map((each) => each[index]) ?? [])]),
    }),
    pick: conditions,
    brush: (x) => {
      const low = data.edges.reduce((best, each) => (off(each, x[0]) < off(best, x[0]) ? each : best), data.edges[0] as number);
      const high = data.edges.reduce((best, each) => (off(each, x[1]) < off(best, x[1]) ? each : best), data.edges[0] as number);
      return high > low ? stretch(chart.x, low, high) : null;
    },
    brushKind: "x",
    build: (paint) => ({
      grid: { left: 8, right: 24, top: parts ? 40 : 16, bottom: 30, containLabel: true },
      legend: legend(paint, Boolean(parts)),
      xAxis: axis(paint, {
        type: chart.log ? "log" : "value",
        min: data.edges[0],
        max: data.edges.at(-1),
        name: titled(known, chart.x),
        nameLocation: "middle",
        nameGap: 30,
        splitLine: { show: false },
        axisLabel: {
          color: paint.ink3,
          fontSize: 14,
          hideOverlap: true,
          showMinLabel: false,
          showMaxLabel: false,
          formatter: (value: number) => format.short(value),
        },
      }),
      yAxis: axis(paint, {
        type: "value",
        min: 0,
        max: parts ? Math.max(...data.rows) : undefined,
        axisLabel: { color: paint.ink3, fontSize: 14, showMaxLabel: !parts, formatter: (value: number) => format.short(value) },
      }),
      tooltip: tip(paint, (params) => {
        const { dataIndex, seriesIndex } = params as { dataIndex: number; seriesIndex: number };
        const own: [string, string][] = parts
          ? [[label(known(chart.color), parts.names[seriesIndex]), format.count(parts.rows[seriesIndex]?.[dataIndex])]]
          : [];
        return [
          [chart.x, range(dataIndex)],
          ...own,
          ["Rows", format.count(data.rows[dataIndex])],
          ["Share", format.percent((data.rows[dataIndex] ?? 0) / total)],
        ];
      }),
      series: (parts?.rows ?? [data.rows]).map((rows, part) => ({
        type: "custom",
        name: parts ? label(known(chart.color), parts.names[part]) : "Rows",
        color: paint.series[part],
        data: rows.map((count, index) => [data.edges[index], data.edges[index + 1], count, below(parts, part, index)]),
        encode: { x: [0, 1], y: 2 },
        renderItem: (params: { dataIndex: number }, api: BarApi) => {
          const bottomValue = api.value(3);
          const [left = 0, top = 0] = api.coord([api.value(0), bottomValue + api.value(2)]);
          const [right = 0, bottom = 0] = api.coord([api.value(1), bottomValue]);
          const gap = right - left > 6 ? 1 : 0;
          const dim = picking && !inStretch(chart, data.edges[params.dataIndex] as number, data.edges[params.dataIndex + 1] as number);
          return {
            type: "rect",
            shape: {
              x: left + gap,
              y: top,
              width: Math.max(1, right - left - 2 * gap),
              height: Math.max(api.value(2) > 0 ? 1 : 0, bottom - top),
              r: gap && !parts ? [3, 3, 0, 0] : 0,
            },
            style: { fill: paint.series[part], opacity: dim ? 0.3 : 1 },
            emphasis: { style: { fill: paint.accent } },
          };
        },
      })),
    }),
  };
}

/** Parts stand on one another. */
function below(parts: Parts | undefined, part: number, index: number): number {
  let sum = 0;
  for (let each = 0; each < part; each++) sum += parts?.rows[each]?.[index] ?? 0;
  return sum;
}

interface BarApi {
  value: (dimension: number) => number;
  coord: (point: [number, number]) => number[];
}

export function leftOut(parts: Parts | undefined, missing: number, name: string, others?: { names: number; rows: number }): string | undefined {
  const said: string[] = [];
  if (others?.names) said.push(`${format.counted(others.names, "smaller one")} with ${format.counted(others.rows, "row")} not drawn`);
  if (parts?.left_out) said.push(`${format.counted(parts.left_out, "smaller colour")} not drawn`);
  if (missing) said.push(`${format.counted(missing, "row has", "rows have")} no ${name}`);
  return said.length ? `${said.join("; ")}.` : undefined;
}

function bar(chart: ChartRequest, answer: ChartRead, known: Known): Drawn {
  const data = answer.data as unknown as {
    names: unknown[];
    rows: number[];
    values: (number | null)[] | null;
    edges: [number, number][] | null;
    missing: number;
    others: { names: number; rows: number };
    total: number | null;
    parts?: Parts;
  };
  const column = known(chart.x);
  const names = data.names.map((each) => (data.edges ? String(each) : label(column, each)));
  const figures = data.values ?? data.rows;
  const parts = data.parts;
  const partNames = parts?.names.map((each) => label(known(chart.color), each)) ?? [];
  const counted = data.values === null;
  const unit = unitOfFigure(chart, known, chart.y);
  const alike = format.alike(figures, unit);
  const say = (value: number | null | undefined) => (counted ? format.count(value) : alike(value));
  // Counts and sums are parts of a whole, and who compares them asks for the share next.
  const whole = counted ? answer.rows - data.missing : figures.every((each) => (each ?? 0) >= 0) ? (data.total ?? 0) : 0;
  const share = (value: number) => (whole > 0 && names.length > 1 ? format.percent(value / whole) : "");
  const told = (value: number, narrow: boolean) => `${say(value)}${!narrow && share(value) ? ` · ${share(value)}` : ""}`;
  const room = (narrow: boolean) => 16 + 8 * Math.max(4, ...figures.map((each) => told(each ?? 0, narrow).length));
  const conditions = (index: number): Filter[] | null => {
    const edge = data.edges?.[index];
    if (edge) return stretch(chart.x, edge[0], edge[1]);
    const value = data.names[index];
    return value === null || value === undefined ? [{ column: chart.x, op: "is_null" }] : [{ column: chart.x, op: "in", value: [value] }];
  };
  const picking = (chart.picks ?? []).length > 0;
  const top = names.length - 1;
  const title = counted ? "Rows" : `${chart.measure} of ${chart.y}`;
  return {
    empty: names.length === 0,
    lines: names.length,
    note: leftOut(parts, data.missing, chart.x, data.others),
    numbers: () => ({
      columns: [chart.x, "rows", ...(counted ? [] : [title]), ...partNames],
      rows: data.names.map((each, index) => [
        each,
        data.rows[index],
        ...(counted ? [] : [figures[index]]),
        ...(parts ? (parts.values ?? parts.rows).map((one) => one[index]) : []),
      ]),
    }),
    pick: conditions,
    build: (paint, narrow) => ({
      grid: { left: 8, right: parts ? 24 : room(narrow), top: parts ? 40 : 8, bottom: parts ? 8 : 8, containLabel: true },
      legend: legend(paint, Boolean(parts)),
      xAxis: axis(paint, {
        type: "value",
        axisLabel: {
          show: Boolean(parts),
          color: paint.ink3,
          fontSize: 14,
          hideOverlap: true,
          formatter: (value: number) => format.amount(format.short(value), unit),
        },
        splitLine: { show: Boolean(parts), lineStyle: { color: paint.line, type: [3, 4] } },
      }),
      yAxis: axis(paint, {
        type: "category",
        data: [...names].reverse(),
        axisLine: { show: false },
        axisLabel: { color: paint.ink2, fontSize: 14, width: narrow ? 92 : 150, overflow: "truncate", interval: 0 },
      }),
      tooltip: tip(paint, (params) => {
        const { dataIndex, seriesIndex } = params as { dataIndex: number; seriesIndex: number };
        const at = top - dataIndex;
        if (parts)
          return [
            [chart.x, names[at] ?? ""],
            [partNames[seriesIndex] ?? "", say((parts.values ?? parts.rows)[seriesIndex]?.[at])],
            ["Rows", format.count(parts.rows[seriesIndex]?.[at])],
          ];
        return [
          [chart.x, names[at] ?? ""],
          [title, say(figures[at])],
          ...(counted
            ? [["Share", share(data.rows[at] ?? 0)] as [string, string]]
            : [
                ...(share(figures[at] ?? 0) ? [["Share", share(figures[at] ?? 0)] as [string, string]] : []),
                ["Rows", format.count(data.rows[at])] as [string, string],
              ]),
        ];
      }),
      series: parts
        ? (parts.values ?? parts.rows).map((values, part) => ({
            type: "bar",
            name: partNames[part],
            stack: counted ? "all" : undefined,
            barMaxWidth: 26,
            data: [...values].reverse(),
            itemStyle: { color: paint.series[part % paint.series.length] },
          }))
        : [
            {
              type: "bar",
              barMaxWidth: 26,
              data: [...figures].reverse().map((value, index) => ({
                value,
                itemStyle: { color: paint.series[0], opacity: picking && !isPicked(chart, conditions(top - index)) ? 0.3 : 1 },
              })),
              itemStyle: { color: paint.series[0], borderRadius: 4 },
              label: {
                show: true,
                position: "right",
                color: paint.ink2,
                opacity: 1,
                fontSize: 14,
                formatter: (each: { value: number }) => told(each.value, narrow),
              },
            },
          ],
    }),
  };
}

function line(chart: ChartRequest, answer: ChartRead, known: Known): Drawn {
  const data = answer.data as unknown as { times: (string | number)[]; rows: number[]; values: (number | null)[] | null; missing: number; parts?: Parts };
  const timed = typeof data.times[0] === "string" && known(chart.x)?.kind.startsWith("date");
  const parts = data.parts;
  const counted = data.values === null;
  const names = parts ? parts.names.map((each) => label(known(chart.color), each)) : [counted ? "Rows" : (chart.y ?? "")];
  const figures = parts ? (parts.values ?? parts.rows) : [data.values ?? data.rows];
  const say = (time: unknown) => (timed ? stepName(String(time), chart.bucket) : label(known(chart.x), time));
  const unit = unitOfFigure(chart, known, chart.y);
  const picks = chart.picks ?? [];
  return {
    empty: data.times.length === 0,
    note: leftOut(parts, data.missing, chart.x),
    numbers: () => ({
      columns: [chart.x, "rows", ...(parts || !counted ? names : [])],
      rows: data.times.map((time, index) => [time, data.rows[index], ...(parts || !counted ? figures.map((each) => each[index]) : [])]),
    }),
    brushKind: timed ? "x" : undefined,
    brush: timed ? (x) => timeStretch(chart.x, data.times as string[], x) : undefined,
    build: (paint) => ({
      grid: { left: 8, right: 24, top: parts ? 44 : 16, bottom: 8, containLabel: true },
      legend: legend(paint, Boolean(parts)),
      xAxis: axis(
        paint,
        timed
          ? {
              type: "time",
              minInterval: STEP_MS[chart.bucket ?? "day"],
              splitLine: { show: false },
              axisLabel: { color: paint.ink3, fontSize: 14, hideOverlap: true },
            }
          : { type: "category", data: data.times.map(say), splitLine: { show: false } },
      ),
      yAxis: axis(paint, {
        type: "value",
        scale: !counted && chart.measure !== "sum",
        axisLabel: { color: paint.ink3, fontSize: 14, formatter: (value: number) => format.amount(format.short(value), unit) },
      }),
      tooltip: {
        ...tip(paint, (params) => {
          const all = params as { seriesName: string; dataIndex: number; value: [string, number] | number }[];
          const at = all[0]?.dataIndex ?? 0;
          return [
            [chart.x, say(data.times[at])],
            ...all.map((each): [string, string] => [each.seriesName, format.measured(Array.isArray(each.value) ? each.value[1] : each.value, unit)]),
            ...(counted ? [] : [["Rows", format.count(data.rows[at])] as [string, string]]),
          ];
        }),
        trigger: "axis",
        axisPointer: { lineStyle: { color: paint.ink3 } },
      },
      series: figures.map((values, index) => ({
        type: "line",
        name: names[index],
        data: timed ? values.map((value, at) => [data.times[at], value]) : values,
        showSymbol: values.length < 40,
        symbol: "circle",
        symbolSize: 6,
        connectNulls: false,
        lineStyle: { width: 2, color: paint.series[index % paint.series.length] },
        itemStyle: { color: paint.series[index % paint.series.length] },
        areaStyle: figures.length === 1 && counted ? { color: paint.series[0], opacity: 0.1 } : undefined,
        markArea:
          index === 0 && picks.length
            ? {
                silent: true,
                itemStyle: { color: paint.accent, opacity: 0.12 },
                data: [
                  [
                    { xAxis: picks.find((each) => each.op === "ge")?.value ?? data.times[0] },
                    { xAxis: picks.find((each) => each.op === "lt")?.value ?? data.times.at(-1) },
                  ],
                ],
              }
            : undefined,
      })),
    }),
  };
}

function timeStretch(name: string, times: string[], x: [number, number]): Filter[] | null {
  const inside = times.filter((each) => Date.parse(each) >= x[0] && Date.parse(each) <= x[1]);
  const first = inside[0];
  if (!first) return null;
  const end = times[times.indexOf(inside.at(-1) as string) + 1];
  return end
    ? [
        { column: name, op: "ge", value: first },
        { column: name, op: "lt", value: end },
      ]
    : [{ column: name, op: "ge", value: first }];
}

/** No tick stands between two steps. */
const STEP_MS = { hour: 3.6e6, day: 864e5, week: 7 * 864e5, month: 28 * 864e5, quarter: 89 * 864e5, year: 364 * 864e5 };

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** A step of time as people name it. */
export function stepName(time: string, bucket: ChartRequest["bucket"]): string {
  const [year = "", month = "1"] = time.split("-");
  if (bucket === "year") return year;
  if (bucket === "quarter") return `Q${Math.ceil(Number(month) / 3)} ${year}`;
  if (bucket === "month") return `${MONTHS[Number(month) - 1]} ${year}`;
  return bucket === "week" ? `Week of ${format.dataDate(time)}` : format.dataDate(time);
}
