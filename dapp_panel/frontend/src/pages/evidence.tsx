// The evidence behind a result: every score with its range, the curves, the mistakes, the checks, the candidates, the split.
import { useState } from "preact/hooks";
import { call } from "../calls";
import * as format from "../format";
import { motions } from "../live";
import { go } from "../router";
import type { Confusion, Curve, Fix, Guard, JobRead, ModelRead, Results, Scatter, Score } from "../schema";
import { TASKS, bySeverity, targetKind, unitOf } from "../words";
import { Chart, axis, tip } from "../charts/chart";
import { Bars } from "../charts/small";
import { may } from "../session";
import { Button } from "../parts/button";
import { Icon, type IconName } from "../parts/icon";
import { Badge, Card, type Tone } from "../parts/surface";
import { toast } from "../parts/toasts";
import { OverTime, Trials } from "./search";

export function Evidence({ results }: { results: Results }) {
  const higher = results.scores.find((each) => each.name === results.metric)?.greater_is_better ?? true;
  const board = { trials: results.leaderboard, metric: results.metric, greater_is_better: higher };
  return (
    <>
      <Card title="Scores" note={results.split.sentence} flush>
        <Scores scores={results.scores} metric={results.metric} unit={results.target_column?.unit} />
      </Card>
      <div class="grid-2 evidence">
        {results.confusion && <Mistakes of={results.confusion} kind={targetKind(results)} />}
        {results.scatter && <Hits of={results.scatter} target={results.target} unit={results.target_column?.unit} />}
        {curveGroups(results.curves).map(([kind, curves]) => (
          <Curves key={kind} kind={kind} curves={curves} />
        ))}
        {results.importances.length > 0 && (
          <Card title="All drivers" note="How much worse the score gets when a column is shuffled, on rows never trained on.">
            <div class="tall-list" tabIndex={0} role="region" aria-label="All drivers">
              <Bars
                rows={results.importances.map((each) => ({
                  name: format.named(each.column, unitOf(results, each.column)),
                  value: each.value,
                  text: `${format.worth(results.metric, format.rough(each.value, 2), results.target_column?.unit)}${each.std ? ` ± ${format.rough(each.std, 1)}` : ""}`,
                }))}
              />
            </div>
          </Card>
        )}
      </div>
      <Card title="Checks before anything was scored" flush>
        <ul class="lines">
          {sortGuards(results.guards).map((guard) => (
            <Check key={guard.code} guard={guard} results={results} />
          ))}
        </ul>
      </Card>
      {results.leaderboard.length > 1 && (
        <Card title="Score over time">
          <OverTime board={board} />
        </Card>
      )}
      <Card
        title="Candidates"
        note={`${format.counted(results.leaderboard.length, "candidate")} in ${format.duration(results.seconds)}; ± is the spread over the parts`}
        flush
      >
        <Trials board={board} most={30} />
      </Card>
      <Recipe results={results} />
    </>
  );
}

