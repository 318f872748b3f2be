// Tune the decision: from which probability on the answer is yes, by what errors cost or by how many cases can be looked at.
import { useMemo, useState } from "preact/hooks";
import * as format from "../format";
import { place, refine } from "../router";
import type { Decisions, ModelRead, Results } from "../schema";
import { Chart, axis, tip } from "../charts/chart";
import { Segmented } from "../parts/button";
import { Input } from "../parts/field";
import { Card, Notice } from "../parts/surface";
import { targetKind } from "../words";
import { KeepPolicy } from "./policy";

type By = "cost" | "capacity" | "value";

export interface Choice {
  by: By;
  threshold: number;
  costFalse: number;
  costMissed: number;
  capacity: number;
}

export function Tune({ model, results }: { model: ModelRead; results: Results }) {
  const decisions = results.decisions;
  if (!decisions) return <Notice title="There is no threshold to tune">It is for models that choose between two answers.</Notice>;
  return <Desk model={model} results={results} decisions={decisions} />;
}

/** What one threshold does, in cases of 1,000; before the first one (-1) nobody is named. */
function effect(of: Decisions, at: number) {
  const all = of.positives + of.negatives || 1;
  const right = of.true_positives[at] ?? 0;
  const wrong = of.false_positives[at] ?? 0;
  return {
    threshold: at < 0 ? 1 : (of.thresholds[at] ?? 0),
    named: ((right + wrong) / all) * 1000,
    right: (right / all) * 1000,
    wrong: (wrong / all) * 1000,
    missed: ((of.positives - right) / all) * 1000,
    precision: right + wrong ? right / (right + wrong) : null,
    recall: of.positives ? right / of.positives : null,
  };
}

/** A number of cases out of 1,000: what is not nothing is not called so. */
function cases(value: number): string {
  return value > 0 && value < 0.5 ? "fewer than 1" : format.count(Math.round(value));
}

