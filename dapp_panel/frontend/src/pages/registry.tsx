// The versions of a model: which one answers, how they compare, and why the champion changed.
import { useState } from "preact/hooks";
import { type Failure, call } from "../calls";
import * as format from "../format";
import { invalidate, useCall } from "../query";
import { place, refine, to } from "../router";
import type { Comparison, ModelRead, Page, VersionsRead } from "../schema";
import { may, nameOf } from "../session";
import { FAMILIES } from "../words";
import { Button } from "../parts/button";
import { Dialog } from "../parts/dialog";
import { Chooser, Input } from "../parts/field";
import { Ago, Badge, Bone, Bones, Card, Notice, State, Trouble } from "../parts/surface";
import { toast } from "../parts/toasts";

export function ModelVersions({ model }: { model: ModelRead }) {
  const found = useCall<VersionsRead>("models.versions", { ref: model.id });
  const [asking, setAsking] = useState<{ name: "models.promote" | "models.rollback"; ref: string; title: string } | null>(null);
  const data = found.data;
  const ready = data?.versions.filter((each) => each.status === "ready") ?? [];
  const may_promote = may("model.promote", model) || may("model.update", model);
  return (
    <>
      <Card
        title="Versions"
        note={
          data?.champion ? `Predictions by name go to version ${data.champion}.` : "No version is the champion yet: predictions by name go to the newest one."
        }
        action={
          may_promote &&
          (data?.promotions.length ?? 0) > 1 && (
            <Button icon="undo" onClick={() => setAsking({ name: "models.rollback", ref: model.id, title: "Bring back the champion before" })}>
              Roll back
            </Button>
          )
        }
        flush
      >
        {found.error && <Trouble error={found.error} again={found.reload} />}
        {!data && !found.error && (
          <div class="pad">
            <Bones lines={3} height={64} />
          </div>
        )}
        <ul class="lines">
          {data?.versions.map((each) => (
            <li key={each.id} class="version-line">
              <span class="version-number num">{each.version}</span>
              <span class="grow">
                <span class="row wrap" style={{ "--gap": "2px 8px" }}>
                  <a class="plain-link" href={to(`/models/${each.id}`)}>
                    {each.sentence ?? `Version ${each.version}`}
                  </a>
                  {each.champion && (
                    <Badge tone="good" icon="champion">
                      Champion
                    </Badge>
                  )}
                  {each.status !== "ready" && <State of={each.status} />}
                  {each.id === model.id && <Badge tone="accent">This one</Badge>}
                </span>
                <span class="small muted">
                  {each.dataset.name}, version {each.dataset_version} · {nameOf(each.owner)} · <Ago at={each.created_at} />
                </span>
              </span>
              {may_promote && each.status === "ready" && !each.champion && (
                <Button
                  small
                  icon="champion"
                  onClick={() => setAsking({ name: "models.promote", ref: each.id, title: `Make version ${each.version} the champion` })}
                >
                  Promote
                </Button>
              )}
            </li>
          ))}
        </ul>
      </Card>
      {data && data.promotions.length > 0 && (
        <Card title="How the champion changed" flush>
          <ul class="lines">
            {data.promotions.map((each) => (
              <li key={each.at} class="version-line">
                <span class="grow">
                  <span class="strong">
                    {each.kind === "rollback" ? "Rolled back to" : "Promoted"} version {each.version ?? "that was deleted since"}
                  </span>
                  <span class="small" style={{ display: "block" }}>
                    {each.reason}
                  </span>
                  <span class="small muted">
                    {nameOf(each.by)} · <Ago at={each.at} />
                  </span>
                </span>
              </li>
            ))}
          </ul>
        </Card>
      )}
      {model.status === "ready" && <Compare model={model} versions={ready} />}
      {asking && <Reason {...asking} onClose={() => setAsking(null)} />}
    </>
  );
}

function Reason({ name, ref, title, onClose }: { name: "models.promote" | "models.rollback"; ref: string; title: string; onClose: () => void }) {
  const [reason, setReason] = useState("");
  const [trouble, setTrouble] = useState("");
  const act = () =>
    call(name, { ref, reason: reason.trim() }).then(
      () => {
        invalidate((each) => each.startsWith("models."));
        toast({ tone: "good", title: "The champion was changed" });
        onClose();
      },
      (error: Failure) => setTrouble(error.message),
    );
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="main" disabled={!reason.trim()} onClick={act}>
            {name === "models.promote" ? "Promote" : "Roll back"}
          </Button>
        </>
      }
    >
      <div class="stack">
        <p>From now on predictions by name go to it. The reason is kept beside the change.</p>
        <Input label="Reason" value={reason} onInput={setReason} placeholder="Better on the latest quarter" error={trouble} />
      </div>
    </Dialog>
  );
}

