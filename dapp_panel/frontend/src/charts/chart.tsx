// A chart: drawn in the colours of the page, described in words, its numbers there as a table for whoever wants them.
import type { EChartsCoreOption, EChartsType } from "echarts/core";
import { useEffect, useRef, useState } from "preact/hooks";
import { colours, token } from "../theme";
import * as format from "../format";
import { Bone } from "../parts/surface";

const MOST_LINES = 500;

export interface Paint {
  ink: string;
  ink2: string;
  ink3: string;
  line: string;
  surface: string;
  accent: string;
  series: string[];
  heat: [string, string];
  warn: string;
  good: string;
  font: string;
}

/** The colours of the page as they are now. */
export function paint(): Paint {
  return {
    ink: token("--ink"),
    ink2: token("--ink-2"),
    ink3: token("--ink-3"),
    line: token("--line"),
    surface: token("--surface"),
    accent: token("--accent"),
    series: Array.from({ length: 8 }, (_, index) => token(`--c${index + 1}`)),
    heat: [token("--heat-0"), token("--heat-1")],
    warn: token("--warn"),
    good: token("--good"),
    font: "Inter, system-ui, sans-serif",
  };
}

interface Numbers {
  columns: string[];
  rows: unknown[][];
}

interface ChartProps {
  /** Built anew when `of` or the colours change. */
  build: (paint: Paint, narrow: boolean) => EChartsCoreOption;
  of: unknown;
  label: string;
  height?: number;
  numbers?: () => Numbers;
  onPick?: (index: number) => void;
  /** Called with the data's values of a stretch, or rectangle, that was drawn over. */
  onBrush?: (x: [number, number], y: [number, number]) => void;
  brush?: "x" | "xy";
  /** How many marks there are where they are drawn from the last to the first. */
  reversed?: number;
  /** Without movement, so that an answer shows at once. */
  still?: boolean;
}

