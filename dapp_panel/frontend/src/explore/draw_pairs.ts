// Charts of two columns that are not bars or lines: points, rasters, heat maps, boxes.
import { axis, tip } from "../charts/chart";
import * as format from "../format";
import type { ChartRead, ChartRequest, Filter } from "../schema";
import { type Drawn, type Known, isPicked, label, legend, stepName, stretch, titled, unitOfFigure } from "./draw";

interface Raster {
  width: number;
  height: number;
  x: [number, number];
  y: [number, number];
  most: number;
  bits: 16 | 32;
  rows: string;
  color?: string;
  range?: [number, number];
}

const numberAxis = (value: number) => format.short(Number(value.toPrecision(6)));

/** Every row as a point, or where there are too many a picture of how many lie where. */
export function points(chart: ChartRequest, answer: ChartRead, known: Known): Drawn {
  const data = answer.data as unknown as { parts: unknown[] | null; points?: [number, number, number | null][]; raster?: Raster };
  const raster = data.raster;
  const names = data.parts?.map((each) => label(known(chart.color), each)) ?? null;
  const y = chart.y ?? "";
  const brush = (xs: [number, number], ys: [number, number]): Filter[] => [
    ...stretch(chart.x, round(xs[0]), round(xs[1])),
    ...stretch(y, round(ys[0]), round(ys[1])),
  ];
  const cells = raster ? unpack(raster) : null;
  return {
    empty: answer.drawn === 0,
    note: raster
      ? `${format.count(answer.drawn)} points counted in ${format.count(raster.width)} × ${format.count(raster.height)} cells: the darker, the more rows${chart.color ? (names ? "; the colour is that of most of them" : `; the colour is their average ${chart.color}`) : ""}.`
      : undefined,
    numbers: () =>
      cells && raster
        ? {
            columns: [`${chart.x} from`, `${y} from`, "rows"],
            rows: [...cells.rows].flatMap((count, at) =>
              count ? [[edge(raster.x, at % raster.width, raster.width), edge(raster.y, Math.floor(at / raster.width), raster.height), count]] : [],
            ),
          }
        : {
            columns: [chart.x, y, ...(chart.color ? [chart.color] : [])],
            rows: (data.points ?? []).map((each) => [each[0], each[1], ...(chart.color ? [names && each[2] !== null ? names[each[2]] : each[2]] : [])]),
          },
    brush,
    brushKind: "xy",
    build: (paint) => {
      const frame = {
        grid: { left: 12, right: 24, top: names ? 44 : 20, bottom: 32, containLabel: true },
        legend: names && !raster ? legend(paint, true, "circle") : undefined,
        xAxis: axis(paint, {
          type: "value",
          scale: true,
          name: titled(known, chart.x),
          nameLocation: "middle",
          nameGap: 30,
          axisLabel: { color: paint.ink3, fontSize: 14, hideOverlap: true, showMinLabel: !raster, showMaxLabel: !raster, formatter: numberAxis },
        }),
        yAxis: axis(paint, {
          type: "value",
          scale: true,
          name: titled(known, y),
          nameLocation: "end",
          nameTextStyle: { color: paint.ink3, fontSize: 14, align: "left" },
          nameGap: 8,
          axisLabel: { color: paint.ink3, fontSize: 14, showMinLabel: !raster, showMaxLabel: !raster, formatter: numberAxis },
        }),
      };
      if (raster && cells) {
        const picture = paintCells(
          raster,
          cells,
          names ? paint.series : chart.color ? [paint.series[0] as string, paint.series[1] as string] : [paint.accent],
          Boolean(names),
        );
        const [low, high] = [raster.x[0], raster.x[1]];
        return {
          ...frame,
          xAxis: { ...frame.xAxis, min: low, max: high > low ? high : low + 1 },
          yAxis: { ...frame.yAxis, min: raster.y[0], max: raster.y[1] > raster.y[0] ? raster.y[1] : raster.y[0] + 1 },
          legend: names
            ? {
                ...(legend(paint, true, "circle") as object),
                data: names.map((name, at) => ({ name, itemStyle: { color: paint.series[at % paint.series.length] } })),
                selectedMode: false,
              }
            : undefined,
          tooltip: tip(paint, () => [["Rows", format.count(answer.drawn)]]),
          series: [
            {
              type: "custom",
              silent: true,
              data: [[low, raster.y[0]]],
              renderItem: (_: unknown, api: { coord: (point: [number, number]) => number[] }) => {
                const [left = 0, bottom = 0] = api.coord([low, raster.y[0]]);
                const [right = 0, top = 0] = api.coord([high > low ? high : low + 1, raster.y[1] > raster.y[0] ? raster.y[1] : raster.y[0] + 1]);
                return { type: "image", style: { image: picture, x: left, y: top, width: right - left, height: bottom - top } };
              },
            },
            ...(names ?? []).map((name, at) => ({ type: "scatter", name, data: [], itemStyle: { color: paint.series[at % paint.series.length] } })),
          ],
        };
      }
      const all = data.points ?? [];
      const shaded = chart.color && !names;
      const shades = all.flatMap((each) => (each[2] === null ? [] : [each[2]]));
      return {
        ...frame,
        visualMap: shaded
          ? { show: false, dimension: 2, min: Math.min(...shades), max: Math.max(...shades), inRange: { color: [paint.series[0], paint.series[1]] } }
          : undefined,
        tooltip: tip(paint, (params) => {
          const { value } = params as { value: [number, number, number | null] };
          return [
            [chart.x, format.amount(format.number(value[0]), known(chart.x)?.unit)],
            [y, format.amount(format.number(value[1]), known(y)?.unit)],
            ...(chart.color && value[2] !== null ? [[chart.color, names ? (names[value[2]] ?? "") : format.number(value[2])] as [string, string]] : []),
          ];
        }),
        series: names
          ? names.map((name, part) => ({
              type: "scatter",
              name,
              symbolSize: 7,
              data: all.filter((each) => each[2] === part),
              itemStyle: { color: paint.series[part % paint.series.length], opacity: 0.7 },
            }))
          : [{ type: "scatter", symbolSize: 7, data: all, itemStyle: { color: paint.series[0], opacity: 0.6 } }],
      };
    },
  };
}

