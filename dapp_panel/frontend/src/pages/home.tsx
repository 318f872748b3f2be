// Home: what goes on now, what came of it, what to do next.
import * as format from "../format";
import { moving } from "../live";
import { useCall } from "../query";
import { to } from "../router";
import type { DatasetRead, HomeRead, JobRead, ModelRead } from "../schema";
import { account, may, nameOf } from "../session";
import { jobWords } from "../words";
import { Button } from "../parts/button";
import { Drop, Sendings } from "../parts/drop";
import { Icon } from "../parts/icon";
import { Ago, Badge, Bones, Card, Empty, Progress, State, Trouble } from "../parts/surface";
import { Head, Page } from "../shell/page";
import { Feed } from "./activity";
import { Executive, InsightCards } from "./executive";

export function Home() {
  const home = useCall<HomeRead>("home");
  const data = home.data;
  return (
    <Page>
      <Head
        title={greeting()}
        lead={data ? summary(data) : "One moment…"}
        actions={
          may("model.train") && data && data.datasets.length > 0 ? (
            <Button tone="main" icon="train" href={to("/train")}>
              Train a model
            </Button>
          ) : undefined
        }
      />
      {home.error && <Trouble error={home.error} again={home.reload} />}
      {!data && !home.error && <Bones lines={3} height={120} />}
      {data && may("dataset.create") && <Needs data={data} />}
      {data &&
        (data.datasets.length === 0 && data.models.length === 0 && data.insights.length === 0 ? (
          <Beginning />
        ) : may("dataset.create") ? (
          <Overview data={data} />
        ) : (
          <Executive data={data} />
        ))}
    </Page>
  );
}

/** What waits for a decision: what failed, and models whose watch has found something. */
function Needs({ data }: { data: HomeRead }) {
  const failed = data.needs.datasets;
  const broken = data.needs.models.filter((each) => each.status === "failed");
  const alerted = data.needs.models.filter((each) => each.alert);
  const doubtful = data.needs.models.filter((each) => each.concern && !each.alert && each.status !== "failed");
  if (failed.length + broken.length + alerted.length + doubtful.length === 0) return null;
  return (
    <Card title="Needs a decision" flush>
      <ul class="lines">
        {alerted.map((each) => (
          <Need
            key={each.id}
            icon="gauge"
            href={to(`/models/${each.id}/monitoring`)}
            title={`${each.name}: predictions are not what they were`}
            words="Look at what changed, then train again or wait."
          />
        ))}
        {doubtful.map((each) => (
          <Need key={each.id} icon="warn" href={to(`/models/${each.id}/evidence`)} title={`${each.name}: do not rely on it yet`} words={each.concern ?? ""} />
        ))}
        {failed.map((each) => (
          <Need
            key={each.id}
            icon="alert"
            href={to(`/datasets/${each.id}`)}
            title={`${each.name} could not be read`}
            words={each.error ?? "Its page says why."}
          />
        ))}
        {broken.map((each) => (
          <Need
            key={each.id}
            icon="alert"
            href={to(`/models/${each.id}`)}
            title={`${each.name} could not be trained`}
            words={each.error ?? "Its page says why."}
          />
        ))}
      </ul>
    </Card>
  );
}

function Need({ icon, href, title, words }: { icon: "alert" | "gauge" | "warn"; href: string; title: string; words: string }) {
  return (
    <li>
      <a class="line" href={href}>
        <span class="line-sign failed">
          <Icon name={icon} size={18} />
        </span>
        <span class="grow">
          <span class="strong clip" style={{ display: "block" }}>
            {title}
          </span>
          <span class="small muted clip" style={{ display: "block" }}>
            {words}
          </span>
        </span>
        <Icon name="next" size={18} />
      </a>
    </li>
  );
}

function greeting(): string {
  const hour = new Date().getHours();
  const words = hour < 5 ? "Good evening" : hour < 12 ? "Good morning" : hour < 18 ? "Good afternoon" : "Good evening";
  const name = nameOf(account.value).split(" ")[0] ?? "";
  return name && name !== "Owner" ? `${words}, ${name}` : words;
}

function summary(data: HomeRead): string {
  if (data.datasets.length === 0) return "This is your team's workspace. It is still empty.";
  const waits = data.jobs.filter((job) => job.status === "queued").length;
  const runs = data.jobs.length - waits;
  const running = runs ? `${format.counted(runs, "job is", "jobs are")} running` : "Nothing is running right now";
  const busy = waits ? `${running}, ${format.counted(waits, "waits", "wait")} for a worker` : running;
  const needed = may("dataset.create") ? data.needs.datasets.length + data.needs.models.length : 0;
  return needed ? `${busy}, and ${format.counted(needed, "thing needs", "things need")} a decision.` : `${busy}.`;
}

const BEGINNING: [string, string][] = [
  ["Drop a file", "CSV, Excel, Parquet or JSON. It is read, checked and sealed."],
  ["See what is in it", "Every column in one picture, and what is wrong with it in plain words."],
  ["Press Train", "Pick what to predict. The best model is found while you watch."],
  ["Decide", "One honest sentence about the result, then predictions for one case or a whole file."],
];

/** For who looks at what others bring. */
const WATCHING: [string, string][] = [
  ["See the data", "Every column in one picture, what is wrong with it in plain words, and charts that filter each other."],
  ["Read the result", "One honest sentence about each model, with how far to trust it."],
  ["Ask about a case", "Fill in what you know, and read what the model expects and why."],
  ["Be told", "The bell says when something is shared with you, is ready, or changes."],
];

