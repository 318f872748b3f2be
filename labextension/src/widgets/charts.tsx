// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import * as React from 'react';

import { wording } from '../model';
import type { Column, Confusion, Curve, Importance, Scatter, Score, Trial } from '../schema';

/** The box of a square chart and the room for its axes. */
const SIZE = 220;
const MARGIN = { left: 46, right: 10, top: 8, bottom: 34 };
const PLOT = { width: SIZE - MARGIN.left - MARGIN.right, height: SIZE - MARGIN.top - MARGIN.bottom };

type Range = readonly [number, number];

/** Horizontal bars, the longest first, with a whisker for how sure each is. */
export function ImportanceBars(props: {
  importances: readonly Importance[];
  features: readonly Column[];
  label: string;
}): React.ReactElement {
  const sorted = [...props.importances].sort((a, b) => b.value - a.value).slice(0, 15);
  const units = new Map(props.features.map(({ name, unit }) => [name, unit]));
  const most = Math.max(...sorted.map(each => each.value + each.std), 1e-12);
  const first = sorted[0]?.value;
  const share = (value: number): string => `${Math.max(0, Math.min(1, value / most)) * 100}%`;
  return (
    <ul className={`jp-Dapp-bars ${Math.abs(first) >= 1e6 ? 'jp-mod-amounts' : ''}`} aria-label={props.label}>
      {sorted.map(({ column, value, std }) => (
        <li key={column} title={`${wording.figure(value, first)} ± ${wording.figure(std, first)}`}>
          <span className="jp-Dapp-bars-label">{wording.columnLabel(column, units.get(column))}</span>
          <span className="jp-Dapp-bars-track">
            <span className="jp-Dapp-bars-bar" style={{ width: share(value) }} />
            <span
              className="jp-Dapp-bars-whisker"
              style={{
                left: share(value - std),
                width: `calc(${share(value + std)} - ${share(value - std)})`
              }}
            />
          </span>
          <span className="jp-Dapp-bars-value">{wording.figure(value, first)}</span>
        </li>
      ))}
    </ul>
  );
}

/** Where a score lies between what guessing reaches and the best there is, with its interval. */
export function ScoreScale(props: { score: Score; baselineLabel: string }): React.ReactElement {
  const { score, baselineLabel } = props;
  const ends = scaleOf(score);
  const at = (value: number): number => ((value - ends[0]) / (ends[1] - ends[0])) * 100;
  const low = Math.max(0, Math.min(at(score.low), at(score.high)));
  const high = Math.min(100, Math.max(at(score.low), at(score.high)));
  return (
    <div className="jp-Dapp-scale" aria-hidden="true">
      <span
        className="jp-Dapp-scale-interval"
        style={{ left: `${low}%`, width: `${Math.max(1, high - low)}%` }}
      />
      <span
        className="jp-Dapp-scale-baseline"
        style={{ left: `${clip(at(score.baseline))}%` }}
        title={baselineLabel}
      />
      <span className="jp-Dapp-scale-value" style={{ left: `${clip(at(score.value))}%` }} />
    </div>
  );
}

/** The most lines that one chart can carry and still be read. */
const MOST_LINES = 6;

/** Curves of one kind in one chart, a line for each class; the diagonal is what guessing reaches. */
export function CurveChart(props: {
  curves: readonly Curve[];
  title: string;
  xLabel: string;
  yLabel: string;
}): React.ReactElement {
  const { title, xLabel, yLabel } = props;
  const curves = props.curves.slice(0, MOST_LINES);
  const [{ kind }] = curves;
  const isShare = ['roc', 'precision_recall', 'calibration', 'gain'].includes(kind);
  const x: Range = isShare ? [0, 1] : extent(curves.flatMap(curve => curve.x));
  const y: Range = isShare ? [0, 1] : extent(curves.flatMap(curve => curve.y));
  return (
    <Axes title={title} x={x} y={y} xLabel={xLabel} yLabel={yLabel} legend={curves.map(curve => curve.label)}>
      {['roc', 'calibration', 'gain'].includes(kind) && <Diagonal x={x} y={y} />}
      {curves.map((curve, at) =>
        kind === 'residuals' ? (
          <Dots key={at} xs={curve.x} ys={curve.y} x={x} y={y} />
        ) : (
          <polyline key={at} className={`jp-Dapp-chart-line jp-mod-${at}`} points={points(curve, x, y)} />
        )
      )}
    </Axes>
  );
}