function round(value: number): number {
  return Number(value.toPrecision(6));
}

function edge(range: [number, number], at: number, size: number): number {
  return round(range[0] + ((range[1] - range[0]) / size) * at);
}

interface Cells {
  rows: Uint16Array | Uint32Array;
  color: Uint8Array | null;
}

function unpack(raster: Raster): Cells {
  const bytes = (text: string) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const counts = bytes(raster.rows).buffer;
  return { rows: raster.bits === 16 ? new Uint16Array(counts) : new Uint32Array(counts), color: raster.color ? bytes(raster.color) : null };
}

/** The cells as a picture: how strong by how many (equalised, so that single rows show beside thousands), which colour by the parts. */
function paintCells(raster: Raster, cells: Cells, colours: string[], named: boolean): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = raster.width;
  canvas.height = raster.height;
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  const image = context.createImageData(raster.width, raster.height);
  const shades = colours.map(channels);
  const ranks = rankOf(cells.rows, raster.most);
  for (let at = 0; at < cells.rows.length; at++) {
    const count = cells.rows[at] as number;
    if (count === 0) continue;
    const line = raster.height - 1 - Math.floor(at / raster.width);
    const place = (line * raster.width + (at % raster.width)) * 4;
    const mark = cells.color?.[at] ?? 0;
    const colour = named
      ? (shades[mark % shades.length] as number[])
      : shades.length > 1
        ? mix(shades[0] as number[], shades[1] as number[], mark / 254)
        : (shades[0] as number[]);
    image.data.set(colour, place);
    image.data[place + 3] = 60 + 195 * (ranks.get(count) ?? 1);
  }
  context.putImageData(image, 0, 0);
  return enlarged(canvas);
}

/** Large cells keep their edges: what draws the picture later would blur them into one another. */
function enlarged(small: HTMLCanvasElement): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = small.width * Math.max(1, Math.ceil(1200 / small.width));
  canvas.height = small.height * Math.max(1, Math.ceil(700 / small.height));
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** For each count that occurs, the share of filled cells that have no more. */
function rankOf(rows: Uint16Array | Uint32Array, most: number): Map<number, number> {
  const seen = new Map<number, number>();
  let filled = 0;
  for (const count of rows) {
    if (count === 0) continue;
    filled += 1;
    seen.set(count, (seen.get(count) ?? 0) + 1);
  }
  const ranks = new Map<number, number>();
  let before = 0;
  for (const count of [...seen.keys()].sort((a, b) => a - b)) {
    before += seen.get(count) as number;
    ranks.set(count, most === 1 ? 1 : before / filled);
  }
  return ranks;
}