function Desk({ model, results, decisions }: { model: ModelRead; results: Results; decisions: Decisions }) {
  const positive = format.answer(decisions.positive, targetKind(results));
  const query = place.value.query;
  const by = (["cost", "capacity", "value"] as const).find((each) => each === query.get("by")) ?? "cost";
  const number = (name: string, otherwise: number) => {
    const found = Number((query.get(name) ?? "").replace(",", "."));
    return query.get(name) && Number.isFinite(found) && found >= 0 ? found : otherwise;
  };
  const costFalse = number("false", 1);
  const costMissed = number("missed", 5);
  const capacity = Math.min(100, number("capacity", 10)) / 100;
  const wished = Math.min(1, number("threshold", results.threshold ?? 0.5));
  const [typed, type] = useState({ false: String(costFalse), missed: String(costMissed), capacity: String(capacity * 100) });
  const effects = useMemo(() => [effect(decisions, -1), ...decisions.thresholds.map((_, at) => effect(decisions, at))], [decisions]);
  const cost = (each: (typeof effects)[number]) => each.wrong * costFalse + each.missed * costMissed;
  const at = useMemo(() => {
    if (by === "cost") return effects.reduce((best, each, index) => (cost(each) < cost(effects[best] as (typeof effects)[number]) ? index : best), 0);
    if (by === "capacity") return effects.reduce((best, each, index) => (each.named <= capacity * 1000 + 1e-9 ? index : best), 0);
    return effects.reduce((best, each, index) => (each.threshold >= wished - 1e-12 ? index : best), 0);
  }, [effects, by, costFalse, costMissed, capacity, wished]);
  const found = effects[at] ?? effect(decisions, -1);
  // What is set by hand counts as it is, also between two lines that the rows can tell apart.
  const chosen = by === "value" ? { ...found, threshold: wished } : found;
  const put = (name: "false" | "missed" | "capacity", value: string) => {
    type({ ...typed, [name]: value });
    refine({ [name]: value });
  };
  const choice: Choice = { by, threshold: chosen.threshold, costFalse, costMissed, capacity };
  const drawn = useMemo(() => ({ effects, at, by }), [effects, at, by, costFalse, costMissed]);
  return (
    <>
      <Card title={`When is it “${positive}”?`} note="The model gives a probability. Where the line lies is your decision, not the model's.">
        <Segmented
          roomy
          label="How to choose"
          value={by}
          choices={[
            { value: "cost", label: "By cost", hint: "What each mistake costs" },
            { value: "capacity", label: "By capacity", hint: "How many can be looked at" },
            { value: "value", label: "By hand", hint: "Set the probability" },
          ]}
          onChange={(value) => refine({ by: value })}
        />
        {by === "cost" && (
          <div class="two">
            <Input
              label="A false alarm costs"
              inputMode="decimal"
              value={typed.false}
              onInput={(value) => put("false", value)}
              hint={`Named “${positive}”, but it is not`}
            />
            <Input
              label="A missed case costs"
              inputMode="decimal"
              value={typed.missed}
              onInput={(value) => put("missed", value)}
              hint={`It is “${positive}”, but was not named`}
            />
          </div>
        )}
        {by === "capacity" && (
          <Input
            label="Of 100 cases, how many can be looked at?"
            inputMode="decimal"
            value={typed.capacity}
            onInput={(value) => put("capacity", value)}
            class="narrow-field"
          />
        )}
        {by === "value" && (
          <label class="field">
            <span class="field-label">
              Probability from which it is “{positive}”: {format.percent(chosen.threshold)}
            </span>
            <input
              type="range"
              min="0"
              max="100"
              step="1"
              value={Math.round(chosen.threshold * 100)}
              onInput={(event) => refine({ threshold: String(Number(event.currentTarget.value) / 100) })}
            />
          </label>
        )}
      </Card>
      <section class="verdict">
        <p class="verdict-sentence">
          {chosen.named === 0 ? (
            <>Nobody is named. {cases(chosen.missed)} of 1,000 cases are missed.</>
          ) : (
            <>
              Named from {format.percent(chosen.threshold)} on. Of 1,000 cases it names {cases(chosen.named)}: {cases(chosen.right)} rightly and{" "}
              {cases(chosen.wrong)} wrongly. {cases(chosen.missed)} are missed.
            </>
          )}
        </p>
        <dl class="facts inside">
          <div class="fact">
            <dt>Right of those named</dt>
            <dd class="num">{format.percent(chosen.precision)}</dd>
          </div>
          <div class="fact">
            <dt>Found of all there are</dt>
            <dd class="num">{format.percent(chosen.recall)}</dd>
          </div>
          {by === "cost" && (
            <div class="fact">
              <dt>Cost of 1,000 cases</dt>
              <dd class="num">{format.number(Math.round(cost(chosen)))}</dd>
            </div>
          )}
          {by === "cost" && (
            <div class="fact">
              <dt>Without the model</dt>
              <dd class="num">
                {format.number(
                  Math.round(
                    Math.min(
                      (decisions.positives / (decisions.positives + decisions.negatives || 1)) * 1000 * costMissed,
                      (decisions.negatives / (decisions.positives + decisions.negatives || 1)) * 1000 * costFalse,
                    ),
                  ),
                )}
              </dd>
            </div>
          )}
        </dl>
        <KeepPolicy model={model} choice={choice} />
      </section>
      <Card
        title={by === "cost" ? "What each line would cost" : "What each line would do"}
        note={`On ${format.counted(decisions.positives + decisions.negatives, "row")} that it had never seen`}
      >
        <Chart
          of={drawn}
          still
          height={300}
          label="What each threshold does"
          numbers={() => ({
            columns: ["probability", "named of 1,000", "right", "wrong", "missed", ...(by === "cost" ? ["cost"] : [])],
            rows: effects.map((each) => [each.threshold, each.named, each.right, each.wrong, each.missed, ...(by === "cost" ? [cost(each)] : [])]),
          })}
          build={(paint) => ({
            grid: { left: 8, right: 24, top: 40, bottom: 30, containLabel: true },
            legend: { top: 0, left: 0, icon: "roundRect", itemWidth: 14, itemHeight: 4, textStyle: { color: paint.ink2, fontSize: 14 } },
            xAxis: axis(paint, {
              type: "value",
              min: 0,
              max: 1,
              name: "Named from this probability on",
              nameLocation: "middle",
              nameGap: 30,
              splitLine: { show: false },
              axisLabel: { color: paint.ink3, fontSize: 14, formatter: (value: number) => `${Math.round(value * 100)}%` },
            }),
            yAxis: axis(paint, { type: "value", min: 0, axisLabel: { color: paint.ink3, fontSize: 14, formatter: (value: number) => format.short(value) } }),
            tooltip: tip(paint, (params) => {
              const each = params as { seriesName: string; value: [number, number] };
              return [
                ["From", format.percent(each.value[0])],
                [each.seriesName, format.number(each.value[1])],
              ];
            }),
            series: (by === "cost"
              ? [["Cost of 1,000 cases", cost] as const]
              : [
                  ["Named rightly", (each: (typeof effects)[number]) => each.right] as const,
                  ["Named wrongly", (each: (typeof effects)[number]) => each.wrong] as const,
                  ["Missed", (each: (typeof effects)[number]) => each.missed] as const,
                ]
            ).map(([name, value], index) => ({
              type: "line",
              name,
              showSymbol: false,
              data: effects.map((each) => [each.threshold, value(each)]),
              lineStyle: { width: 2.5, color: paint.series[index] },
              itemStyle: { color: paint.series[index] },
              markLine:
                index === 0
                  ? {
                      silent: true,
                      symbol: "none",
                      label: { show: false },
                      lineStyle: { color: paint.ink2, type: "dashed" },
                      data: [{ xAxis: chosen.threshold }],
                    }
                  : undefined,
            })),
          })}
        />
      </Card>
    </>
  );
}
