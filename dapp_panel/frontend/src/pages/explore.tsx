// Explore: pick a column or two, and the chart that fits them is drawn from an aggregate of all rows.
import { useMemo } from "preact/hooks";
import { FilterBar, filterWords, readFilters } from "../filters";
import * as format from "../format";
import { useCall } from "../query";
import { go, place, refine, to } from "../router";
import type { DatasetRead, Page as Listed, Profile, QueryRead, RowsRead } from "../schema";
import { Chart } from "../charts/chart";
import { draw } from "../charts/draw";
import { type Plan, planOf } from "../charts/plan";
import { Button } from "../parts/button";
import { Chooser, Select } from "../parts/field";
import { Icon } from "../parts/icon";
import { Bone, Bones, Card, Empty, Notice, Trouble } from "../parts/surface";
import { Head, Page } from "../shell/page";

export function Explore({ id }: { id: string | undefined }) {
  const listed = useCall<Listed<DatasetRead>>("datasets.list", { search: null, limit: 100 });
  const ready = listed.data?.items.filter((each) => each.status === "ready") ?? [];
  const dataset = useCall<DatasetRead>(id ? "datasets.get" : null, { ref: id ?? "" });
  return (
    <Page>
      <Head title="Explore" lead="Pick a column or two. The chart that fits them is drawn from every row." crumbs={dataset.data && [{ label: dataset.data.name, href: to(`/datasets/${dataset.data.id}`) }]} />
      {listed.error && <Trouble error={listed.error} again={listed.reload} />}
      {!id && !listed.data && <Bones lines={2} height={70} />}
      {!id && listed.data && ready.length === 0 && (
        <Card>
          <Empty icon="explore" title="Nothing to explore yet" action={<Button href={to("/datasets")}>Go to Data</Button>}>
            Once a dataset is ready, its columns can be looked at here.
          </Empty>
        </Card>
      )}
      {!id && ready.length > 0 && (
        <ul class="pick-cards">
          {ready.map((each) => (
            <li key={each.id}>
              <a class="model-card" href={to(`/explore/${each.id}`)}>
                <span class="row" style={{ "--gap": "10px" }}>
                  <Icon name="file" />
                  <span class="strong clip">{each.name}</span>
                </span>
                <span class="small muted">
                  {format.counted(each.rows, "row")}, {format.counted(each.column_count, "column")}
                </span>
              </a>
            </li>
          ))}
        </ul>
      )}
      {id && dataset.error && <Trouble error={dataset.error} again={dataset.reload} />}
      {id && !dataset.data && !dataset.error && <Bones lines={2} height={200} />}
      {dataset.data?.status === "ready" && <Desk key={dataset.data.id} dataset={dataset.data} others={ready} />}
      {dataset.data && dataset.data.status !== "ready" && (
        <Notice title={`${dataset.data.name} is not ready yet`}>Its page says how it goes.</Notice>
      )}
    </Page>
  );
}

function Desk({ dataset, others }: { dataset: DatasetRead; others: DatasetRead[] }) {
  const query = place.value.query;
  const profile = useCall<Profile>("datasets.profile", { ref: dataset.id });
  const asked = query.get("x");
  const first = profile.data ? (profile.data.likely_target ?? profile.data.columns[0]?.name ?? "") : "";
  const x = asked && dataset.schema.some((each) => each.name === asked) ? asked : first;
  const y = query.get("y") ?? "";
  const options = useMemo(() => dataset.schema.map((each) => ({ value: each.name, label: each.name, kind: each.kind })), [dataset]);
  const filters = readFilters();
  const plan = profile.data && x ? planOf(profile.data, { x, y, measure: query.get("measure") ?? "", bucket: query.get("bucket") ?? "", filters }) : null;
  return (
    <div class="desk">
      <Card class="desk-controls">
        <div class="stack">
          <Chooser label="Dataset" value={dataset.id} options={withPresent(others, dataset).map((each) => ({ value: each.id, label: each.name }))} onChange={(value) => go(`/explore/${value}`)} />
          <Chooser label="Show" value={x} options={options} onChange={(value) => refine({ x: value })} />
          <Chooser label="Against" value={y} options={options.filter((each) => each.value !== x)} placeholder="Nothing: only its distribution" clearable onChange={(value) => refine({ y: value, measure: undefined })} />
          {plan && plan.measures.length > 1 && <Select label="As" value={plan.measure} choices={plan.measures} onChange={(value) => refine({ measure: value })} />}
          {plan && plan.buckets.length > 1 && <Select label="In steps of" value={plan.bucket} choices={plan.buckets.map((each) => [each, `a ${each}`])} onChange={(value) => refine({ bucket: value })} />}
          <div class="field">
            <span class="field-label">Only rows where</span>
            <FilterBar columns={dataset.schema} profiles={profile.data?.columns} />
          </div>
        </div>
      </Card>
      <div class="stack desk-chart">
        {profile.error && <Trouble error={profile.error} again={profile.reload} />}
        {!profile.data && !profile.error && <Bone height={420} />}
        {plan && <Drawn plan={plan} dataset={dataset} />}
      </div>
    </div>
  );
}

function withPresent(others: DatasetRead[], present: DatasetRead): DatasetRead[] {
  return others.some((each) => each.id === present.id) ? others : [present, ...others];
}

function Drawn({ plan, dataset }: { plan: Plan; dataset: DatasetRead }) {
  const aggregate = useCall<QueryRead>(plan.rows ? null : "datasets.query", { ref: dataset.id, version: dataset.version, ...plan.query }, { keep: true });
  const points = useCall<RowsRead>(plan.rows ? "datasets.rows" : null, { ref: dataset.id, version: dataset.version, ...plan.rows }, { keep: true });
  const answer = plan.rows ? points : aggregate;
  const filters = readFilters();
  const drawn = useMemo(() => (answer.data && fits(plan, answer.data) ? draw(plan, answer.data.rows) : null), [answer.data, plan.key]);
  const under = `${plan.under(dataset.rows ?? 0, answer.data?.rows.length ?? 0)} · version ${dataset.version} · ${filters.length ? `only rows where ${filters.map(filterWords).join(", ")}` : "no filters"}`;
  return (
    <Card title={plan.title} note={plan.note}>
      {answer.error && <Trouble error={answer.error} again={answer.reload} />}
      {!answer.error && !drawn && <Bone height={400} />}
      {drawn && drawn.empty && (
        <Empty icon="filter" title="No row is left" action={<Button onClick={() => refine({ filters: undefined })}>Take the filters off</Button>}>
          The filters leave nothing to draw.
        </Empty>
      )}
      {drawn && !drawn.empty && (
        <Chart of={drawn} build={drawn.build} label={plan.title} height={420} numbers={drawn.numbers} />
      )}
      <p class="small muted chart-under">{under}</p>
    </Card>
  );
}

/** An answer to a former question may still be there while the new one is on its way; it is not drawn as if it were the new one. */
function fits(plan: Plan, answer: QueryRead | RowsRead): boolean {
  return answer.columns.length === plan.width;
}