function channels(colour: string): number[] {
  const probe = document.createElement("canvas").getContext("2d") as CanvasRenderingContext2D;
  probe.fillStyle = colour;
  probe.fillRect(0, 0, 1, 1);
  return [...probe.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

function mix(a: number[], b: number[], share: number): number[] {
  return a.map((value, at) => value + ((b[at] ?? 0) - value) * Math.min(1, share));
}

interface Side {
  names?: unknown[];
  edges?: number[];
}

/** Two columns against each other, counted or measured. */
export function heat(chart: ChartRequest, answer: ChartRead, known: Known): Drawn {
  const data = answer.data as unknown as { x: Side; y: Side; cells: [number, number, number, number | null][]; left_out: { x: number; y: number } };
  const measured = Boolean(chart.color && chart.measure && chart.measure !== "count");
  const side = (of: Side, name: string | null | undefined) =>
    of.edges
      ? of.edges.slice(0, -1).map((each) => format.rough(each, 6))
      : (of.names ?? []).map((each) =>
          chart.bucket && typeof each === "string" && known(name)?.kind.startsWith("date") ? stepName(each, chart.bucket) : label(known(name), each),
        );
  const xs = side(data.x, chart.x);
  const ys = side(data.y, chart.y);
  const figure = (cell: [number, number, number, number | null]) => (measured ? cell[3] : cell[2]);
  const shades = data.cells.map((cell) => (measured ? (cell[3] ?? 0) : Math.log1p(cell[2])));
  const conditions = (index: number): Filter[] | null => {
    const cell = data.cells[index];
    return cell ? [...condition(chart.x, data.x, cell[0]), ...condition(chart.y ?? "", data.y, cell[1])] : null;
  };
  const picking = (chart.picks ?? []).length > 0;
  const every = (of: Side, names: unknown[], most: number) => (of.edges ? Math.max(0, Math.ceil(names.length / most) - 1) : "auto");
  const left = data.left_out.x + data.left_out.y;
  return {
    empty: data.cells.length === 0,
    note: `A stronger colour means ${measured ? "a higher figure" : "more rows"}${left ? `; ${format.counted(left, "smaller name")} not drawn` : ""}.`,
    numbers: () => ({
      columns: [chart.x, chart.y ?? "", "rows", ...(measured ? [`${chart.measure} of ${chart.color}`] : [])],
      rows: data.cells.map((cell) => [xs[cell[0]], ys[cell[1]], cell[2], ...(measured ? [cell[3]] : [])]),
    }),
    pick: conditions,
    build: (paint, narrow) => ({
      grid: { left: 8, right: 24, top: 34, bottom: 30, containLabel: true },
      xAxis: axis(paint, {
        type: "category",
        data: xs,
        name: data.x.edges ? titled(known, chart.x) : chart.x,
        nameLocation: "middle",
        nameGap: data.x.edges || xs.length < 8 ? 30 : 62,
        splitLine: { show: false },
        axisLabel: {
          color: paint.ink3,
          fontSize: 14,
          hideOverlap: true,
          interval: every(data.x, xs, narrow ? 4 : 9),
          width: 90,
          overflow: "truncate",
          rotate: data.x.edges || xs.length < 8 ? 0 : 40,
        },
      }),
      yAxis: axis(paint, {
        type: "category",
        data: ys,
        name: data.y.edges ? titled(known, chart.y ?? "") : chart.y,
        nameLocation: "end",
        nameGap: 12,
        nameTextStyle: { color: paint.ink3, fontSize: 14, align: "left" },
        splitLine: { show: false },
        axisLabel: { color: paint.ink3, fontSize: 14, interval: every(data.y, ys, 9), width: narrow ? 80 : 140, overflow: "truncate" },
      }),
      visualMap: { show: false, min: measured ? Math.min(...shades) : 0, max: Math.max(...shades, 1e-9), dimension: 3, inRange: { color: paint.heat } },
      tooltip: tip(paint, (params) => {
        const cell = data.cells[(params as { dataIndex: number }).dataIndex];
        return cell
          ? [
              [chart.x, xs[cell[0]] ?? ""],
              [chart.y ?? "", ys[cell[1]] ?? ""],
              ...(measured
                ? [[`${chart.measure} of ${chart.color}`, format.measured(figure(cell), unitOfFigure(chart, known, chart.color))] as [string, string]]
                : []),
              ["Rows", format.count(cell[2])],
            ]
          : [];
      }),
      series: [
        {
          type: "heatmap",
          data: data.cells.map((cell, index) => ({
            value: [cell[0], cell[1], cell[2], shades[index]],
            itemStyle: picking && !isPicked(chart, conditions(index)) ? { opacity: 0.3 } : undefined,
          })),
          itemStyle: { borderColor: paint.surface, borderWidth: xs.length > 30 ? 0 : 1 },
          progressive: 0,
        },
      ],
    }),
  };
}

function condition(name: string, side: Side, at: number): Filter[] {
  if (side.edges) return stretch(name, side.edges[at] as number, side.edges[at + 1] as number);
  return [{ column: name, op: "in", value: [side.names?.[at]] }];
}

/** Quartiles for each name. */
export function boxes(chart: ChartRequest, answer: ChartRead, known: Known): Drawn {
  const data = answer.data as unknown as {
    names: unknown[];
    edges: [number, number][] | null;
    rows: number[];
    boxes: number[][];
    outliers: number[];
    others: { names: number; rows: number };
  };
  const names = data.names.map((each) => (data.edges ? String(each) : label(known(chart.x), each)));
  const top = names.length - 1;
  const conditions = (index: number): Filter[] => {
    const bounds = data.edges?.[index];
    return bounds ? stretch(chart.x, bounds[0], bounds[1]) : [{ column: chart.x, op: "in", value: [data.names[index]] }];
  };
  const outside = data.outliers.reduce((sum, each) => sum + each, 0);
  const picking = (chart.picks ?? []).length > 0;
  return {
    empty: names.length === 0,
    lines: names.length,
    note: `A box holds the middle half; whiskers reach 1.5 boxes further, and ${format.counted(outside, "row lies", "rows lie")} beyond them${data.others.names ? `; ${format.counted(data.others.names, "smaller name")} not drawn` : ""}.`,
    numbers: () => ({
      columns: [chart.x, "rows", "lower whisker", "first quartile", "median", "third quartile", "upper whisker", "beyond"],
      rows: data.names.map((name, at) => [name, data.rows[at], ...(data.boxes[at] ?? []), data.outliers[at]]),
    }),
    pick: conditions,
    build: (paint, narrow) => ({
      grid: { left: 8, right: 24, top: 12, bottom: 32, containLabel: true },
      xAxis: axis(paint, {
        type: "value",
        scale: true,
        name: titled(known, chart.y ?? ""),
        nameLocation: "middle",
        nameGap: 30,
        axisLabel: { color: paint.ink3, fontSize: 14, hideOverlap: true, formatter: numberAxis },
      }),
      yAxis: axis(paint, {
        type: "category",
        data: [...names].reverse(),
        axisLine: { show: false },
        axisLabel: { color: paint.ink2, fontSize: 14, width: narrow ? 92 : 150, overflow: "truncate", interval: 0 },
      }),
      tooltip: tip(paint, (params) => {
        const at = top - (params as { dataIndex: number }).dataIndex;
        const [low, q1, middle, q3, high] = data.boxes[at] ?? [];
        return [
          [chart.x, names[at] ?? ""],
          ["Half below", format.number(middle)],
          ["Middle half", `${format.number(q1)} to ${format.number(q3)}`],
          ["Whiskers", `${format.number(low)} to ${format.number(high)}`],
          ["Beyond", format.count(data.outliers[at])],
          ["Rows", format.count(data.rows[at])],
        ];
      }),
      series: [
        {
          type: "boxplot",
          data: [...data.boxes]
            .reverse()
            .map((value, index) => ({ value, itemStyle: { opacity: picking && !isPicked(chart, conditions(top - index)) ? 0.3 : 1 } })),
          boxWidth: [8, 26],
          itemStyle: { color: paint.heat[0], borderColor: paint.series[0], borderWidth: 1.5 },
        },
      ],
    }),
  };
}