function Beginning() {
  const steps: [string, string][] = may("dataset.create") ? BEGINNING : WATCHING;
  return (
    <>
      {may("dataset.create") ? (
        <>
          <Drop whole>{matchMedia("(pointer: fine)").matches ? "Drop your first file here" : "Choose your first file"}</Drop>
          <Sendings />
        </>
      ) : (
        <Card>
          <Empty icon="data" title="Nothing is shared with you yet">
            As soon as someone on your team shares a dataset or a model, it shows up here by itself.
          </Empty>
        </Card>
      )}
      <ol class="steps">
        {steps.map(([title, words], index) => (
          <li key={title}>
            <span class="step-number">{index + 1}</span>
            <h3>{title}</h3>
            <p>{words}</p>
          </li>
        ))}
      </ol>
    </>
  );
}

function Overview({ data }: { data: HomeRead }) {
  const trained = data.models.filter((model) => model.status === "ready" || model.status === "failed");
  return (
    <>
      {data.jobs.length > 0 && (
        <Card title="Running now">
          <ul class="stack" style={{ "--gap": "14px" }}>
            {data.jobs.map((job) => (
              <Running key={job.id} job={job} />
            ))}
          </ul>
        </Card>
      )}
      <div class="home-grid">
        <div class="stack" style={{ "--gap": "24px" }}>
          <section class="stack" style={{ "--gap": "12px" }}>
            <div class="row">
              <h2 class="grow">Latest results</h2>
              <a class="more-link" href={to("/models")}>
                All models
              </a>
            </div>
            {trained.length > 0 ? (
              <div class="model-cards">
                {trained.slice(0, 4).map((model) => (
                  <ModelCard key={model.id} model={model} />
                ))}
              </div>
            ) : (
              <Card>
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
                  Pick a dataset and what to predict; half a minute is enough for a first answer.
                </Empty>
              </Card>
            )}
          </section>
          {data.insights.length > 0 && (
            <section class="stack" style={{ "--gap": "12px" }}>
              <h2>From notebooks</h2>
              <InsightCards insights={data.insights.slice(0, 4)} />
            </section>
          )}
          <section class="stack" style={{ "--gap": "12px" }}>
            <div class="row">
              <h2 class="grow">Latest data</h2>
              <a class="more-link" href={to("/datasets")}>
                All data
              </a>
            </div>
            <div class="card flush">
              <ul class="lines">
                {data.datasets.map((dataset) => (
                  <DatasetLine key={dataset.id} dataset={dataset} />
                ))}
              </ul>
            </div>
          </section>
        </div>
        <Card title="Team activity" class="home-feed">
          <Feed events={data.activity.slice(0, 14)} />
        </Card>
      </div>
    </>
  );
}

export function Running({ job }: { job: JobRead }) {
  const now = moving(job);
  const href = to(
    job.kind === "ingest" || job.kind === "fix"
      ? `/datasets/${job.subject.id}`
      : job.kind === "train"
        ? `/models/${job.subject.id}`
        : `/models/${job.subject.id}/predict`,
  );
  return (
    <li class="running">
      <span class="running-sign">
        <Icon name={job.kind === "ingest" || job.kind === "fix" ? "data" : job.kind === "train" ? "train" : "predict"} size={18} />
      </span>
      <div class="grow stack" style={{ "--gap": "6px" }}>
        <div class="row wrap" style={{ "--gap": "4px 10px" }}>
          <a class="plain-link strong clip" href={href}>
            {jobWords(job)}
          </a>
          <span class="small muted end num">{now.status === "queued" ? "Waiting for a worker" : `${Math.round(now.progress * 100)}%`}</span>
        </div>
        <Progress value={now.progress} label={jobWords(job)} />
        <p class="small muted clip">
          {now.message || "Starting"} · {nameOf(job.owner)}
        </p>
      </div>
    </li>
  );
}

export function ModelCard({ model }: { model: ModelRead }) {
  return (
    <a class="model-card" href={to(`/models/${model.id}`)}>
      <div class="row" style={{ "--gap": "8px" }}>
        <span class="strong clip grow">{model.name}</span>
        {model.status !== "ready" && <State of={model.status} />}
      </div>
      <p class={`model-sentence ${model.status === "failed" ? "bad-text" : ""}`}>
        {model.status === "failed"
          ? model.error
          : format.answers(model.sentence) ||
            (model.status === "training" ? `${format.counted(model.trials, "candidate")} tried so far` : "Waiting for a worker")}
      </p>
      <p class="small muted clip">
        {model.version > 1 ? `Version ${model.version} · ` : ""}
        {model.target ? `Predicts ${model.target} · ` : ""}
        {model.dataset.name} · <Ago at={model.updated_at} />
      </p>
    </a>
  );
}

function DatasetLine({ dataset }: { dataset: DatasetRead }) {
  return (
    <li>
      <a class="line" href={to(`/datasets/${dataset.id}`)}>
        <span class="line-sign">
          <Icon name="file" size={18} />
        </span>
        <span class="grow">
          <span class="strong clip" style={{ display: "block" }}>
            {dataset.name}
          </span>
          <span class="small muted clip" style={{ display: "block" }}>
            {dataset.status === "ready" ? `${format.counted(dataset.rows, "row")}, ${format.counted(dataset.column_count, "column")} · ` : ""}
            {nameOf(dataset.owner)} · <Ago at={dataset.created_at} />
          </span>
        </span>
        {dataset.status !== "ready" && <State of={dataset.status} />}
        {dataset.visibility === "private" && (
          <Badge icon="lock">
            <span class="wide-only">Private</span>
          </Badge>
        )}
      </a>
    </li>
  );
}
