// One dataset: its health, its columns, its rows; and what can be done with it.
import { useState } from "preact/hooks";
import { call } from "../channel";
import * as format from "../format";
import { motions } from "../live";
import { learn, useCall } from "../query";
import { go, place, to } from "../router";
import type { DatasetRead, Profile } from "../schema";
import { may, nameOf } from "../session";
import { Button, Segmented, Tabs } from "../parts/button";
import { Dialog, Menu, type MenuItem, ask } from "../parts/dialog";
import { Input } from "../parts/field";
import { Ago, Badge, Bones, Card, Fact, Notice, Progress, State, Trouble } from "../parts/surface";
import { toast } from "../parts/toasts";
import { Head, Page } from "../shell/page";
import { Grid } from "./grid";
import { Columns, Findings } from "./health";

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
        <Notice tone="bad" title={data.error ?? "The file could not be read."}>
          The file itself is kept as it came. {may("dataset.create") ? "Save it in another way and upload it again, or delete this one." : "Ask its owner to upload it again."}
        </Notice>
      )}
      {ready && (
        <Tabs
          label="Parts of the dataset"
          current={part}
          tabs={[
            { id: "", label: "Overview", href: to(`/datasets/${id}`) },
            { id: "rows", label: "Rows", href: to(`/datasets/${id}/rows`) },
          ]}
        />
      )}
      {ready && data && part === "" && <Overview dataset={data} />}
      {ready && data && part === "rows" && <Grid dataset={data} />}
    </Page>
  );
}

function Marks({ dataset }: { dataset: DatasetRead }) {
  return (
    <>
      {dataset.status !== "ready" && <State of={dataset.status} />}
      {dataset.visibility === "private" ? <Badge icon="lock">Only you</Badge> : <Badge icon="team">Team</Badge>}
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
  if (may("dataset.export", dataset)) items.push({ label: "Download the original file", icon: "file", href: `/download/${dataset.id}?format=original`, download: true });
  if (may("dataset.update", dataset)) items.push({ label: "Rename or share", icon: "edit", act: () => setEditing(true) });
  if (may("dataset.delete", dataset)) items.push({ label: "Delete", icon: "remove", danger: true, act: () => remove(dataset) });
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
      {items.length > 0 && <Menu label="More to do with this dataset" items={items} />}
      {editing && <Edit dataset={dataset} onClose={() => setEditing(false)} />}
    </>
  );
}

function remove(dataset: DatasetRead): void {
  ask({
    title: `Delete ${dataset.name}?`,
    words: "The data and its file are removed for everyone. Models that were trained from it stay. This cannot be undone.",
    yes: "Delete",
    danger: true,
    act: () =>
      call("datasets.delete", { ref: dataset.id }).then(() => {
        toast({ title: `${dataset.name} was deleted` });
        go("/datasets");
      }),
  });
}

function Edit({ dataset, onClose }: { dataset: DatasetRead; onClose: () => void }) {
  const [name, setName] = useState(dataset.name);
  const [visibility, setVisibility] = useState<string>(dataset.visibility);
  const [trouble, setTrouble] = useState("");
  const save = () =>
    call<DatasetRead>("datasets.update", { ref: dataset.id, name: name.trim() || dataset.name, visibility }).then(
      (fresh) => {
        learn("datasets.get", { ref: dataset.id }, fresh);
        onClose();
      },
      (error: Error) => setTrouble(error.message),
    );
  return (
    <Dialog
      title="Rename or share"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="main" onClick={save}>
            Save
          </Button>
        </>
      }
    >
      <div class="stack">
        <Input label="Name" value={name} onInput={setName} error={trouble} />
        <Segmented
          roomy
          label="Who may see it"
          value={visibility}
          choices={[
            { value: "team", label: "Team", icon: "team", hint: "Everyone in the workspace" },
            { value: "private", label: "Only me", icon: "lock", hint: "Nobody else sees it" },
          ]}
          onChange={setVisibility}
        />
      </div>
    </Dialog>
  );
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
