// Small pictures inside text and tables, drawn as plain elements.
import * as format from "../format";
import type { ColumnProfile, Score } from "../schema";

/** The distribution of one column: bars of a histogram, or of the most frequent values. */
export function Distribution({ of, rows, height = 40 }: { of: ColumnProfile; rows: number; height?: number }) {
  const counts = of.histogram?.counts ?? of.top.slice(0, 12).map((each) => each.count);
  if (counts.length === 0) return <div class="spark none" style={{ height: `${height}px` }} />;
  const most = Math.max(1, ...counts);
  const named = !of.histogram;
  return (
    <svg
      class={`spark ${named ? "named" : ""}`}
      viewBox={`0 0 ${counts.length * 10} 100`}
      preserveAspectRatio="none"
      style={{ height: `${height}px` }}
      aria-hidden="true"
    >
      {counts.map((count, index) => {
        const tall = count === 0 ? 0 : Math.max(3, (count / most) * 100);
        return (
          <rect key={index} x={index * 10 + 0.8} width={8.4} y={100 - tall} height={tall} rx={1}>
            <title>{labelOf(of, index, count, rows)}</title>
          </rect>
        );
      })}
    </svg>
  );
}

function labelOf(of: ColumnProfile, index: number, count: number, rows: number): string {
  const share = rows ? ` (${format.percent(count / rows)})` : "";
  if (!of.histogram) return `${format.answer(of.top[index]?.value ?? "", of.kind)}: ${format.count(count)}${share}`;
  const { edges } = of.histogram;
  return `${format.figure(edges[index], of.kind)} to ${format.figure(edges[index + 1], of.kind)}: ${format.count(count)}${share}`;
}

/** Named figures as bars. `full` is what a whole bar stands for; without it the largest figure has one. */
export function Bars({ rows, full }: { rows: { name: string; value: number; text: string; strong?: boolean }[]; full?: number }) {
  const most = full || Math.max(1e-12, ...rows.map((row) => row.value));
  return (
    <ul class="bars">
      {rows.map((row) => (
        <li key={row.name} class={row.strong ? "strong" : ""}>
          <span class="bars-name clip" title={row.name}>
            {row.name}
          </span>
          <span class="bars-track">
            <span class="bars-fill" style={{ width: `${Math.max(0.5, (Math.max(0, row.value) / most) * 100)}%` }} />
          </span>
          <span class="bars-text num">{row.text}</span>
        </li>
      ))}
    </ul>
  );
}

/** How far a score is from guessing, with the range in which it lies: guess on one side, perfect on the other. */
export function Better({ score, words, unit }: { score: Score; words: { ours: string; guess: string }; unit?: string | null }) {
  const perfect = perfectOf(score);
  const span = perfect - score.baseline || 1;
  const place = (value: number) => `${Math.min(100, Math.max(0, ((value - score.baseline) / span) * 100))}%`;
  const low = score.greater_is_better ? score.low : score.high;
  const high = score.greater_is_better ? score.high : score.low;
  const lowAt = Math.min(100, Math.max(0, ((low - score.baseline) / span) * 100));
  const highAt = Math.min(100, Math.max(0, ((high - score.baseline) / span) * 100));
  return (
    <div class="better">
      <div class="better-track" role="img" aria-label={`${words.ours}; ${words.guess}`}>
        <div class="better-fill" style={{ width: place(score.value) }} />
        <div
          class="better-range"
          style={{ left: `${lowAt}%`, width: `${Math.max(0.6, highAt - lowAt)}%` }}
          title={`95% range: ${format.score(score.name, score.low, unit)} to ${format.score(score.name, score.high, unit)}`}
        />
        <div class="better-mark" style={{ left: place(score.value) }} />
      </div>
      <div class="better-ends">
        <span>
          Guessing <b class="num">{format.score(score.name, score.baseline, unit)}</b>
        </span>
        <span>
          Perfect <b class="num">{format.score(score.name, perfect, unit)}</b>
        </span>
      </div>
    </div>
  );
}

function perfectOf(score: Score): number {
  return score.greater_is_better ? 1 : 0;
}

/** A share as a thin bar. */
export function Meter({ share, tone = "warn", label }: { share: number; tone?: string; label: string }) {
  return (
    <span class="meter" role="img" aria-label={label} title={label}>
      <span class={tone} style={{ width: share > 0 ? `max(3px, ${share * 100}%)` : "0" }} />
    </span>
  );
}