/** Predicted against actual; on the diagonal they agree. */
export function ScatterChart(props: {
  scatter: Scatter;
  title: string;
  xLabel: string;
  yLabel: string;
}): React.ReactElement {
  const { scatter, title, xLabel, yLabel } = props;
  const both = extent([...scatter.actual, ...scatter.predicted]);
  return (
    <Axes title={title} x={both} y={both} xLabel={xLabel} yLabel={yLabel}>
      <Diagonal x={both} y={both} />
      <Dots xs={scatter.actual} ys={scatter.predicted} x={both} y={both} />
    </Axes>
  );
}

/** What each threshold does, a line for each thing; the chosen threshold is marked. */
export function EffectChart(props: {
  title: string;
  thresholds: readonly number[];
  lines: readonly { label: string; values: readonly number[] }[];
  at: number | null;
  xLabel: string;
  yLabel: string;
}): React.ReactElement {
  const { at, lines, thresholds, title, xLabel, yLabel } = props;
  const x: Range = [0, 1];
  const y: Range = [0, Math.max(1e-9, ...lines.flatMap(each => each.values))];
  const path = (values: readonly number[]): string =>
    values
      .map(
        (value, index) =>
          `${place(thresholds[index], x, PLOT.width)},${PLOT.height - place(value, y, PLOT.height)}`
      )
      .join(' ');
  return (
    <Axes title={title} x={x} y={y} xLabel={xLabel} yLabel={yLabel} legend={lines.map(each => each.label)}>
      {lines.map(({ label, values }, index) => (
        <polyline key={label} className={`jp-Dapp-chart-line jp-mod-${index}`} points={path(values)} />
      ))}
      {at !== null && (
        <line
          className="jp-Dapp-chart-mark"
          x1={place(at, x, PLOT.width)}
          x2={place(at, x, PLOT.width)}
          y2={PLOT.height}
        />
      )}
    </Axes>
  );
}

