// Models: every model one may see, the newest first.
import { useEffect, useState } from "preact/hooks";
import * as format from "../format";
import { PAGE, useMore } from "../pages_of";
import { useCall } from "../query";
import { place, refine, to } from "../router";
import type { ModelRead, Page as Listed } from "../schema";
import { may, nameOf } from "../session";
import { Button } from "../parts/button";
import { Input } from "../parts/field";
import { Ago, Badge, Bones, Empty, Face, State, Trouble } from "../parts/surface";
import { Head, Page } from "../shell/page";

export function Models() {
  const search = place.value.query.get("search") ?? "";
  const [text, setText] = useState(search);
  useEffect(() => {
    const timer = setTimeout(() => text !== search && refine({ search: text }), 200);
    return () => clearTimeout(timer);
  }, [text]);
  const listed = useCall<Listed<ModelRead>>("models.list", { search: search || null, limit: PAGE }, { keep: true });
  const more = useMore("models.list", listed.data, search);
  const items = [...(listed.data?.items ?? []), ...more.items];
  const none = listed.data && items.length === 0;
  return (
    <Page>
      <Head
        title="Models"
        lead="What your team has taught the machine, and how far to trust it."
        actions={
          may("model.train") && (
            <Button tone="main" icon="train" href={to("/train")}>
              Train a model
            </Button>
          )
        }
      />
      {listed.error && <Trouble error={listed.error} again={listed.reload} />}
      {(!none || search) && !listed.error && (
        <Input class="search-field" label="Search models" quiet search value={text} onInput={setText} placeholder="Search by name" />
      )}
      {!listed.data && !listed.error && <Bones lines={4} height={96} />}
      {none && (
        <div class="card">
          {search ? (
            <Empty icon="search" title={`Nothing is called “${search}”`} action={<Button onClick={() => setText("")}>Show all models</Button>} />
          ) : (
            <Empty
              icon="model"
              title="No model yet"
              action={
                may("model.train") && (
                  <Button tone="main" icon="train" href={to("/train")}>
                    Train the first one
                  </Button>
                )
              }
            >
              {may("model.train")
                ? "Pick a dataset and what to predict. The best model is found while you watch."
                : "As soon as someone shares a model with the team, it shows up here by itself."}
            </Empty>
          )}
        </div>
      )}
      <ul class="stack" style={{ "--gap": "12px" }}>
        {items.map((model) => (
          <li key={model.id}>
            <a class="model-card wide" href={to(`/models/${model.id}`)}>
              <div class="grow stack" style={{ "--gap": "6px" }}>
                <div class="row wrap" style={{ "--gap": "4px 10px" }}>
                  <span class="model-name clip">{model.name}</span>
                  {model.champion && (
                    <Badge tone="good" icon="champion">
                      Champion
                    </Badge>
                  )}
                  {model.status !== "ready" && <State of={model.status} />}
                </div>
                <p class={`model-sentence ${model.status === "failed" ? "bad-text" : ""}`}>
                  {model.status === "failed"
                    ? model.error
                    : format.answers(model.sentence) ||
                      (model.status === "training" ? `${format.counted(model.trials, "candidate")} tried so far` : "Waiting for a worker")}
                </p>
                <p class="small muted row wrap" style={{ "--gap": "4px 8px" }}>
                  <span>Version {model.version}</span>
                  <span class="wide-only" aria-hidden="true">
                    ·
                  </span>
                  <span class="clip meta-name">
                    {model.target && `Predicts ${model.target} `}
                    {model.target ? "from" : "From"} {model.dataset.name}
                  </span>
                  <span class="wide-only" aria-hidden="true">
                    ·
                  </span>
                  <span class="row" style={{ "--gap": "6px" }}>
                    <Face person={model.owner} size={24} />
                    {nameOf(model.owner)}
                  </span>
                  <span class="wide-only" aria-hidden="true">
                    ·
                  </span>
                  <Ago at={model.updated_at} />
                </p>
              </div>
            </a>
          </li>
        ))}
      </ul>
      {more.next && (
        <Button onClick={more.load} class="center">
          Show more
        </Button>
      )}
    </Page>
  );
}
