// One model: while it is searched for, what it came to, the evidence, and its use.
import { useState } from "preact/hooks";
import { call } from "../calls";
import { learn, useCall } from "../query";
import { go, place, to } from "../router";
import type { ModelRead, Results } from "../schema";
import { may, nameOf } from "../session";
import { Button, Tabs } from "../parts/button";
import { discard } from "../parts/deleting";
import { Menu, type MenuItem, ask } from "../parts/dialog";
import { Ago, Badge, Bones, Notice, State, Trouble } from "../parts/surface";
import { Head, Page } from "../shell/page";
import { LineagePicture } from "../sharing/lineage";
import { ShareLinks } from "../sharing/links";
import { SharePeople } from "../sharing/people";
import { Rename } from "../sharing/rename";
import { Evidence } from "./evidence";
import { Monitoring } from "./monitoring";
import { ModelVersions } from "./registry";
import { Tune } from "./tune";
import { Predict } from "./predict";
import { Result } from "./result";
import { Search } from "./search";

export function Model({ id }: { id: string }) {
  const model = useCall<ModelRead>("models.get", { ref: id });
  const ready = model.data?.status === "ready";
  const results = useCall<Results>(ready ? "models.results" : null, { ref: id });
  const part = place.value.parts[2] ?? "";
  if (model.error) {
    return (
      <Page>
        <Head title="Model" crumbs={[{ label: "Models", href: to("/models") }]} />
        <Trouble error={model.error} again={model.reload} />
      </Page>
    );
  }
  const data = model.data;
  return (
    <Page>
      <Head
        title={data?.name ?? "Model"}
        crumbs={[{ label: "Models", href: to("/models") }]}
        mark={
          data && (
            <>
              {data.status !== "ready" && <State of={data.status} />}
              {data.champion && (
                <Badge tone="good" icon="champion">
                  Champion
                </Badge>
              )}
              {data.visibility === "private" ? <Badge icon="lock">Only you</Badge> : <Badge icon="team">Team</Badge>}
            </>
          )
        }
        lead={data && <Lead model={data} />}
        actions={data && <Actions model={data} />}
      />
      {!data && <Bones lines={4} height={100} />}
      {data?.status === "failed" && <Failed model={data} />}
      {data && (data.status === "queued" || data.status === "training") && <Search model={data} />}
      {ready && (
        <Tabs
          label="Parts of the model"
          current={part}
          tabs={[
            { id: "", label: "Result", href: to(`/models/${id}`) },
            ...(results.data?.decisions ? [{ id: "tune", label: "Tune", href: to(`/models/${id}/tune`) }] : []),
            { id: "evidence", label: "Evidence", href: to(`/models/${id}/evidence`) },
            { id: "predict", label: "Predict", href: to(`/models/${id}/predict`) },
            { id: "monitoring", label: "Monitoring", href: to(`/models/${id}/monitoring`) },
            { id: "versions", label: "Versions", href: to(`/models/${id}/versions`) },
            { id: "lineage", label: "Lineage", href: to(`/models/${id}/lineage`) },
          ]}
        />
      )}
      {ready && results.error && !["versions", "lineage", "monitoring"].includes(part) && <Trouble error={results.error} again={results.reload} />}
      {ready && !results.data && !results.error && !["versions", "lineage", "monitoring"].includes(part) && <Bones lines={4} height={100} />}
      {ready && data && results.data && part === "" && <Result model={data} results={results.data} />}
      {ready && data && results.data && part === "tune" && <Tune model={data} results={results.data} />}
      {ready && data && part === "monitoring" && <Monitoring model={data} />}
      {ready && data && part === "versions" && <ModelVersions model={data} />}
      {ready && part === "lineage" && <LineagePicture kind="models" id={id} />}
      {ready && results.data && part === "evidence" && <Evidence results={results.data} />}
      {ready && data && results.data && part === "predict" && <Predict model={data} results={results.data} />}
    </Page>
  );
}

function Lead({ model }: { model: ModelRead }) {
  return (
    <>
      {model.target ? `Predicts ${model.target} from ` : "Learns from "}
      <a href={to(`/datasets/${model.dataset.id}`)}>{model.dataset.name}</a>, version {model.dataset_version} · {nameOf(model.owner)} ·{" "}
      <Ago at={model.created_at} />
    </>
  );
}

function Failed({ model }: { model: ModelRead }) {
  return (
    <Notice
      tone="bad"
      title={model.error ?? "The training ended without a model."}
      action={
        may("model.train") && (
          <Button icon="again" href={to("/train", { dataset: model.dataset.id, target: model.target ?? undefined })}>
            Try again
          </Button>
        )
      }
    />
  );
}

function Actions({ model }: { model: ModelRead }) {
  const [editing, setEditing] = useState(false);
  const [sharing, setSharing] = useState<"people" | "link" | null>(null);
  const ready = model.status === "ready";
  const items: MenuItem[] = [];
  if (ready && may("model.train"))
    items.push({ label: "Train again", icon: "again", href: to("/train", { dataset: model.dataset.id, target: model.target ?? undefined }) });
  if (ready && may("model.export", model))
    items.push({ label: "Download the model (skops)", icon: "download", href: `/download/models/${model.id}?format=skops`, download: true });
  if (ready) items.push({ label: "Report to print or send", icon: "print", href: `/report/${model.id}`, away: true });
  if (ready) items.push({ label: "Download the report (HTML)", icon: "file", href: `/report/${model.id}?download`, download: true });
  if (ready && may("share.create")) items.push({ label: "Read-only link", icon: "link", act: () => setSharing("link") });
  if (may("model.share", model)) items.push({ label: "Share with people", icon: "share", act: () => setSharing("people") });
  if (may("model.update", model)) items.push({ label: "Rename", icon: "edit", act: () => setEditing(true) });
  if (may("model.delete", model)) items.push({ label: "Delete", icon: "remove", danger: true, act: () => remove(model) });
  return (
    <>
      {ready && place.value.parts[2] !== "predict" && (
        <Button tone="main" icon="predict" href={to(`/models/${model.id}/predict`)}>
          Predict
        </Button>
      )}
      {ready && may("share.create") && (
        <Button icon="link" onClick={() => setSharing("link")}>
          Link
        </Button>
      )}
      {items.length > 0 && <Menu label="More to do with this model" items={items} />}
      {editing && <Rename kind="models" thing={model} onClose={() => setEditing(false)} />}
      {sharing === "link" && <ShareLinks of={{ model: model.id }} onClose={() => setSharing(null)} />}
      {sharing === "people" && (
        <SharePeople
          kind="model"
          thing={model}
          onClose={() => setSharing(null)}
          onVisibility={(visibility) =>
            call<ModelRead>("models.update", { ref: model.id, visibility }).then((fresh) => learn("models.get", { ref: model.id }, fresh))
          }
        />
      )}
    </>
  );
}

function remove(model: ModelRead): void {
  ask({
    title: `Delete ${model.name}?`,
    words: "The model and its results are removed for everyone. Datasets that it predicted stay. You can bring it back within a day.",
    yes: "Delete",
    danger: true,
    act: () =>
      discard("model", model.id, `/models/${model.id}`).then(() => {
        go("/models");
      }),
  });
}