/** True classes by predicted ones; the share of each row is its colour. */
export function ConfusionTable(props: {
  confusion: Confusion;
  corner: string;
  caption: string;
}): React.ReactElement {
  const { classes, counts } = props.confusion;
  const isMany = classes.length > 10;
  return (
    <div
      className={`jp-Dapp-scroll ${classes.length > 5 ? 'jp-mod-full' : classes.length > 2 ? 'jp-mod-wide' : ''}`}
    >
      <table className={`jp-Dapp-confusion ${isMany ? 'jp-mod-many' : ''}`}>
        <caption>{props.caption}</caption>
        <thead>
          <tr>
            <th scope="col">{props.corner}</th>
            {classes.map(name => (
              <th scope="col" key={name} title={name}>
                <span>{name}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {counts.map((row, at) => {
            const sum = Math.max(
              1,
              row.reduce((a, b) => a + b, 0)
            );
            return (
              <tr key={classes[at]}>
                <th scope="row" title={classes[at]}>
                  {classes[at]}
                </th>
                {row.map((value, index) => (
                  <td
                    key={classes[index]}
                    className={`${index === at ? 'jp-mod-right' : 'jp-mod-wrong'} ${value ? '' : 'jp-mod-none'}`}
                    title={isMany ? `${Math.round((value / sum) * 100)} %` : undefined}
                  >
                    <span className="jp-Dapp-confusion-shade" style={{ opacity: (value / sum) * 0.75 }} />
                    <span className="jp-Dapp-confusion-count">{wording.count(value)}</span>
                    <span className="jp-Dapp-confusion-share">{Math.round((value / sum) * 100)} %</span>
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** The best score so far after each trial: a stair that climbs. */
export function Stair(props: { scores: readonly number[]; label: string }): React.ReactElement | null {
  const { scores, label } = props;
  if (scores.length < 2) {
    return null;
  }
  const y = extent(scores);
  const step = 100 / scores.length;
  const height = (value: number): number => 30 - place(value, y, 28);
  const path = scores.map(
    (value, index) => `${index ? 'L' : 'M'}${index * step},${height(value)} H${(index + 1) * step}`
  );
  return (
    <svg
      className="jp-Dapp-stair"
      viewBox="0 0 100 32"
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path className="jp-Dapp-stair-area" d={`${path.join(' ')} V32 H0 Z`} />
      <path className="jp-Dapp-stair-line" d={path.join(' ')} />
    </svg>
  );
}

function Axes(props: {
  title: string;
  x: Range;
  y: Range;
  xLabel: string;
  yLabel: string;
  legend?: readonly string[];
  children: React.ReactNode;
}): React.ReactElement {
  const { title, x, y, xLabel, yLabel, legend = [], children } = props;
  return (
    <figure className="jp-Dapp-chart">
      <figcaption>{title}</figcaption>
      <svg viewBox={`0 0 ${SIZE} ${SIZE}`} role="img" aria-label={title}>
        <g transform={`translate(${MARGIN.left},${MARGIN.top})`}>
          {ticks(x).map(value => (
            <g key={`x${value}`} transform={`translate(${place(value, x, PLOT.width)},0)`}>
              <line className="jp-Dapp-chart-grid" y2={PLOT.height} />
              <text y={PLOT.height + 12} textAnchor="middle">
                {short(value)}
              </text>
            </g>
          ))}
          {ticks(y).map(value => (
            <g key={`y${value}`} transform={`translate(0,${PLOT.height - place(value, y, PLOT.height)})`}>
              <line className="jp-Dapp-chart-grid" x2={PLOT.width} />
              <text x={-5} y={3} textAnchor="end">
                {short(value)}
              </text>
            </g>
          ))}
          {children}
          <text className="jp-Dapp-chart-label" x={PLOT.width / 2} y={PLOT.height + 28} textAnchor="middle">
            {xLabel}
          </text>
          <text
            className="jp-Dapp-chart-label"
            transform={`translate(-38,${PLOT.height / 2}) rotate(-90)`}
            textAnchor="middle"
          >
            {yLabel}
          </text>
        </g>
      </svg>
      {legend.length > 1 && (
        <ul className="jp-Dapp-chart-legend">
          {legend.map((label, at) => (
            <li key={at} className={`jp-mod-${at}`} title={label}>
              {label}
            </li>
          ))}
        </ul>
      )}
    </figure>
  );
}

function points(curve: Curve, x: Range, y: Range): string {
  return curve.x
    .map((value, at) => `${place(value, x, PLOT.width)},${PLOT.height - place(curve.y[at], y, PLOT.height)}`)
    .join(' ');
}

function Diagonal(props: { x: Range; y: Range }): React.ReactElement {
  const { x, y } = props;
  const from = Math.max(x[0], y[0]);
  const to = Math.min(x[1], y[1]);
  return (
    <line
      className="jp-Dapp-chart-diagonal"
      x1={place(from, x, PLOT.width)}
      y1={PLOT.height - place(from, y, PLOT.height)}
      x2={place(to, x, PLOT.width)}
      y2={PLOT.height - place(to, y, PLOT.height)}
    />
  );
}

function Dots(props: {
  xs: readonly number[];
  ys: readonly number[];
  x: Range;
  y: Range;
}): React.ReactElement {
  const { xs, ys, x, y } = props;
  return (
    <g className="jp-Dapp-chart-dots">
      {xs.map((value, index) => (
        <circle
          key={index}
          cx={place(value, x, PLOT.width)}
          cy={PLOT.height - place(ys[index], y, PLOT.height)}
          r={xs.length > 400 ? 1.4 : 2}
        />
      ))}
    </g>
  );
}

/** From guessing (or worse) to the best that can be; errors have no worst, so theirs ends at the baseline. */
function scaleOf(score: Score): Range {
  const values = [score.value, score.low, score.high, score.baseline];
  if (!score.greater_is_better) {
    return [0, Math.max(...values) * 1.05 || 1];
  }
  return [Math.min(0, ...values), Math.max(1, ...values)];
}

function extent(values: readonly number[]): Range {
  const finite = values.filter(Number.isFinite);
  const low = finite.reduce((a, b) => Math.min(a, b), Infinity);
  const high = finite.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!Number.isFinite(low)) {
    return [0, 1];
  }
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

/** Three to six round numbers within a range. */
function ticks([low, high]: Range): number[] {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map(each => each * power).find(each => each >= rough) ?? 10 * power;
  const found: number[] = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-6; value += step) {
    found.push(Math.abs(value) < step * 1e-6 ? 0 : value);
  }
  return found;
}

function short(value: number): string {
  return Intl.NumberFormat(undefined, {
    notation: Math.abs(value) >= 1e4 ? 'compact' : 'standard',
    maximumFractionDigits: 2
  }).format(value);
}

function place(value: number, [low, high]: Range, size: number): number {
  return ((value - low) / (high - low)) * size;
}

function clip(percent: number): number {
  return Math.max(0, Math.min(100, percent));
}

/** The best score after each trial, in the order of the trials. */
export function climb(trials: readonly Trial[]): number[] {
  const ordered = [...trials].sort((a, b) => a.number - b.number);
  const scores = ordered.flatMap(each => each.score ?? []);
  // The best tells which way is up, also before the metric is known.
  const best = ordered.find(each => each.is_best)?.score;
  const better = best === Math.min(...scores) && best !== Math.max(...scores) ? Math.min : Math.max;
  return scores.map((_, index) => better(...scores.slice(0, index + 1)));
}
