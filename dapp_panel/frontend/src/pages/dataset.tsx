// One dataset: its health, its columns, its rows; and what can be done with it.
import { useState } from "preact/hooks";
import { call } from "../calls";
import * as format from "../format";
import { motions } from "../live";
import { learn, useCall } from "../query";
import { go, place, to } from "../router";
import type { DatasetRead, Dependents, Profile } from "../schema";
import { may, nameOf } from "../session";
import { Button, Tabs } from "../parts/button";
import { discard } from "../parts/deleting";
import { Menu, type MenuItem, ask } from "../parts/dialog";
import { Ago, Badge, Bones, Card, Fact, Notice, Progress, State, Trouble } from "../parts/surface";
import { Head, Page } from "../shell/page";
import { Grid } from "./grid";
import { LineagePicture } from "../sharing/lineage";
import { SharePeople } from "../sharing/people";
import { Rename } from "../sharing/rename";
import { Columns, Findings, Mended } from "./health";
import { Versions } from "./versions";

export function Dataset({ id }: { id: string }) {
  const dataset = useCall<DatasetRead>("datasets.get", { ref: id });
  const ready = dataset.data?.status === "ready";
  const part = place.value.parts[2] ?? "";
  if (dataset.error) {
    return (
      <Page>
        <Head title="Dataset" crumbs={[{ label: "Data", href: to("/datasets") }]} />
        <Trouble error={dataset.error} again={dataset.reload} />
      </Page>
    );
  }
  const data = dataset.data;
  return (
    <Page wide={part === "rows"}>
      <Head
        title={data?.name ?? "Dataset"}
        crumbs={[{ label: "Data", href: to("/datasets") }]}
        mark={data && <Marks dataset={data} />}
        lead={data && <Lead dataset={data} />}
        actions={data && <Actions dataset={data} />}
      />
      {!data && <Bones lines={4} height={90} />}
      {data?.status === "processing" && <Reading dataset={data} />}
      {data?.status === "failed" && (
        <Notice
          tone="bad"
          title={data.error ?? "The file could not be read."}
          action={
            may("dataset.create") && (
              <Button icon="upload" href={to("/datasets")}>
                Upload again
              </Button>
            )
          }
        >
          The file itself is kept as it came.{" "}
          {may("dataset.create") ? "Save it in another way and upload it again, or delete this one." : "Ask its owner to upload it again."}
        </Notice>
      )}
      {ready && (
        <Tabs
          label="Parts of the dataset"
          current={part}
          tabs={[
            { id: "", label: "Overview", href: to(`/datasets/${id}`) },
            { id: "rows", label: "Rows", href: to(`/datasets/${id}/rows`) },
            { id: "versions", label: "Versions", href: to(`/datasets/${id}/versions`), count: data && data.latest > 1 ? data.latest : undefined },
            { id: "lineage", label: "Lineage", href: to(`/datasets/${id}/lineage`) },
          ]}
        />
      )}
      {ready && data && part === "" && <Overview dataset={data} />}
      {ready && data && part === "rows" && <Grid dataset={data} />}
      {ready && data && part === "versions" && <Versions dataset={data} />}
      {ready && data && part === "lineage" && <LineagePicture kind="datasets" id={data.id} />}
    </Page>
  );
}

function Marks({ dataset }: { dataset: DatasetRead }) {
  return (
    <>
      {dataset.status !== "ready" && <State of={dataset.status} />}
      {dataset.visibility === "private" ? (
        <Badge icon="lock">{dataset.shared_with ? `You and ${dataset.shared_with} more` : dataset.access === "owner" ? "Only you" : "Shared with you"}</Badge>
      ) : (
        <Badge icon="team">Team</Badge>
      )}
      {dataset.pending && dataset.pending.status === "processing" && (
        <Badge tone="accent" icon="clock">
          Version {dataset.pending.version} is being made
        </Badge>
      )}
    </>
  );
}

function Lead({ dataset }: { dataset: DatasetRead }) {
  return (
    <>
      {dataset.rows !== null && `${format.counted(dataset.rows, "row")}, ${format.counted(dataset.column_count, "column")} · `}
      {dataset.filename}, {format.bytes(dataset.size)} · {nameOf(dataset.owner)} · <Ago at={dataset.created_at} />
    </>
  );
}

function Reading({ dataset }: { dataset: DatasetRead }) {
  const motion = dataset.job_id ? motions.value.get(dataset.job_id) : undefined;
  return (
    <Card title="The file is being read">
      <Progress value={motion?.progress ?? 0} label={`Reading ${dataset.name}`} />
      <p class="muted" style={{ marginTop: "10px" }}>
        {motion?.message || "Waiting for a worker"}. You can leave this page; a word in the corner tells you when it is ready.
      </p>
    </Card>
  );
}

