// The search for a model while it goes on: candidates as they come, the best so far, the time that is left.
import { useMemo } from "preact/hooks";
import { call } from "../calls";
import * as format from "../format";
import { motions, useCountdown } from "../live";
import { learn, useCall } from "../query";
import type { Leaderboard, ModelRead, Trial } from "../schema";
import { may } from "../session";
import { FAMILIES } from "../words";
import { Chart, axis, tip } from "../charts/chart";
import { Button } from "../parts/button";
import { Menu } from "../parts/dialog";
import { Icon } from "../parts/icon";
import { Badge, Bones, Card, Fact, Progress, Trouble } from "../parts/surface";
import { toast } from "../parts/toasts";

export function Search({ model }: { model: ModelRead }) {
  const board = useCall<Leaderboard>("models.leaderboard", { ref: model.id });
  const motion = model.job_id ? motions.value.get(model.job_id) : undefined;
  const left = useCountdown(board.data?.seconds_left, board.data);
  const trials = board.data?.trials ?? [];
  const best = trials.find((each) => each.is_best);
  const share = motion?.progress ?? (board.data?.seconds_left != null ? 1 - board.data.seconds_left / board.data.time_budget : 0);
  const stop = () =>
    call("models.stop", { ref: model.id }).then(
      () => toast({ title: "Stopping; the best candidate so far is kept" }),
      (error: Error) => toast({ tone: "bad", title: error.message }),
    );
  const waiting = model.status === "queued";
  return (
    <>
      <Card class="search-head">
        <div class="row wrap" style={{ "--gap": "16px" }}>
          <div class="grow stack" style={{ "--gap": "10px", minWidth: "240px" }}>
            <h2>{waiting ? "Waiting for a worker" : motion?.message || "Looking for the best model"}</h2>
            <Progress value={share} label="The search" />
          </div>
          {may("model.stop", model) && !waiting && <More model={model} />}
          {may("model.stop", model) && !waiting && (
            <Button icon="stop" onClick={stop} disabled={trials.length === 0} title={trials.length === 0 ? "There is no candidate to keep yet" : undefined}>
              Stop and keep the best
            </Button>
          )}
        </div>
        <dl class="facts inside">
          <Fact label="Time left">{left == null ? "–" : left < 1 ? "Finishing" : format.duration(left)}</Fact>
          <Fact label="Candidates">{format.count(trials.length)}</Fact>
          <Fact label={board.data?.metric_label ? `Best ${lower(board.data.metric_label)}` : "Best so far"}>
            {format.score(board.data?.metric, best?.score)}
          </Fact>
          <Fact label="Leading kind">{best ? (FAMILIES[best.family]?.name ?? best.family) : "–"}</Fact>
        </dl>
      </Card>
      {board.error && <Trouble error={board.error} again={board.reload} />}
      {!board.data && !board.error && <Bones lines={4} height={56} />}
      {board.data && (
        <div class="grid-2">
          <Card
            title="Score over time"
            note={board.data.metric_label ? `${board.data.metric_label}, ${board.data.greater_is_better ? "higher" : "lower"} is better` : undefined}
          >
            <OverTime board={board.data} />
          </Card>
          <Card title="Leaderboard" flush>
            <Trials board={board.data} />
          </Card>
        </div>
      )}
    </>
  );
}

/** More time, or fewer kinds of candidates, while the search goes on. */
function More({ model }: { model: ModelRead }) {
  const act = (name: "models.extend" | "models.skip", params: object, words: string) =>
    void call<ModelRead>(name, { ref: model.id, ...params }).then(
      (fresh) => {
        learn("models.get", { ref: model.id }, fresh);
        toast({ tone: "good", title: words });
      },
      (error: Error) => toast({ tone: "bad", title: error.message }),
    );
  const left = Object.entries(FAMILIES).filter(([key]) => !model.skipped.includes(key));
  return (
    <>
      <Menu
        label="More time"
        icon="timer"
        items={(
          [
            [60, "One more minute"],
            [300, "Five more minutes"],
            [1800, "Half an hour more"],
          ] as const
        ).map(([seconds, words]) => ({ label: words, act: () => act("models.extend", { seconds }, `${words} to look`) }))}
      >
        More time
      </Menu>
      {left.length > 1 && (
        <Menu
          label="Leave a kind out"
          icon="skip"
          items={left.map(([key, { name }]) => ({
            label: `No more ${name.toLowerCase()}`,
            act: () => act("models.skip", { family: key }, `${name} is left out from now on`),
          }))}
        >
          Leave out
        </Menu>
      )}
    </>
  );
}