function Compare({ model, versions }: { model: ModelRead; versions: ModelRead[] }) {
  const own = versions.filter((each) => each.id !== model.id);
  const listed = useCall<Page<ModelRead>>("models.list", { limit: 200 });
  const foreign = (listed.data?.items ?? []).filter((each) => each.status === "ready" && each.id !== model.id && !own.some((mine) => mine.id === each.id));
  const asked = place.value.query.get("against");
  const other = asked ?? own[0]?.id ?? "";
  const found = useCall<Comparison>(other ? "models.compare" : null, { ref: model.id, other });
  const options = [
    ...own.map((each) => ({ value: each.id, label: `Version ${each.version}`, note: "of this model" })),
    ...foreign.map((each) => ({ value: each.id, label: `${each.name}, version ${each.version}`, note: each.target ? `predicts ${each.target}` : undefined })),
  ];
  if (options.length === 0) return null;
  return (
    <Card title="Compare" note="With another version, or with any other model that you may see.">
      <Chooser
        label={`Version ${model.version} against`}
        value={other}
        options={options}
        placeholder="Choose a model"
        onChange={(value) => refine({ against: value })}
      />
      {!other && <p class="muted">Choose what to compare it with.</p>}
      {found.error && <Trouble error={found.error} again={found.reload} />}
      {other && !found.data && !found.error && <Bone height={180} />}
      {found.data && <Compared of={found.data} />}
    </Card>
  );
}

export function Compared({ of }: { of: Comparison }) {
  const [a, b] =
    of.a.name === of.b.name && of.a.owner.id === of.b.owner.id
      ? [`Version ${of.a.version}`, `Version ${of.b.version}`]
      : [of.a, of.b].map((each) => `${each.name}, version ${each.version}`);
  return (
    <div class="stack">
      <p class="strong">{of.sentence}</p>
      {!of.same_rows && <Notice tone="warn">They were scored on different rows, so small differences mean nothing.</Notice>}
      <table class="list-table pair">
        <thead>
          <tr>
            <th scope="col">Measure</th>
            <th scope="col" class="right">
              {a}
            </th>
            <th scope="col" class="right">
              {b}
            </th>
          </tr>
        </thead>
        <tbody>
          {of.scores.map((each) => (
            <tr key={each.name}>
              <th scope="row">
                {each.label}
                {each.apart && each.better && <Badge tone="accent">clearly apart</Badge>}
              </th>
              <td class={`right num ${each.better === "a" ? "strong" : ""}`}>{format.score(each.name, each.a)}</td>
              <td class={`right num ${each.better === "b" ? "strong" : ""}`}>{format.score(each.name, each.b)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {of.recipe.length > 0 && (
        <dl class="recipe">
          {of.recipe.map((each) => (
            <div key={each.name}>
              <dt>{each.name.charAt(0).toUpperCase() + each.name.slice(1)}</dt>
              <dd>
                {said(each.a, each.name)} against {said(each.b, each.name)}
              </dd>
            </div>
          ))}
        </dl>
      )}
      {(of.columns_only_a.length > 0 || of.columns_only_b.length > 0) && (
        <p class="small muted">
          {format.counted(of.columns_both, "column")} in both
          {of.columns_only_a.length > 0 && `; only in ${a}: ${format.listed(of.columns_only_a, 8)}`}
          {of.columns_only_b.length > 0 && `; only in ${b}: ${format.listed(of.columns_only_b, 8)}`}.
        </p>
      )}
    </div>
  );
}

/** A part of a recipe in words. */
function said(value: unknown, name: string): string {
  if (value === null || value === undefined) return name === "families" ? "every kind of model" : name === "trials" ? "as many as fit" : "nothing set";
  if (typeof value === "number") return name === "time budget" ? format.duration(value) : format.number(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.length ? format.listed(value.map((each) => FAMILIES[String(each)]?.name ?? String(each))) : "none";
  if (typeof value !== "object") return String(value);
  const parts = Object.entries(value as Record<string, unknown>).map(
    ([key, each]) => `${FAMILIES[key]?.name ?? key} ${typeof each === "object" ? JSON.stringify(each) : String(each)}`,
  );
  return parts.length ? format.listed(parts) : "none";
}