export function Chart({ build, of, label, height = 280, numbers, onPick, onBrush, brush, reversed, still }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const pick = useRef(onPick);
  pick.current = onPick && ((index) => onPick(reversed === undefined ? index : reversed - 1 - index));
  const [span, setSpan] = useState<Span | null>(null);
  const [ready, setReady] = useState(false);
  const [shown, show] = useState(false);
  const turn = colours.value;

  useEffect(() => {
    let gone = false;
    let watch: ResizeObserver | undefined;
    void import("./engine").then(({ init }) => {
      if (gone || !box.current) return;
      chart.current = init(box.current, null, { renderer: "canvas" });
      chart.current.on("click", (event) => pick.current?.((event as { dataIndex: number }).dataIndex));
      watch = new ResizeObserver(() => chart.current?.resize());
      watch.observe(box.current);
      setReady(true);
    });
    return () => {
      gone = true;
      watch?.disconnect();
      chart.current?.dispose();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    if (!ready || !box.current) return;
    const narrow = box.current.clientWidth < 480;
    chart.current?.setOption({ ...frame(paint()), ...(still ? { animation: false } : {}), ...build(paint(), narrow) }, { notMerge: true, silent: true });
  }, [ready, of, turn]);

  return (
    <figure class="chart">
      <div class="chart-canvas" style={{ height: `${height}px` }} role="img" aria-label={label}>
        <div
          ref={box}
          style={{ height: "100%" }}
          onPointerDown={onBrush && brush ? (event) => begin(event, chart.current, brush, setSpan, onBrush) : undefined}
        />
        {span && <div class="brush" style={{ left: `${span.left}px`, top: `${span.top}px`, width: `${span.width}px`, height: `${span.height}px` }} />}
        {!ready && (
          <div class="chart-bone">
            <Bone height={height - 24} />
          </div>
        )}
      </div>
      {numbers && (
        <div class="chart-numbers">
          <button type="button" class="link-button small" aria-expanded={shown} onClick={() => show(!shown)}>
            {shown ? "Hide the numbers" : "Show the numbers"}
          </button>
          {shown && <NumbersTable {...numbers()} onPick={onPick} />}
        </div>
      )}
    </figure>
  );
}

interface Span {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Follow the pointer from where it went down; a short way is a click, which is not a stretch. Fingers scroll instead. */
function begin(
  event: PointerEvent,
  chart: EChartsType | null,
  kind: "x" | "xy",
  show: (span: Span | null) => void,
  done: (x: [number, number], y: [number, number]) => void,
): void {
  if (event.pointerType === "touch" || event.button !== 0 || !chart) return;
  const area = (event.currentTarget as HTMLElement).getBoundingClientRect();
  const start = [event.clientX - area.left, event.clientY - area.top] as [number, number];
  if (!chart.containPixel("grid", start)) return;
  let end = start;
  const move = (moved: PointerEvent) => {
    end = [Math.min(area.width, Math.max(0, moved.clientX - area.left)), Math.min(area.height, Math.max(0, moved.clientY - area.top))];
    if (Math.abs(end[0] - start[0]) < 6) return show(null);
    show({
      left: Math.min(start[0], end[0]),
      width: Math.abs(end[0] - start[0]),
      top: kind === "xy" ? Math.min(start[1], end[1]) : 0,
      height: kind === "xy" ? Math.abs(end[1] - start[1]) : area.height,
    });
  };
  const up = () => {
    removeEventListener("pointermove", move);
    show(null);
    if (Math.abs(end[0] - start[0]) < 6) return;
    const [a, b] = [start, end].map((each) => chart.convertFromPixel("grid", each)) as [number[], number[]];
    const ordered = (at: number): [number, number] => [Math.min(a[at] ?? 0, b[at] ?? 0), Math.max(a[at] ?? 0, b[at] ?? 0)];
    done(ordered(0), ordered(1));
  };
  addEventListener("pointermove", move);
  addEventListener("pointerup", up, { once: true });
}

/** A cell of the numbers behind a chart. */
function shownCell(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number") return Number.isInteger(value) ? (Math.abs(value) < 10_000 ? String(value) : format.count(value)) : format.number(value);
  return String(value);
}

function NumbersTable({ columns, rows, onPick }: Numbers & { onPick?: (index: number) => void }) {
  return (
    <div class="numbers-scroll" tabIndex={0} role="region" aria-label="Numbers of the chart">
      <table class="plain-table">
        <thead>
          <tr>
            {columns.map((each) => (
              <th key={each} scope="col">
                {each}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, MOST_LINES).map((row, index) => (
            <tr key={index}>
              {row.map((value, place) => (
                <td key={place} class="num">
                  {place === 0 && onPick ? (
                    <button type="button" class="link-button" onClick={() => onPick(index)} title="Show only these rows in the other charts">
                      {shownCell(value)}
                    </button>
                  ) : (
                    shownCell(value)
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > MOST_LINES && <p class="small muted pad">{format.count(rows.length - MOST_LINES)} more lines; take them as CSV.</p>}
    </div>
  );
}

function frame(colour: Paint): EChartsCoreOption {
  return {
    color: colour.series,
    textStyle: { fontFamily: colour.font, color: colour.ink2, fontSize: 14 },
    animationDuration: 260,
    animationDurationUpdate: 180,
    animationEasing: "cubicOut",
    grid: { left: 8, right: 16, top: 16, bottom: 8, containLabel: true },
    aria: { enabled: false },
  };
}

/** A tooltip of plain text: names and values are set as text, never as markup. */
export function tip(colour: Paint, rows: (params: unknown) => [string, string][]): object {
  return {
    confine: true,
    backgroundColor: colour.surface,
    borderColor: colour.line,
    borderWidth: 1,
    padding: [8, 12],
    textStyle: { color: colour.ink, fontFamily: colour.font, fontSize: 14 },
    extraCssText: "border-radius:10px;box-shadow:0 6px 24px rgb(0 0 0 / 16%);",
    formatter: (params: unknown) => {
      const table = document.createElement("div");
      table.className = "tip";
      for (const [name, value] of rows(params)) {
        const key = document.createElement("span");
        key.textContent = name;
        const figure = document.createElement("strong");
        figure.textContent = value;
        table.append(key, figure);
      }
      return table;
    },
  };
}

/** An axis in the look of the page. */
export function axis(colour: Paint, more: object = {}): object {
  return {
    axisLine: { lineStyle: { color: colour.line } },
    axisTick: { show: false },
    axisLabel: { color: colour.ink3, fontSize: 14, hideOverlap: true },
    splitLine: { lineStyle: { color: colour.line, type: [3, 4] } },
    nameTextStyle: { color: colour.ink3, fontSize: 14 },
    nameTruncate: { maxWidth: 220, ellipsis: "…" },
    ...more,
  };
}