function Actions({ dataset }: { dataset: DatasetRead }) {
  const [editing, setEditing] = useState(false);
  const [sharing, setSharing] = useState(false);
  const ready = dataset.status === "ready";
  const items: MenuItem[] = [];
  if (ready && may("dataset.export", dataset)) {
    const address = (kind: string) => `/download/${dataset.id}?format=${kind}`;
    items.push(
      { label: "Download as CSV", icon: "download", href: address("csv"), download: true },
      { label: "Download as Excel", icon: "download", href: address("xlsx"), download: true },
      { label: "Download as Parquet", icon: "download", href: address("parquet"), download: true },
    );
  }
  if (may("dataset.export", dataset))
    items.push({ label: "Download the original file", icon: "file", href: `/download/${dataset.id}?format=original`, download: true });
  if (may("dataset.share", dataset)) items.push({ label: "Share", icon: "share", act: () => setSharing(true) });
  if (may("dataset.update", dataset)) items.push({ label: "Rename", icon: "edit", act: () => setEditing(true) });
  if (may("dataset.delete", dataset)) items.push({ label: "Delete", icon: "remove", danger: true, act: () => void remove(dataset) });
  return (
    <>
      {ready && may("model.train", dataset) && (
        <Button tone="main" icon="train" href={to("/train", { dataset: dataset.id })}>
          Train
        </Button>
      )}
      {ready && (
        <Button icon="explore" href={to(`/explore/${dataset.id}`)}>
          Explore
        </Button>
      )}
      {may("dataset.share", dataset) && (
        <Button icon="share" class="wide-only" onClick={() => setSharing(true)}>
          Share
        </Button>
      )}
      {items.length > 0 && <Menu label="More to do with this dataset" items={items} />}
      {editing && <Rename kind="datasets" thing={dataset} onClose={() => setEditing(false)} />}
      {sharing && (
        <SharePeople
          kind="dataset"
          thing={dataset}
          onClose={() => setSharing(false)}
          onVisibility={(visibility) =>
            call<DatasetRead>("datasets.update", { ref: dataset.id, visibility }).then((fresh) => learn("datasets.get", { ref: dataset.id }, fresh))
          }
        />
      )}
    </>
  );
}

async function remove(dataset: DatasetRead): Promise<void> {
  const after = await call<Dependents>("datasets.dependents", { ref: dataset.id }).catch(() => null);
  const made = (after?.models.length ?? 0) + (after?.unseen ?? 0);
  const words = [
    `All of it is removed for everyone${after && after.versions > 1 ? `, with its ${after.versions} versions` : ""}.`,
    made
      ? `${format.counted(made, "model or dataset that was", "models or datasets that were")} made from it ${made === 1 ? "stays" : "stay"}.`
      : "Nothing was made from it.",
    after?.people ? `${format.counted(after.people, "person loses", "people lose")} it.` : "",
    after?.jobs ? `${format.counted(after.jobs, "job is", "jobs are")} stopped.` : "",
    "You can bring it back within a day.",
  ];
  ask({
    title: `Delete ${dataset.name}?`,
    words: words.filter(Boolean).join(" "),
    yes: "Delete",
    danger: true,
    act: () =>
      discard("dataset", dataset.id, `/datasets/${dataset.id}`).then(() => {
        go("/datasets");
      }),
  });
}

function Overview({ dataset }: { dataset: DatasetRead }) {
  const profile = useCall<Profile>("datasets.profile", { ref: dataset.id });
  if (profile.error) return <Trouble error={profile.error} again={profile.reload} />;
  if (!profile.data) return <Bones lines={5} height={72} />;
  const data = profile.data;
  const cells = data.rows * data.columns.length;
  const missing = data.columns.reduce((sum, column) => sum + column.missing, 0);
  return (
    <>
      <Mended dataset={dataset} />
      <dl class="facts">
        <Fact label="Rows">{format.count(data.rows)}</Fact>
        <Fact label="Columns">{format.count(data.columns.length)}</Fact>
        <Fact label="Empty cells" hint={format.count(missing)}>
          {format.percent(cells ? missing / cells : 0)}
        </Fact>
        <Fact label="Repeated rows">{format.count(data.duplicate_rows)}</Fact>
      </dl>
      <Findings dataset={dataset} profile={data} />
      <Columns dataset={dataset} profile={data} />
      {dataset.report && dataset.report.notes.length > 0 && (
        <details class="card fold">
          <summary>How the file was read</summary>
          <ul class="notes">
            {dataset.report.notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
