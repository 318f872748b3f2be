// The versions of a dataset: how each came to be, what changed between two, and the way back.
import { useState } from "preact/hooks";
import { type Failure, call } from "../calls";
import * as format from "../format";
import { takeBack } from "../fixing";
import { invalidate, useCall } from "../query";
import { place, refine, to } from "../router";
import type { ColumnComparison, DatasetRead, Dependents, Page, VersionComparison, VersionRead } from "../schema";
import { may, nameOf } from "../session";
import { ReadAgain } from "./read_again";
import { Button } from "../parts/button";
import { ask } from "../parts/dialog";
import { Select } from "../parts/field";
import { KindIcon } from "../parts/icon";
import { Ago, Badge, Bone, Bones, Card, Empty, State, Trouble } from "../parts/surface";
import { toast } from "../parts/toasts";

export function Versions({ dataset }: { dataset: DatasetRead }) {
  const listed = useCall<Page<VersionRead>>("datasets.versions", { ref: dataset.id });
  const [again, setAgain] = useState(false);
  const items = listed.data?.items ?? [];
  const ready = items.filter((each) => each.status === "ready");
  return (
    <>
      <Card
        title="Versions"
        note="Nothing is overwritten: each change makes a version, and every one can come back."
        flush
        action={
          may("dataset.version", dataset) &&
          items.some((each) => each.has_original) && (
            <Button icon="again" onClick={() => setAgain(true)}>
              Read the file again
            </Button>
          )
        }
      >
        {again && <ReadAgain dataset={dataset} onClose={() => setAgain(false)} />}
        {listed.error && <Trouble error={listed.error} again={listed.reload} />}
        {!listed.data && !listed.error && (
          <div class="pad">
            <Bones lines={3} height={56} />
          </div>
        )}
        <ul class="lines">
          {items.map((each) => (
            <Line key={each.version} dataset={dataset} version={each} />
          ))}
        </ul>
      </Card>
      {ready.length > 1 && <Compare dataset={dataset} versions={ready} />}
    </>
  );
}

/** Make an older version the latest; the way back is offered at once. */
export function restore(dataset: DatasetRead, version: number, words: string): Promise<unknown> {
  const before = dataset.latest;
  return call<DatasetRead>("datasets.restore", { ref: dataset.id, version }).then(
    () => {
      invalidate((name, params) => params.ref === dataset.id || name === "datasets.list");
      toast({ tone: "good", title: words, act: { words: "Undo", run: () => void restore(dataset, before, `Version ${before} is back`) } });
    },
    (error: Failure) => toast({ tone: "bad", title: error.message }),
  );
}

/** Delete one version, after saying what comes from it. */
async function remove(dataset: DatasetRead, version: number): Promise<void> {
  const after = await call<Dependents>("datasets.dependents", { ref: dataset.id, version }).catch(() => null);
  const made = (after?.models.length ?? 0) + (after?.predictions.length ?? 0) + (after?.unseen ?? 0);
  const later = after?.later ?? [];
  const words = [
    `It is removed for everyone, with the key of its data; ${format.bytes(after?.bytes ?? 0)} are erased.`,
    later.length ? `${later.length === 1 ? "Version" : "Versions"} ${later.join(", ")} came from it and ${later.length === 1 ? "stays" : "stay"}.` : "",
    made
      ? `${format.counted(made, "model or dataset that was", "models or datasets that were")} made from it ${made === 1 ? "stays" : "stay"}.`
      : "Nothing else was made from it.",
    "This cannot be undone.",
  ];
  ask({
    title: `Delete version ${version}?`,
    words: words.filter(Boolean).join(" "),
    yes: "Delete",
    danger: true,
    act: () =>
      call("datasets.delete_version", { ref: dataset.id, version }).then(() => {
        invalidate((_, params) => params.ref === dataset.id);
        toast({ title: `Version ${version} was deleted` });
      }),
  });
}

