// The window in which a chart is made or changed: columns first, the kind of chart follows.
import { useState } from "preact/hooks";
import type { ChartRequest, Profile } from "../schema";
import { Button } from "../parts/button";
import { Dialog } from "../parts/dialog";
import { Chooser, Select } from "../parts/field";
import { Icon, type IconName } from "../parts/icon";
import { MEASURES, SHAPES, type Shape, bucketsFor, chartFor, fits, isNumber, reshape, roleOf, usual } from "./choose";

const ICONS: Record<Shape, IconName> = { histogram: "chart", bar: "chart", line: "chartline", scatter: "scatter", heat: "heat", box: "columns" };

interface EditProps {
  profile: Profile;
  chart: ChartRequest | null;
  onDone: (chart: ChartRequest) => void;
  onClose: () => void;
}

export function EditChart({ profile, chart, onDone, onClose }: EditProps) {
  const [made, setMade] = useState<ChartRequest | null>(chart ? { ...chart, picks: [] } : null);
  const options = profile.columns.map((each) => ({ value: each.name, label: each.name, kind: each.kind }));
  const column = (name: string | null | undefined) => profile.columns.find((each) => each.name === name);
  const second = made?.y ?? "";
  const x = column(made?.x);
  const change = (fields: Partial<ChartRequest>) => made && setMade({ ...made, ...fields });
  const choose = (xName: string, yName: string) => xName && setMade(chartFor(profile, xName, yName || null, made?.color));
  const measured = made && (made.shape === "bar" || made.shape === "line" ? Boolean(made.y) : made.shape === "heat" && isNumber(column(made.color)));
  return (
    <Dialog
      title={chart ? "Change the chart" : "Add a chart"}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            tone="main"
            disabled={!made}
            onClick={() => {
              if (made) onDone(made);
              onClose();
            }}
          >
            {chart ? "Change" : "Add"}
          </Button>
        </>
      }
    >
      <div class="stack">
        <Chooser label="Show" value={made?.x ?? ""} options={options} onChange={(value) => choose(value, second)} />
        <Chooser
          label="Against"
          value={second}
          options={options.filter((each) => each.value !== made?.x)}
          placeholder="Nothing: count rows"
          clearable
          onChange={(value) => choose(made?.x ?? "", value)}
        />
        {made && made.shape !== "box" && (
          <Chooser
            label={made.shape === "heat" ? "Coloured by the figure of" : "Colour by"}
            value={made.color ?? ""}
            options={options.filter((each) => each.value !== made.x && each.value !== made.y && (made.shape !== "heat" || isNumber(column(each.value))))}
            placeholder={made.shape === "heat" ? "Nothing: count rows" : "One colour"}
            clearable
            onChange={(value) => change({ color: value || null, measure: made.shape === "heat" ? (value ? usual(value) : "count") : made.measure })}
          />
        )}
        {made && (
          <div class="field">
            <span class="field-label">As</span>
            <div class="shape-grid" role="radiogroup" aria-label="Kind of chart">
              {SHAPES.map((each) => (
                <label key={each.value} class={made.shape === each.value ? "on" : ""} title={each.hint}>
                  <input
                    type="radio"
                    class="hush"
                    name="shape"
                    checked={made.shape === each.value}
                    disabled={!fits(each.value, profile, made.x, second)}
                    onChange={() => setMade(reshape(profile, made, each.value))}
                  />
                  <Icon name={ICONS[each.value]} size={20} />
                  {each.label}
                </label>
              ))}
            </div>
          </div>
        )}
        {measured && made && (
          <Select
            label="Figure"
            value={made.measure ?? "mean"}
            choices={MEASURES.filter(([each]) => each === "distinct" || isNumber(column(made.shape === "heat" ? made.color : made.y)))}
            onChange={(value) => change({ measure: value as ChartRequest["measure"] })}
          />
        )}
        {made && x && roleOf(x) === "time" && (
          <Select
            label="In steps of"
            value={made.bucket ?? "month"}
            choices={bucketsFor(x).map((each): [string, string] => [each, `a ${each}`])}
            onChange={(value) => change({ bucket: value as ChartRequest["bucket"] })}
          />
        )}
        {made?.shape === "histogram" && Number(x?.maximum) > 0 && (
          <Select
            label="Scale"
            value={made.log ? "log" : "even"}
            choices={[
              ["even", "Even steps"],
              ["log", "Steps that grow by a factor, for a long tail"],
            ]}
            onChange={(value) => change({ log: value === "log" || undefined })}
          />
        )}
        {made?.shape === "histogram" && (
          <Select
            label="Bars"
            value={String(made.bins ?? 40)}
            choices={[
              ["10", "About 10"],
              ["20", "About 20"],
              ["40", "About 40"],
              ["80", "About 80"],
              ["160", "About 160"],
            ]}
            onChange={(value) => change({ bins: Number(value) })}
          />
        )}
      </div>
    </Dialog>
  );
}
