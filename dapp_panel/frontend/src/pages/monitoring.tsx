// What the watch over a model sees: how much it is asked, how quickly it answers, whether the world has changed.
import { useMemo } from "preact/hooks";
import * as format from "../format";
import { useCall } from "../query";
import { place, refine, to } from "../router";
import type { ColumnDrift, LoggedCall, ModelRead, MonitoringRead, Page } from "../schema";
import { nameOf } from "../session";
import { Chart, axis, tip } from "../charts/chart";
import { Meter } from "../charts/small";
import { Button, Segmented } from "../parts/button";
import { Ago, Badge, Bones, Card, Empty, Fact, Notice, type Tone, Trouble } from "../parts/surface";

const LEVELS: Record<ColumnDrift["level"], [Tone, string]> = {
  unknown: ["plain", "Not known yet"],
  calm: ["good", "As it was"],
  watch: ["warn", "Moving"],
  alert: ["bad", "Different"],
};

export function Monitoring({ model }: { model: ModelRead }) {
  const days = Number(place.value.query.get("days")) || 7;
  const found = useCall<MonitoringRead>("models.monitoring", { ref: model.id, days }, { keep: true, every: 5 });
  const log = useCall<Page<LoggedCall>>("models.log", { ref: model.id, limit: 12 }, { every: 5 });
  const data = found.data;
  return (
    <>
      <Segmented
        label="How far back"
        value={String(days)}
        choices={[
          { value: "1", label: "A day" },
          { value: "7", label: "A week" },
          { value: "30", label: "A month" },
        ]}
        onChange={(value) => refine({ days: value === "7" ? undefined : value })}
      />
      {found.error && <Trouble error={found.error} again={found.reload} />}
      {!data && !found.error && <Bones lines={3} height={90} />}
      {data && (
        <>
          <Notice
            tone={data.code ? "warn" : data.columns.some((each) => each.level !== "unknown") ? "good" : "plain"}
            title={data.sentence}
            action={
              data.code && (
                <Button icon="again" href={to("/train", { dataset: model.dataset.id, target: model.target ?? undefined })}>
                  Train again
                </Button>
              )
            }
          />
          <dl class="facts">
            <Fact label="Calls">{format.count(data.calls)}</Fact>
            <Fact label="Rows">{format.count(data.rows)}</Fact>
            <Fact label="Failed">{format.count(data.errors)}</Fact>
            <Fact label="Typical time" hint={data.p95 === null ? undefined : `95 of 100 within ${format.rough(data.p95)} ms`}>
              {data.p50 === null ? "–" : `${format.rough(data.p50)} ms`}
            </Fact>
          </dl>
          {data.calls === 0 ? (
            <Card>
              <Empty
                icon="gauge"
                title="Nothing was asked of it in this time"
                action={
                  <Button tone="main" icon="predict" href={to(`/models/${model.id}/predict`)}>
                    Predict something
                  </Button>
                }
              >
                Each prediction is counted here, and compared with what the model learned from.
              </Empty>
            </Card>
          ) : (
            <div class="grid-2">
              <Card title="How much it is asked">
                <OverTime of={data} />
              </Card>
              <Card title="Does the world look as it did?" note="Each column against the data it learned from; the ones that matter most first.">
                <ul class="share-list">
                  {[...(data.prediction_drift ? [data.prediction_drift] : []), ...data.columns].slice(0, 12).map((each) => (
                    <li key={each.column} class="share-line">
                      <span class="grow clip">{each.column}</span>
                      <Meter
                        share={each.distance}
                        tone={each.level === "alert" ? "bad" : each.level === "watch" ? "warn" : "good"}
                        label={`${each.column} moved by ${format.rough(each.distance, 2)} of 1`}
                      />
                      <Badge tone={LEVELS[each.level][0]}>{LEVELS[each.level][1]}</Badge>
                    </li>
                  ))}
                </ul>
              </Card>
            </div>
          )}
        </>
      )}
      {log.data && log.data.items.length > 0 && (
        <Card title="The latest calls" note={data ? `Kept for ${format.counted(data.retention_days, "day")}, sealed.` : undefined} flush>
          <ul class="lines">
            {log.data.items.map((each) => (
              <li key={each.id} class="version-line">
                <span class="grow">
                  <span class="strong">
                    {each.error ? "Failed" : each.rows === 1 ? `Said ${format.cell(each.predictions[0])}` : `${format.count(each.rows)} rows`}
                  </span>
                  <span class="small muted" style={{ display: "block" }}>
                    {each.by ? nameOf(each.by) : "Someone"} · {each.door} · <Ago at={each.at} />
                  </span>
                </span>
                <span class="small muted num">{format.rough(each.milliseconds)} ms</span>
              </li>
            ))}
          </ul>
        </Card>
      )}
    </>
  );
}

function OverTime({ of }: { of: MonitoringRead }) {
  const drawn = useMemo(() => of.series, [of]);
  const hours = of.days <= 2;
  const known = drawn.some((each) => (each.prediction_drift ?? each.input_drift) !== null);
  const least = hours ? 3 * 3_600_000 : 86_400_000;
  return (
    <Chart
      of={drawn}
      still
      height={260}
      label="Rows predicted over time, and how far they moved"
      numbers={() => ({
        columns: ["at", "calls", "rows", "failed", "milliseconds", "input drift", "prediction drift"],
        rows: drawn.map((each) => [each.at, each.calls, each.rows, each.errors, each.milliseconds, each.input_drift, each.prediction_drift]),
      })}
      build={(paint) => ({
        grid: { left: 8, right: 16, top: 40, bottom: 8, containLabel: true },
        legend: { top: 0, left: 0, icon: "roundRect", itemWidth: 14, itemHeight: 8, textStyle: { color: paint.ink2, fontSize: 14 } },
        xAxis: axis(paint, {
          type: "time",
          min: Date.now() - of.days * 86_400_000,
          max: Date.now(),
          minInterval: least,
          splitLine: { show: false },
          axisLabel: { color: paint.ink3, fontSize: 14, hideOverlap: true, formatter: (at: number) => format.tick(at, hours) },
        }),
        yAxis: [
          axis(paint, { type: "value", minInterval: 1 }),
          axis(paint, { type: "value", min: 0, max: 1, splitLine: { show: false }, axisLabel: { show: known, color: paint.ink3, fontSize: 14 } }),
        ],
        tooltip: tip(paint, (params) => {
          const each = drawn[(params as { dataIndex: number }).dataIndex];
          return each
            ? [
                ["At", format.when(each.at)],
                ["Rows", format.count(each.rows)],
                ["Failed", format.count(each.errors)],
                ["Drift of predictions", each.prediction_drift === null ? "not known" : format.rough(each.prediction_drift, 2)],
              ]
            : [];
        }),
        series: [
          {
            type: "bar",
            name: "Rows",
            barMaxWidth: 26,
            data: drawn.map((each) => [each.at, each.rows]),
            itemStyle: { color: paint.series[0], borderRadius: [3, 3, 0, 0] },
          },
          ...(known
            ? [
                {
                  type: "line",
                  name: "Drift",
                  yAxisIndex: 1,
                  showSymbol: drawn.length < 40,
                  data: drawn.map((each) => [each.at, each.prediction_drift ?? each.input_drift]),
                  lineStyle: { color: paint.series[1], width: 2 },
                  itemStyle: { color: paint.series[1] },
                },
              ]
            : []),
        ],
      })}
    />
  );
}
