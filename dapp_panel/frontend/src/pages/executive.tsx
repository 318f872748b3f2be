// The executive view: a card for each shared result, chart and insight, readable on a phone in one glance.
import { useState } from "preact/hooks";
import * as format from "../format";
import { useCall } from "../query";
import { to } from "../router";
import type { HomeRead, InsightRead, ModelRead, Score, TableRead } from "../schema";
import { may, nameOf } from "../session";
import { Button } from "../parts/button";
import { discard } from "../parts/deleting";
import { Dialog, ask } from "../parts/dialog";
import { Icon } from "../parts/icon";
import { Ago, Badge, Bones, Card, Empty, Trouble } from "../parts/surface";
import { ShareLinks } from "../sharing/links";

export function Executive({ data }: { data: HomeRead }) {
  const trained = newest(data.models.filter((each) => each.status === "ready"));
  return (
    <>
      {trained.length === 0 && data.insights.length === 0 && (
        <Card>
          <Empty icon="model" title="No result is shared yet">
            As soon as someone shares one with the team, it shows up here by itself.
          </Empty>
        </Card>
      )}
      <div class="executive">
        {trained.map(({ model, before }) => (
          <ResultCard key={model.id} model={model} before={before} />
        ))}
      </div>
      {data.insights.length > 0 && (
        <section class="stack" style={{ "--gap": "12px" }}>
          <h2>Charts and tables</h2>
          <InsightCards insights={data.insights} />
        </section>
      )}
    </>
  );
}

/** Of each name the champion, else the newest version, with the version before it. */
function newest(models: ModelRead[]): { model: ModelRead; before: ModelRead | undefined }[] {
  const names = new Map<string, ModelRead[]>();
  for (const each of models) names.set(each.name, [...(names.get(each.name) ?? []), each]);
  return [...names.values()].map((versions) => {
    const sorted = [...versions].sort((a, b) => b.version - a.version);
    const model = sorted.find((each) => each.champion) ?? (sorted[0] as ModelRead);
    return { model, before: sorted.find((each) => each.version < model.version) };
  });
}

/** Scores in words that need no explanation. */
const PLAIN: Record<string, string> = { accuracy: "Right", mae: "Typically off by this much" };

/** Whether a score is better than guessing by more than chance. */
function tells(score: Score | null | undefined): boolean {
  return score != null && (score.greater_is_better ? score.low > score.baseline : score.high < score.baseline);
}

/** The plain score; where that says no more than guessing does, as with rare answers, the one that was searched by, if it says more. */
function headline(model: ModelRead): Score | null | undefined {
  const plain = model.plain_score ?? model.score;
  return !tells(plain) && tells(model.score) ? model.score : plain;
}

function ResultCard({ model, before }: { model: ModelRead; before: ModelRead | undefined }) {
  const score = headline(model);
  return (
    <a class="result-card" href={to(`/models/${model.id}`)}>
      <span class="row" style={{ "--gap": "8px" }}>
        <span class="strong clip grow">{model.name}</span>
        {model.champion && (
          <Badge tone="good" icon="champion">
            Champion
          </Badge>
        )}
      </span>
      <span class="result-sentence">{format.answers(model.sentence)}</span>
      {score && (
        <span class={`result-figure${tells(score) ? "" : " untold"}`}>
          <b class="num">{format.score(score.name, score.value, model.unit)}</b>
          <span class="small muted">
            {PLAIN[score.name] ?? score.label}, between {format.score(score.name, score.low, model.unit)} and {format.score(score.name, score.high, model.unit)}
            ; guessing {format.score(score.name, score.baseline, model.unit)}
          </span>
        </span>
      )}
      <span class="small muted">
        {changed(model, before)} <Ago at={model.updated_at} />
      </span>
    </a>
  );
}

