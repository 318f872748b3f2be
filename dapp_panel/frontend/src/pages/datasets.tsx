// Data: every dataset one may see, and the place to drop new ones.
import { useEffect, useState } from "preact/hooks";
import * as format from "../format";
import { motions } from "../live";
import { PAGE, useMore } from "../pages_of";
import { useCall } from "../query";
import { place, refine, to } from "../router";
import type { DatasetRead, Page as Listed } from "../schema";
import { may, nameOf } from "../session";
import { Button } from "../parts/button";
import { Drop, Sendings } from "../parts/drop";
import { Input } from "../parts/field";
import { Icon } from "../parts/icon";
import { Ago, Badge, Bones, Empty, Face, Progress, State, Trouble } from "../parts/surface";
import { Head, Page } from "../shell/page";

export function Datasets() {
  const search = place.value.query.get("search") ?? "";
  const [text, setText] = useState(search);
  useEffect(() => {
    const timer = setTimeout(() => text !== search && refine({ search: text }), 200);
    return () => clearTimeout(timer);
  }, [text]);
  const listed = useCall<Listed<DatasetRead>>("datasets.list", { search: search || null, limit: PAGE }, { keep: true });
  const more = useMore("datasets.list", listed.data, search);
  const items = [...(listed.data?.items ?? []), ...more.items];
  const none = listed.data && items.length === 0;
  return (
    <Page>
      <Head title="Data" lead="Everything your team has brought in. Each file is checked on arrival, and sealed." />
      {may("dataset.create") && (
        <>
          <Drop whole compact={!none || Boolean(search)} />
          <Sendings />
        </>
      )}
      {listed.error && <Trouble error={listed.error} again={listed.reload} />}
      {(!none || search) && !listed.error && (
        <Input class="search-field" label="Search data" quiet search value={text} onInput={setText} placeholder="Search by name" />
      )}
      {!listed.data && !listed.error && <Bones lines={6} height={64} />}
      {none && (
        <div class="card">
          {search ? (
            <Empty icon="search" title={`Nothing is called “${search}”`} action={<Button onClick={() => setText("")}>Show everything</Button>}>
              Search looks at the names of datasets.
            </Empty>
          ) : (
            <Empty icon="data" title="No data yet">
              {may("dataset.create")
                ? "Drop a CSV, Excel, Parquet or JSON file above. A moment later you see what is in it, and what is wrong with it."
                : "As soon as someone shares a dataset with the team, it shows up here by itself."}
            </Empty>
          )}
        </div>
      )}
      {items.length > 0 && (
        <div class="card flush">
          <table class="list-table">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col" class="right wide-only">
                  Rows
                </th>
                <th scope="col" class="right wide-only">
                  Columns
                </th>
                <th scope="col" class="right wide-only">
                  Size
                </th>
                <th scope="col" class="wide-only w-s">
                  Health
                </th>
                <th scope="col" class="wide-only w-m">
                  Owner
                </th>
                <th scope="col" class="wide-only w-m">
                  Added
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map((dataset) => (
                <Line key={dataset.id} dataset={dataset} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {more.next && (
        <Button onClick={more.load} class="center">
          Show more
        </Button>
      )}
    </Page>
  );
}

function Line({ dataset }: { dataset: DatasetRead }) {
  const motion = dataset.job_id ? motions.value.get(dataset.job_id) : undefined;
  return (
    <tr>
      <th scope="row">
        <a class="list-name" href={to(`/datasets/${dataset.id}`)}>
          <span class={`line-sign ${dataset.status}`}>
            <Icon name={dataset.status === "failed" ? "alert" : "file"} />
          </span>
          <span class="grow">
            <span class="row" style={{ "--gap": "8px" }}>
              <span class="clip">{dataset.name}</span>
              {dataset.status !== "ready" && <State of={dataset.status} />}
              {dataset.visibility === "private" &&
                (dataset.shared_with ? (
                  <Badge icon="team">{format.counted(dataset.shared_with, "person", "people")}</Badge>
                ) : (
                  <Badge icon="lock">Private</Badge>
                ))}
            </span>
            {dataset.status === "processing" ? (
              <span class="row small muted" style={{ "--gap": "8px", fontWeight: 400 }}>
                <span style={{ width: "120px" }}>
                  <Progress value={motion?.progress ?? 0} label={`Reading ${dataset.name}`} />
                </span>
                <span class="clip">{motion?.message || "Waiting to be read"}</span>
              </span>
            ) : (
              <span class={`small clip ${dataset.status === "failed" ? "bad-text" : "muted"}`} style={{ display: "block", fontWeight: 400 }}>
                {dataset.status === "failed" ? dataset.error : <Brief dataset={dataset} />}
              </span>
            )}
          </span>
        </a>
      </th>
      <td class="right num wide-only">{format.count(dataset.rows)}</td>
      <td class="right num wide-only">{format.count(dataset.column_count)}</td>
      <td class="right num wide-only">{format.bytes(dataset.size)}</td>
      <td class="wide-only">
        <Health of={dataset} />
      </td>
      <td class="wide-only">
        <span class="row" style={{ "--gap": "8px" }}>
          <Face person={dataset.owner} size={26} />
          <span class="clip">{nameOf(dataset.owner)}</span>
        </span>
      </td>
      <td class="wide-only muted nowrap">
        <Ago at={dataset.created_at} />
      </td>
    </tr>
  );
}

/** The health report in a word: the worst kind of finding, and how many. */
function Health({ of }: { of: DatasetRead }) {
  const health = of.status === "ready" ? of.health : null;
  if (!health) return <span class="muted">–</span>;
  if (health.alerts) return <Badge tone="bad">{format.counted(health.alerts, "alert")}</Badge>;
  if (health.warnings) return <Badge tone="warn">{format.counted(health.warnings, "warning")}</Badge>;
  return <Badge tone="good">{health.notes ? "Good" : "Clean"}</Badge>;
}

function Brief({ dataset }: { dataset: DatasetRead }) {
  return (
    <>
      <span class="wide-only">{dataset.filename}</span>
      <span class="narrow-only">
        {format.counted(dataset.rows, "row")}, {format.counted(dataset.column_count, "column")}
        {dataset.health &&
          dataset.health.alerts + dataset.health.warnings > 0 &&
          `, ${format.counted(dataset.health.alerts + dataset.health.warnings, "finding")}`}{" "}
        · {nameOf(dataset.owner)}
      </span>
    </>
  );
}