function lower(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

/** Every candidate where and when it came, and the best as a line. */
export function OverTime({ board }: { board: Pick<Leaderboard, "trials" | "metric" | "greater_is_better"> }) {
  const drawn = useMemo(() => {
    const done = board.trials.filter((each) => each.score !== null).sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
    const start = done.length ? Date.parse((done[0] as Trial).at) - (done[0] as Trial).seconds * 1000 : 0;
    const points = done.map((each) => ({ x: (Date.parse(each.at) - start) / 1000, y: each.score as number, label: each.label }));
    let best = board.greater_is_better ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    const line = points.map((each) => {
      best = board.greater_is_better ? Math.max(best, each.y) : Math.min(best, each.y);
      return [each.x, best];
    });
    return { points, line };
  }, [board]);
  if (drawn.points.length === 0) {
    return (
      <div class="chart-wait">
        <span class="spin" aria-hidden="true" />
        <p>The first candidate is being tried</p>
      </div>
    );
  }
  return (
    <Chart
      of={drawn}
      height={260}
      label={`Score of ${drawn.points.length} candidates over time; the best is ${format.score(board.metric, drawn.line.at(-1)?.[1])}`}
      build={(paint) => ({
        xAxis: axis(paint, {
          type: "value",
          min: 0,
          minInterval: 1,
          splitLine: { show: false },
          axisLabel: { color: paint.ink3, fontSize: 14, hideOverlap: true, formatter: (value: number) => format.duration(value) },
        }),
        yAxis: axis(paint, {
          type: "value",
          scale: true,
          axisLabel: { color: paint.ink3, fontSize: 14, formatter: (value: number) => (Math.abs(value) >= 1e5 ? format.short(value) : format.number(value)) },
        }),
        tooltip: tip(paint, (params) => {
          const each = params as { dataIndex: number; seriesType: string };
          const point = drawn.points[each.dataIndex];
          return point
            ? [
                ["Candidate", point.label],
                ["Score", format.score(board.metric, point.y)],
                ["After", format.duration(point.x)],
              ]
            : [];
        }),
        series: [
          { type: "line", data: drawn.line, step: "end", symbol: "none", lineStyle: { color: paint.series[0], width: 2.5 }, z: 1, silent: true },
          { type: "scatter", data: drawn.points.map((each) => [each.x, each.y]), symbolSize: 9, itemStyle: { color: paint.series[1], opacity: 0.9 }, z: 2 },
        ],
      })}
    />
  );
}

/** The candidates, the best first. */
export function Trials({ board, most = 12 }: { board: Pick<Leaderboard, "trials" | "metric">; most?: number }) {
  if (board.trials.length === 0) return <p class="pad muted">Candidates show up here as soon as they are scored.</p>;
  // Those that are not clearly worse than the best stand together, before all others.
  const near = board.trials.filter((each) => each.near_best);
  const grouped = near.length > 1;
  const shown = (grouped ? [...near, ...board.trials.filter((each) => !each.near_best)] : board.trials).slice(0, most);
  return (
    <table class="list-table">
      <thead>
        <tr>
          <th scope="col">Candidate</th>
          <th scope="col" class="right w-trial">
            Score
          </th>
          <th scope="col" class="right wide-only w-score">
            Took
          </th>
        </tr>
      </thead>
      <tbody>
        {grouped && (
          <tr class="group-line">
            <th scope="rowgroup" colSpan={3}>
              As good as the best: {near.length} candidates that the rows cannot tell apart
            </th>
          </tr>
        )}
        {shown.map((trial, index) => [
          grouped && index === near.length && (
            <tr class="group-line" key="others">
              <th scope="rowgroup" colSpan={3}>
                Clearly worse
              </th>
            </tr>
          ),
          <tr key={trial.number} class={trial.is_best ? "is-best" : ""}>
            <th scope="row">
              <span class="row" style={{ "--gap": "8px" }}>
                {trial.is_best ? (
                  <span class="best-sign" title="Best so far">
                    <Icon name="best" size={18} />
                    <span class="hush">Best: </span>
                  </span>
                ) : (
                  <span class="trial-number num">{trial.number}</span>
                )}
                <span class="grow">
                  <span class="clip" style={{ display: "block" }}>
                    {trial.label}
                  </span>
                  {trial.recommended && grouped && <Badge tone="good">Simplest of them: recommended</Badge>}
                  {trial.error && <span class="small bad-text">{trial.error}</span>}
                </span>
              </span>
            </th>
            <td class="right num">
              {trial.score === null ? <span class="muted">{trial.status === "failed" ? "failed" : "stopped"}</span> : format.near(board.metric, trial.score)}
              {trial.std !== null && trial.std > 0 && <span class="muted small"> ± {format.rough(trial.std, 2)}</span>}
            </td>
            <td class="right num nowrap wide-only muted">{format.took(trial.seconds)}</td>
          </tr>,
        ])}
      </tbody>
    </table>
  );
}