function changed(model: ModelRead, before: ModelRead | undefined): string {
  const now = headline(model);
  const then = now?.name === before?.score?.name ? before?.score : before?.plain_score;
  if (!before || !then || !now || then.name !== now.name) return model.version > 1 ? `Version ${model.version} ·` : "First version ·";
  const better = now.greater_is_better ? now.value - then.value : then.value - now.value;
  const apart = now.low > then.high || now.high < then.low;
  const words = !apart ? "about as good as" : better > 0 ? "better than" : "worse than";
  return `Version ${model.version}, ${words} version ${before.version} (${format.score(then.name, then.value, model.unit)}) ·`;
}

export function InsightCards({ insights }: { insights: InsightRead[] }) {
  const [shown, show] = useState<InsightRead | null>(null);
  return (
    <>
      <ul class="insights">
        {insights.map((each) => (
          <li key={each.id}>
            <button type="button" class="insight" onClick={() => show(each)}>
              {each.has_picture ? (
                <img src={`/download/insights/${each.id}`} alt="" loading="lazy" width={each.width ?? 400} height={each.height ?? 260} />
              ) : (
                <span class="insight-table">
                  <Icon name="table" size={34} />
                </span>
              )}
              <span class="strong clip">{each.title}</span>
              <span class="small muted clip">
                {nameOf(each.owner)} · <Ago at={each.updated_at} />
              </span>
            </button>
          </li>
        ))}
      </ul>
      {shown && <Insight of={shown} onClose={() => show(null)} />}
    </>
  );
}

function Insight({ of, onClose }: { of: InsightRead; onClose: () => void }) {
  const about = of.model
    ? { label: of.model.name, href: to(`/models/${of.model.id}`) }
    : of.dataset
      ? { label: of.dataset.name, href: to(`/datasets/${of.dataset.id}`) }
      : null;
  const [linking, setLinking] = useState(false);
  if (linking) return <ShareLinks of={{ insight: of.id }} onClose={onClose} />;
  const remove = () => {
    onClose();
    ask({
      title: `Take ${of.title} down?`,
      words: "It is removed for everyone, and links to it open nothing. You can bring it back within a day.",
      yes: "Take it down",
      danger: true,
      act: () => discard("insight", of.id),
    });
  };
  return (
    <Dialog
      title={of.title}
      onClose={onClose}
      actions={
        <>
          {may("insight.delete", of) && (
            <Button icon="remove" onClick={remove}>
              Take it down
            </Button>
          )}
          {may("share.create") && (
            <Button icon="link" onClick={() => setLinking(true)}>
              Link
            </Button>
          )}
          {of.has_picture && (
            <Button icon="download" href={`/download/insights/${of.id}?download`} download>
              Picture
            </Button>
          )}
          <Button tone="main" onClick={onClose}>
            Close
          </Button>
        </>
      }
    >
      <div class="stack">
        {of.note && <p>{of.note}</p>}
        {of.has_picture && (
          <img class="insight-whole" src={`/download/insights/${of.id}`} alt={of.note ?? of.title} width={of.width ?? 640} height={of.height ?? 420} />
        )}
        {of.has_table && <Table id={of.id} />}
        <p class="small muted">
          {nameOf(of.owner)} · <Ago at={of.updated_at} />
          {about && (
            <>
              {" "}
              · about{" "}
              <a href={about.href} onClick={onClose}>
                {about.label}
              </a>
              {of.dataset_version ? `, version ${of.dataset_version}` : ""}
            </>
          )}
        </p>
      </div>
    </Dialog>
  );
}

function Table({ id }: { id: string }) {
  const found = useCall<TableRead>("insights.table", { ref: id });
  if (found.error) return <Trouble error={found.error} again={found.reload} />;
  if (!found.data) return <Bones lines={4} height={32} />;
  return (
    <div class="numbers-scroll" tabIndex={0} role="region" aria-label="Table">
      <table class="plain-table">
        <thead>
          <tr>
            {found.data.columns.map((each) => (
              <th key={each} scope="col">
                {each}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {found.data.rows.slice(0, 200).map((row, index) => (
            <tr key={index}>
              {row.map((value, at) => (
                <td key={at} class="num">
                  {format.cell(value)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
