// A chart: drawn in the colours of the page, described in words, its numbers there as a table for whoever wants them.
import type { EChartsCoreOption, EChartsType } from "echarts/core";
import { useEffect, useRef, useState } from "preact/hooks";
import { colours, token } from "../theme";
import { Bone } from "../parts/surface";

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
  rows: string[][];
}

interface ChartProps {
  /** Built anew when `of` or the colours change. */
  build: (paint: Paint, narrow: boolean) => EChartsCoreOption;
  of: unknown;
  label: string;
  height?: number;
  numbers?: () => Numbers;
  onPick?: (index: number) => void;
}

export function Chart({ build, of, label, height = 280, numbers, onPick }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const pick = useRef(onPick);
  pick.current = onPick;
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
    chart.current?.setOption({ ...frame(paint()), ...build(paint(), narrow) }, { notMerge: true });
  }, [ready, of, turn]);

  return (
    <figure class="chart">
      <div class="chart-canvas" style={{ height: `${height}px` }} role="img" aria-label={label}>
        <div ref={box} style={{ height: "100%" }} />
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
          {shown && <NumbersTable {...numbers()} />}
        </div>
      )}
    </figure>
  );
}

function NumbersTable({ columns, rows }: Numbers) {
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
          {rows.slice(0, 500).map((row, index) => (
            <tr key={index}>
              {row.map((value, place) => (
                <td key={place} class="num">
                  {value}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function frame(colour: Paint): EChartsCoreOption {
  return {
    color: colour.series,
    textStyle: { fontFamily: colour.font, color: colour.ink2, fontSize: 13 },
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
    axisLabel: { color: colour.ink3, fontSize: 13, hideOverlap: true },
    splitLine: { lineStyle: { color: colour.line, type: [3, 4] } },
    nameTextStyle: { color: colour.ink3, fontSize: 13 },
    ...more,
  };
}