function Line({ dataset, version }: { dataset: DatasetRead; version: VersionRead }) {
  const back = () =>
    ask({
      title: `Bring version ${version.version} back?`,
      words: `It becomes the latest version that everybody sees. The present one stays in the list and can come back in the same way.`,
      yes: "Bring it back",
      act: () => restore(dataset, version.version, `Version ${version.version} is the latest again`),
    });
  return (
    <li class="version-line">
      <span class="version-number num">{version.version}</span>
      <span class="grow">
        <span class="row wrap" style={{ "--gap": "2px 8px" }}>
          <span class="strong">{version.sentence}</span>
          {version.latest && <Badge tone="good">Latest</Badge>}
          {version.status !== "ready" && <State of={version.status} />}
        </span>
        <span class="small muted">
          {version.rows !== null && `${format.counted(version.rows, "row")}, ${format.counted(version.column_count, "column")} · `}
          {version.by ? `${nameOf(version.by)} · ` : ""}
          <Ago at={version.created_at} />
        </span>
        {version.error && <span class="small bad-text">{version.error}</span>}
      </span>
      {version.status === "ready" && (
        <Button small href={to(`/explore/${dataset.id}`, { version: String(version.version) })}>
          Explore
        </Button>
      )}
      {version.latest && version.origin === "fix" && may("dataset.version", dataset) && (
        <Button small icon="history" onClick={() => takeBack(dataset.id)}>
          Undo
        </Button>
      )}
      {!version.latest && version.status === "ready" && may("dataset.version", dataset) && (
        <Button small icon="history" onClick={back}>
          Bring back
        </Button>
      )}
      {!version.latest && version.status !== "processing" && may("dataset.delete", dataset) && (
        <Button small tone="ghost" icon="remove" label={`Delete version ${version.version}`} onClick={() => void remove(dataset, version.version)} />
      )}
    </li>
  );
}

function Compare({ dataset, versions }: { dataset: DatasetRead; versions: VersionRead[] }) {
  const numbers = versions.map((each) => each.version).sort((a, b) => a - b);
  const query = place.value.query;
  const [from, to] = [Number(query.get("from")), Number(query.get("to"))];
  const b = numbers.includes(to) ? to : (numbers.at(-1) as number);
  const a = numbers.includes(from) ? from : (numbers.at(-2) as number);
  const found = useCall<VersionComparison>(a !== b ? "datasets.compare" : null, { ref: dataset.id, a, b });
  const [all, setAll] = useState(false);
  const choices = numbers.map((each): [string, string] => [String(each), `Version ${each}`]);
  const changed = found.data?.columns.filter((each) => each.change !== "same") ?? [];
  return (
    <Card title="What changed">
      <div class="row wrap">
        <Select label="From" value={String(a)} choices={choices} onChange={(value) => refine({ from: value })} />
        <Select label="To" value={String(b)} choices={choices} onChange={(value) => refine({ to: value })} />
      </div>
      {found.error && <Trouble error={found.error} again={found.reload} />}
      {a === b && <Empty icon="compare" title="Choose two different versions" />}
      {a !== b && !found.data && !found.error && <Bone height={160} />}
      {found.data && (
        <>
          <ul class="sentences">
            {found.data.sentences.map((each) => (
              <li key={each}>{each}</li>
            ))}
          </ul>
          {changed.length === 0 && <p class="muted">No column differs.</p>}
          <ul class="lines inset">
            {(all ? changed : changed.slice(0, 12)).map((each) => (
              <Changed key={each.name} of={each} />
            ))}
          </ul>
          {changed.length > 12 && (
            <button type="button" class="link-button" onClick={() => setAll(!all)}>
              {all ? "Show fewer" : `Show ${changed.length - 12} more`}
            </button>
          )}
        </>
      )}
    </Card>
  );
}

const CHANGES: Record<ColumnComparison["change"], string> = { same: "Same", added: "New", removed: "Gone", changed: "Changed" };

function Changed({ of }: { of: ColumnComparison }) {
  return (
    <li class="version-line">
      <KindIcon kind={of.kind_after ?? of.kind_before ?? "text"} />
      <span class="grow">
        <span class="row wrap" style={{ "--gap": "2px 8px" }}>
          <span class="strong">{of.name}</span>
          <Badge tone={of.change === "removed" ? "bad" : of.change === "added" ? "good" : "accent"}>{CHANGES[of.change]}</Badge>
        </span>
        {of.sentences.map((each) => (
          <span class="small muted" key={each} style={{ display: "block" }}>
            {each}
          </span>
        ))}
      </span>
      {of.distribution && <Beside before={of.distribution.before} after={of.distribution.after} label={`${of.name} before and after`} />}
    </li>
  );
}

/** Two distributions on one ground: the shape before as an outline, the one after filled. */
export function Beside({ before, after, label }: { before: number[]; after: number[]; label: string }) {
  const share = (counts: number[]) => {
    const sum = counts.reduce((total, each) => total + each, 0) || 1;
    return counts.map((each) => each / sum);
  };
  const [a, b] = [share(before), share(after)];
  const most = Math.max(...a, ...b, 1e-9);
  return (
    <svg class="beside" viewBox={`0 0 ${Math.max(a.length, b.length) * 10} 40`} preserveAspectRatio="none" role="img" aria-label={label}>
      {b.map((each, at) => (
        <rect key={at} class="after" x={at * 10 + 1} width={8} y={40 - (each / most) * 38} height={(each / most) * 38} />
      ))}
      {a.map((each, at) => (
        <rect key={`b${at}`} class="before" x={at * 10 + 1} width={8} y={40 - (each / most) * 38} height={Math.max(0.5, (each / most) * 38)} />
      ))}
    </svg>
  );
}