function Scores({ scores, metric, unit }: { scores: Score[]; metric: string; unit: string | null | undefined }) {
  return (
    <table class="list-table">
      <thead>
        <tr>
          <th scope="col">Measure</th>
          <th scope="col" class="right w-score">
            This model
          </th>
          <th scope="col" class="right wide-only w-l">
            95% range
          </th>
          <th scope="col" class="right w-score">
            Guessing
          </th>
        </tr>
      </thead>
      <tbody>
        {scores.map((each) => (
          <tr key={each.name}>
            <th scope="row">
              <span class="row wrap" style={{ "--gap": "2px 8px" }}>
                {each.label}
                {each.name === metric && <Badge tone="accent">Searched by</Badge>}
              </span>
              <span class="small muted" style={{ fontWeight: 400 }}>
                {each.greater_is_better ? "Higher is better" : "Lower is better"}
              </span>
            </th>
            <td class="right num strong">{format.score(each.name, each.value, unit)}</td>
            <td class="right num muted wide-only nowrap">
              {format.score(each.name, each.low, unit)} to {format.score(each.name, each.high, unit)}
            </td>
            <td class="right num muted">{format.score(each.name, each.baseline, unit)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const CURVES: Record<string, [string, string]> = {
  roc: ["Finding the right ones", "The further the line is from the dotted one, the better it tells them apart."],
  precision_recall: ["Found against right", "How many of those it names are right, as it finds more of them."],
  calibration: ["Are its probabilities true?", "On the dotted line, 70% means that it happens 70 times of 100."],
  gain: ["How soon it finds them", "How many it finds when only the most likely cases are looked at."],
  residuals: ["Where it errs", "The mean error along the predictions; the dotted line is no error."],
};

// With several answers in one picture, the labels of the first would be wrong for the others.
const GENERAL: Record<string, [string, string]> = {
  roc: ["Share of the others named so", "Share of the right ones found"],
  precision_recall: ["Share of the right ones found", "Share right of those named so"],
  calibration: ["Probability that the model gives", "Share that really is so"],
  gain: ["Share of the rows looked at, likeliest first", "Share of the right ones found"],
};

function curveGroups(curves: Curve[]): [string, Curve[]][] {
  const groups = new Map<string, Curve[]>();
  for (const curve of curves) groups.set(curve.kind, [...(groups.get(curve.kind) ?? []), curve]);
  return [...groups];
}

function Curves({ kind, curves }: { kind: string; curves: Curve[] }) {
  const [title, note] = CURVES[kind] ?? [kind, ""];
  const first = curves[0] as Curve;
  const shown = curves.slice(0, 8);
  const several = shown.length > 1;
  const [xLabel, yLabel] = (several ? GENERAL[kind] : undefined) ?? [first.x_label, first.y_label];
  const share = kind !== "residuals";
  const guide =
    kind === "residuals"
      ? [
          [Math.min(...first.x), 0],
          [Math.max(...first.x), 0],
        ]
      : kind === "roc" || kind === "calibration" || kind === "gain"
        ? [
            [0, 0],
            [1, 1],
          ]
        : null;
  return (
    <Card title={title} note={curves.length > shown.length ? `${note} Drawn for ${shown.length} of ${curves.length} answers.` : note}>
      <Chart
        of={curves}
        height={300}
        label={`${title}: ${yLabel} against ${xLabel}`}
        numbers={() => ({
          columns: ["Line", xLabel, yLabel],
          rows: shown.flatMap((curve) => curve.x.map((x, index) => [curve.label, format.number(x), format.number(curve.y[index])])),
        })}
        build={(paint) => ({
          grid: { left: 8, right: 20, top: several ? 40 : 14, bottom: 30, containLabel: true },
          legend: several
            ? {
                top: 0,
                left: 0,
                type: "scroll",
                icon: "roundRect",
                itemWidth: 14,
                itemHeight: 4,
                formatter: (name: string) => format.middle(name),
                textStyle: { color: paint.ink2, fontSize: 14 },
              }
            : undefined,
          xAxis: axis(paint, {
            type: "value",
            name: xLabel,
            nameLocation: "middle",
            nameGap: 30,
            ...(share ? { min: 0, max: 1 } : { scale: true }),
            splitLine: { show: false },
            axisLabel: label(paint.ink3, share),
          }),
          yAxis: axis(paint, { type: "value", ...(share ? { min: 0, max: 1 } : {}), axisLabel: label(paint.ink3, share) }),
          tooltip: tip(paint, (params) => {
            const each = params as { seriesName: string; value: [number, number] };
            const say = (value: number) => (share ? format.percent(value) : format.number(value));
            return [...(several ? [["", each.seriesName] as [string, string]] : []), [xLabel, say(each.value[0])], [yLabel, say(each.value[1])]];
          }),
          series: [
            ...(guide
              ? [
                  {
                    type: "line",
                    data: guide,
                    symbol: "none",
                    silent: true,
                    lineStyle: { color: paint.ink3, type: "dotted", width: 1.5 },
                    tooltip: { show: false },
                    name: "",
                  },
                ]
              : []),
            ...shown.map((curve, index) => ({
              type: "line",
              name: curve.label,
              data: curve.x.map((x, place) => [x, curve.y[place]]),
              showSymbol: kind === "calibration" || kind === "residuals",
              symbol: "circle",
              symbolSize: 7,
              lineStyle: { width: 2.5, color: paint.series[index] },
              itemStyle: { color: paint.series[index] },
            })),
          ],
        })}
      />
      <p class="small muted">
        {yLabel}, by {xLabel.charAt(0).toLowerCase() + xLabel.slice(1)}.
      </p>
    </Card>
  );
}

function label(color: string, share: boolean): object {
  return { color, fontSize: 14, hideOverlap: true, formatter: (value: number) => (share ? `${Math.round(value * 100)}%` : format.short(value)) };
}

/** With more classes than this, cells hold bare counts and columns bare numbers. */
const ROOMY_CLASSES = 7;

function Mistakes({ of, kind }: { of: Confusion; kind: string | undefined }) {
  if (of.classes.length > ROOMY_CLASSES) return <ManyMistakes of={of} />;
  const totals = of.counts.map((row) => row.reduce((sum, each) => sum + each, 0));
  return (
    <Card title="Where it is right and wrong" note="Each row is what it really was; the columns are what the model said.">
      <div class="confusion-scroll" tabIndex={0} role="region" aria-label="Right and wrong answers">
        <table class="confusion">
          <thead>
            <tr>
              <th scope="col">
                <span class="hush">Really was</span>
              </th>
              {of.classes.map((name) => (
                <th key={name} scope="col">
                  <span class="small muted">Said</span>
                  <span class="clip" title={name}>
                    {format.answer(name, kind)}
                  </span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {of.classes.map((name, row) => (
              <tr key={name}>
                <th scope="row">
                  <span class="small muted">Was</span>
                  <span class="clip" title={name}>
                    {format.answer(name, kind)}
                  </span>
                </th>
                {(of.counts[row] ?? []).map((value, column) => {
                  const share = totals[row] ? value / (totals[row] as number) : 0;
                  return (
                    <td key={column} class={row === column ? "right-cell" : "wrong-cell"} style={{ "--share": share }}>
                      <b class="num">{format.count(value)}</b>
                      <span class="small num">{format.percent(share)}</span>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

/** Many classes: each has a number, its row the name, and only what occurred is written. */
function ManyMistakes({ of }: { of: Confusion }) {
  const totals = of.counts.map((row) => row.reduce((sum, each) => sum + each, 0));
  return (
    <Card class="whole" title="Where it is right and wrong" note="Each row is what it really was; the columns, by the same numbers, are what the model said.">
      <div class="confusion-scroll" tabIndex={0} role="region" aria-label="Right and wrong answers">
        <table class="confusion many">
          <thead>
            <tr>
              <th scope="col">Really was</th>
              {of.classes.map((name, at) => (
                <th key={name} scope="col" class="num" title={name}>
                  <span aria-hidden="true">{at + 1}</span>
                  <span class="hush">Said {name}</span>
                </th>
              ))}
              <th scope="col" class="right">
                Right
              </th>
            </tr>
          </thead>
          <tbody>
            {of.classes.map((name, row) => (
              <tr key={name}>
                <th scope="row" title={name}>
                  <span class="num muted">{row + 1}</span> {format.middle(name, 28)}
                </th>
                {(of.counts[row] ?? []).map((value, column) => {
                  const share = totals[row] ? value / (totals[row] as number) : 0;
                  return (
                    <td
                      key={column}
                      class={`num ${row === column ? "right-cell" : "wrong-cell"}`}
                      style={{ "--share": share }}
                      title={`Was ${name}, said ${of.classes[column] ?? ""}: ${format.count(value)} (${format.percent(share)})`}
                    >
                      {value > 0 ? format.short(value) : <span class="hush">0</span>}
                    </td>
                  );
                })}
                <td class="right num">{format.percent(totals[row] ? (of.counts[row]?.[row] ?? 0) / (totals[row] as number) : null)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function Hits({ of, target, unit }: { of: Scatter; target: string; unit: string | null | undefined }) {
  const points = of.actual.map((actual, index) => [actual, of.predicted[index] as number]);
  const all = [...of.actual, ...of.predicted];
  const low = Math.min(...all);
  const high = Math.max(...all);
  return (
    <Card title="Predicted against actual" note="On the dotted line it is exactly right.">
      <Chart
        of={of}
        height={300}
        label={`Predicted against actual ${target} on ${points.length} rows`}
        numbers={() => ({ columns: ["Actual", "Predicted"], rows: points.map((point) => point.map((value) => format.number(value))) })}
        build={(paint) => ({
          grid: { left: 8, right: 20, top: 14, bottom: 30, containLabel: true },
          xAxis: axis(paint, {
            type: "value",
            scale: true,
            name: format.named("Actual", unit),
            nameLocation: "middle",
            nameGap: 30,
            splitLine: { show: false },
            axisLabel: label(paint.ink3, false),
          }),
          yAxis: axis(paint, { type: "value", scale: true, axisLabel: label(paint.ink3, false) }),
          tooltip: tip(paint, (params) => {
            const [actual, predicted] = (params as { value: [number, number] }).value;
            return [
              ["Actual", format.amount(format.number(actual), unit)],
              ["Predicted", format.amount(format.number(predicted), unit)],
            ];
          }),
          series: [
            {
              type: "line",
              data: [
                [low, low],
                [high, high],
              ],
              symbol: "none",
              silent: true,
              lineStyle: { color: paint.ink3, type: "dotted", width: 1.5 },
              tooltip: { show: false },
            },
            { type: "scatter", data: points, symbolSize: 6, itemStyle: { color: paint.series[0], opacity: 0.45 } },
          ],
        })}
      />
      <p class="small muted">Predicted, by actual {target}.</p>
    </Card>
  );
}

const STATES: Record<Guard["state"], [Tone, string, IconName]> = {
  passed: ["good", "Passed", "passed"],
  done: ["accent", "Corrected", "info"],
  alerted: ["warn", "Look at this", "warn"],
};

function sortGuards(guards: Guard[]): Guard[] {
  const weight = { alerted: 0, done: 1, passed: 2 };
  return bySeverity(guards).sort((a, b) => weight[a.state] - weight[b.state]);
}

/** Train once more with a fix in the request, as the next version of the same name. */
function again(results: Results, fix: Fix): Promise<void> {
  const { threads: _, ...recipe } = results.recipe;
  const request = { ...recipe, ...fix.change, dataset: results.dataset.id, version: results.dataset_version, name: results.model.name };
  return call<ModelRead>("models.train", request).then(
    (model) => go(`/models/${model.id}`),
    (error: Error) => toast({ tone: "bad", title: error.message }),
  );
}

/** The score with the recommended fix: made beside the model, kept with it, seen at every door. */
function ScoreAgain({ guard, results }: { guard: Guard; results: Results }) {
  const [job, setJob] = useState<string | null>(null);
  const status = job === null ? null : job === "" ? "queued" : (motions.value.get(job)?.status ?? "queued");
  const busy = status === "queued" || status === "running";
  const ask = () => {
    setJob("");
    call<JobRead>("models.rescore", { ref: results.model.id, guard: guard.code }).then(
      (made) => setJob(made.id),
      (error: Error) => {
        setJob(null);
        toast({ tone: "bad", title: error.message });
      },
    );
  };
  const drops = guard.fixes[0]?.code === "drop_columns";
  const words = drops ? `Score without ${guard.columns.length === 1 ? "this column" : "these columns"}` : "Score with this fix";
  return (
    <>
      <Button small tone="ghost" busy={busy} onClick={ask}>
        {words}
      </Button>
      {(status === "failed" || status === "dead") && <span class="small muted">It could not be scored again; the list of jobs says why.</span>}
    </>
  );
}

function Check({ guard, results }: { guard: Guard; results: Results }) {
  const [tone, word, icon] = STATES[guard.state];
  const grave = guard.state === "alerted" && guard.severity === "alert";
  return (
    <li class={`finding in-card ${guard.state === "alerted" ? (grave ? "alert" : "warning") : guard.state === "done" ? "info" : "passed"}`}>
      <Icon name={grave ? "alert" : icon} size={20} />
      <div class="grow stack" style={{ "--gap": "8px" }}>
        <p>{guard.sentence}</p>
        {guard.second && <p class="small muted">{guard.second.sentence}</p>}
        {guard.fixes.length > 0 && may("model.train") && (
          <div class="row wrap" style={{ "--gap": "8px" }}>
            {guard.fixes.map((fix, index) => (
              <Button key={fix.label} small tone={index === 0 ? "plain" : "ghost"} title={fix.label} onClick={() => again(results, fix)}>
                {format.cut(fix.label)}
              </Button>
            ))}
            {may("model.rescore") && <ScoreAgain guard={guard} results={results} />}
          </div>
        )}
      </div>
      <Badge tone={grave ? "bad" : tone}>{grave ? "Serious" : word}</Badge>
    </li>
  );
}

function Recipe({ results }: { results: Results }) {
  const rows: [string, string][] = [
    ["Kind of answer", `${TASKS[results.task]}. ${results.task_reason}`],
    ["Best candidate", results.best.label],
    [
      "Its settings",
      Object.entries(results.best.params)
        .map(([key, value]) => `${key} ${typeof value === "number" ? format.number(value) : String(value)}`)
        .join(", "),
    ],
    [
      "Columns used",
      `${results.features.length}: ${format.listed(
        results.features.map((each) => each.name),
        12,
      )}`,
    ],
    [
      "Rows",
      `${format.count(results.split.rows_train)} to learn, ${format.count(results.split.rows_test)} locked away for the scores${results.split.rows_left_out ? `, ${format.count(results.split.rows_left_out)} left out` : ""}`,
    ],
    ["Seed", String(results.split.seed)],
    [
      "Libraries",
      Object.entries(results.libraries)
        .map(([name, version]) => `${name} ${version}`)
        .join(", "),
    ],
  ];
  return (
    <details class="card fold">
      <summary>How it was made</summary>
      <dl class="recipe">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
