// One chart of Explore: drawn, picked in, changed, taken away.
import { useMemo, useState } from "preact/hooks";
import { type Failure, call } from "../calls";
import { Chart } from "../charts/chart";
import { filterWords } from "../filters";
import * as format from "../format";
import type { ChartRead, ChartRequest, DatasetRead, Filter, Profile } from "../schema";
import { Button } from "../parts/button";
import { Dialog, Menu, type MenuItem } from "../parts/dialog";
import { Bone, Card, Empty } from "../parts/surface";
import { toast } from "../parts/toasts";
import { refine } from "../router";
import { may } from "../session";
import { titleOf } from "./choose";
import { type Known, drawChart } from "./draw";
import { type Leaving, asCsv, asHtml, asPng, asSvg, saveText } from "./export";
import { EditChart } from "./edit";
import { Publish } from "./publish";

interface CardProps {
  chart: ChartRequest;
  answer: ChartRead | undefined;
  dataset: DatasetRead;
  version: number;
  profile: Profile;
  filters: Filter[];
  total: number;
  onChange: (chart: ChartRequest) => void;
  onRemove: () => void;
}

export function ChartCard({ chart, answer, dataset, version, profile, filters, total, onChange, onRemove }: CardProps) {
  const [editing, setEditing] = useState(false);
  const [code, setCode] = useState<string | null>(null);
  const [publishing, setPublishing] = useState<Leaving | null>(null);
  const title = titleOf(chart);
  const text = JSON.stringify(chart);
  const known: Known = (name) => {
    const found = profile.columns.find((each) => each.name === name);
    return found && { ...found, unit: dataset.schema.find((each) => each.name === name)?.unit };
  };
  const drawn = useMemo(() => (answer && answer.shape === chart.shape ? drawChart(chart, answer, known) : null), [answer, text]);
  const rows = answer ? (answer.drawn === total ? format.counted(total, "row") : `${format.count(answer.drawn)} of ${format.counted(total, "row")}`) : "";
  const under = `${dataset.name}, version ${version} · ${rows} · ${filters.length ? filters.map(filterWords).join(", ") : "no filters"}`;
  const leaving = (): Leaving | null => (drawn ? { title, under, drawn, name: `${dataset.name} ${title}` } : null);
  const take = (how: (leaving: Leaving) => unknown) => () => {
    const ready = leaving();
    if (ready) void how(ready);
  };
  const askCode = () =>
    call<{ code: string }>("explore.code", { ref: dataset.id, version, chart: { ...chart, picks: [] }, filters }).then(
      (found) => setCode(found.code),
      (error: Failure) => toast({ tone: "bad", title: error.message }),
    );
  const items: MenuItem[] = [
    { label: "Change", icon: "edit", act: () => setEditing(true) },
    { label: "Picture (PNG)", icon: "image", act: take(asPng) },
    { label: "Drawing (SVG)", icon: "image", act: take(asSvg) },
    { label: "Page (HTML)", icon: "file", act: take(asHtml) },
    { label: "Numbers (CSV)", icon: "download", act: take(asCsv) },
    { label: "Python code", icon: "code", act: () => void askCode() },
    ...(may("insight.publish") ? [{ label: "Show on Home", icon: "share" as const, act: () => setPublishing(leaving()) }] : []),
    { label: "Remove", icon: "remove", danger: true, act: onRemove },
  ];
  const pick = (conditions: Filter[] | null) => conditions && onChange({ ...chart, picks: toggled(chart, conditions) });
  return (
    <Card
      class="chart-card"
      title={
        <span class="two-lines" title={title.length > 60 ? title : undefined}>
          {title}
        </span>
      }
      note={drawn?.note}
      action={
        <>
          {(chart.picks ?? []).length > 0 && (
            <Button small icon="close" onClick={() => onChange({ ...chart, picks: [] })}>
              Unpick
            </Button>
          )}
          <Menu tone="ghost" label={`What to do with the chart ${title}`} items={items} />
        </>
      }
    >
      {!drawn && <Bone height={300} />}
      {drawn?.empty && (
        <Empty
          icon="filter"
          title="Nothing to draw"
          action={filters.length > 0 && <Button onClick={() => refine({ filters: undefined })}>Take the filters off</Button>}
        >
          {filters.length ? "No row with a value here is left by the filters." : "The column holds no values."}
        </Empty>
      )}
      {drawn && !drawn.empty && (
        <Chart
          of={drawn}
          build={drawn.build}
          label={`${title}. ${rows}.`}
          height={Math.max(300, 22 * (drawn.lines ?? 0) + 60)}
          still
          numbers={drawn.numbers}
          brush={drawn.brushKind}
          onBrush={drawn.brush && ((x, y) => pick(drawn.brush?.(x, y) ?? null))}
          reversed={chart.shape === "bar" || chart.shape === "box" ? drawn.numbers().rows.length : undefined}
          onPick={drawn.pick && ((index) => pick(drawn.pick?.(index) ?? null))}
        />
      )}
      <p class="small muted chart-under">{answer ? under : `${dataset.name}, version ${version}`}</p>
      {editing && <EditChart profile={profile} chart={chart} onDone={onChange} onClose={() => setEditing(false)} />}
      {publishing && <Publish of={publishing} dataset={dataset} onClose={() => setPublishing(null)} />}
      {code !== null && <Code code={code} name={`${dataset.name} ${title}`} onClose={() => setCode(null)} />}
    </Card>
  );
}

/** What is picked after a click: the same place again is let go, names add up. */
function toggled(chart: ChartRequest, conditions: Filter[]): Filter[] {
  const present = chart.picks ?? [];
  if (JSON.stringify(present) === JSON.stringify(conditions)) return [];
  const [first] = conditions;
  const before = present.length === 1 ? present[0] : undefined;
  if (
    conditions.length === 1 &&
    first?.op === "in" &&
    before?.op === "in" &&
    before.column === first.column &&
    Array.isArray(before.value) &&
    Array.isArray(first.value)
  ) {
    const value = first.value[0] as unknown;
    const rest = before.value.includes(value) ? before.value.filter((each: unknown) => each !== value) : [...before.value, value];
    return rest.length ? [{ ...first, value: rest }] : [];
  }
  return conditions;
}

function Code({ code, name, onClose }: { code: string; name: string; onClose: () => void }) {
  const copy = () =>
    navigator.clipboard.writeText(code).then(
      () => toast({ tone: "good", title: "Copied" }),
      () => toast({ tone: "bad", title: "The browser did not let it be copied. Mark the text and copy it." }),
    );
  return (
    <Dialog
      title="Python that draws this"
      onClose={onClose}
      actions={
        <>
          <Button icon="download" onClick={() => saveText(code, "text/x-python", `${name}.py`)}>
            Download
          </Button>
          <Button tone="main" icon="copy" onClick={copy}>
            Copy
          </Button>
        </>
      }
    >
      <div class="stack">
        <p class="muted">Run it in a notebook of this workspace; it reads the same version with the same filters.</p>
        <pre class="code" tabIndex={0}>
          {code}
        </pre>
      </div>
    </Dialog>
  );
}
