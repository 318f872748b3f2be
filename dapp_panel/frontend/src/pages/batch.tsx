// A whole file at once: a dataset that is there, or a new one; the answer becomes a dataset of its own.
import { useEffect, useMemo, useState } from "preact/hooks";
import { call } from "../calls";
import * as format from "../format";
import { motions } from "../live";
import { useCall } from "../query";
import { place, refine, to } from "../router";
import type { BatchPredictRead, BoardRead, ChartRequest, CheckRead, Column, DatasetRead, JobRead, ModelRead, RowsRead } from "../schema";
import { may } from "../session";
import { Chart } from "../charts/chart";
import { drawChart } from "../explore/draw";
import { Button } from "../parts/button";
import { Menu } from "../parts/dialog";
import { ChooseDataset } from "../parts/choose_dataset";
import { Drop, Sendings } from "../parts/drop";
import { Bone, Card, Notice, Progress, Trouble } from "../parts/surface";

/** A file that was dropped, and what was made from it; kept in the address, so that a reload or a link shows the same. */
interface DroppedFile {
  file: string;
  made?: string;
  job?: string;
}

// Files that came while this page was open are predicted by themselves; those of a link only when somebody says so.
const here = new Set<string>();

function readDropped(): DroppedFile[] {
  const entries = (place.value.query.get("dropped") ?? "").split(",").filter(Boolean);
  return entries.map((entry) => {
    const [file = "", made, job] = entry.split(".");
    return { file, made, job };
  });
}

function writeDropped(all: DroppedFile[]): void {
  refine({ dropped: all.map((each) => [each.file, each.made, each.job].filter(Boolean).join(".")).join(",") });
}

export function Batch({ model }: { model: ModelRead }) {
  const chosen = place.value.query.get("file") ?? "";
  const made = place.value.query.get("made");
  const job = place.value.query.get("job");
  const dataset = useCall<DatasetRead>(chosen ? "datasets.get" : null, { ref: chosen });
  const fit = useCall<CheckRead>(dataset.data?.status === "ready" ? "models.check" : null, { ref: model.id, dataset: chosen });
  const [trouble, setTrouble] = useState("");
  const dropped = readDropped();
  const start = () => {
    setTrouble("");
    return call<BatchPredictRead>("models.predict_batch", { ref: model.id, dataset: chosen }).then(
      (answer) => refine({ made: answer.dataset_id, job: answer.job_id }),
      (error: Error) => setTrouble(error.message),
    );
  };
  return (
    <>
      <Card title="Which rows?" note={`They need the columns that the model learned from${model.target ? `; ${model.target} may be missing` : ""}.`}>
        <div class="batch-ways">
          <ChooseDataset
            label="A dataset that is here"
            value={chosen}
            present={dataset.data}
            onChange={(value) => refine({ file: value, made: undefined, job: undefined })}
          />
          {may("dataset.create") && (
            <>
              <span class="or">or</span>
              <Drop
                compact
                onDone={(fresh) => {
                  here.add(fresh.id);
                  writeDropped([...readDropped().filter((each) => each.file !== fresh.id), { file: fresh.id }]);
                }}
              >
                Drop new files
              </Drop>
            </>
          )}
        </div>
        <Sendings />
        {dataset.error && <Trouble error={dataset.error} />}
        {dataset.data?.status === "processing" && (
          <Notice tone="accent" title={`${dataset.data.name} is being read`}>
            You can start as soon as it is ready.
          </Notice>
        )}
        {dataset.data?.status === "failed" && <Notice tone="bad" title={dataset.data.error ?? "The file could not be read."} />}
        {trouble && <Notice tone="bad">{trouble}</Notice>}
        {fit.error && <Trouble error={fit.error} />}
        {fit.data && <Fit of={fit.data} />}
        <div>
          <Button tone="main" icon="predict" disabled={dataset.data?.status !== "ready" || fit.data?.usable === false} onClick={start}>
            {dataset.data?.status === "ready" ? `Predict ${format.counted(dataset.data.rows, "row")}` : "Predict"}
          </Button>
        </div>
      </Card>
      {dropped.map((each) =>
        each.made ? <Outcome key={each.file} id={each.made} job={each.job ?? null} model={model} /> : <Dropped key={each.file} id={each.file} model={model} />,
      )}
      {made && <Outcome id={made} job={job} model={model} />}
    </>
  );
}

/** How the columns fit the model, said before it runs. */
function Fit({ of }: { of: CheckRead }) {
  const odd = of.missing.length + of.retyped.length > 0;
  return (
    <Notice tone={!of.usable ? "bad" : odd ? "warn" : "good"} title={of.sentence}>
      {of.usable && (
        <p>
          {format.counted(of.matched.length, "column")} of the model {of.matched.length === 1 ? "is" : "are"} there
          {of.new.length > 0 && `; ${format.listed(of.new, 5)} ${of.new.length === 1 ? "is" : "are"} not used`}.
        </p>
      )}
    </Notice>
  );
}

/** A file that was just dropped: predicted by itself as soon as it is read, unless its columns should be looked at first. */
function Dropped({ id, model }: { id: string; model: ModelRead }) {
  const dataset = useCall<DatasetRead>("datasets.get", { ref: id });
  const [trouble, setTrouble] = useState("");
  const [asked, setAsked] = useState(false);
  const ready = dataset.data?.status === "ready";
  const fit = useCall<CheckRead>(ready ? "models.check" : null, { ref: model.id, dataset: id });
  const fits = fit.data && fit.data.usable && fit.data.missing.length + fit.data.retyped.length === 0;
  const start = () => {
    setAsked(true);
    return call<BatchPredictRead>("models.predict_batch", { ref: model.id, dataset: id }).then(
      (made) => writeDropped(readDropped().map((each) => (each.file === id ? { file: id, made: made.dataset_id, job: made.job_id } : each))),
      (error: Error) => setTrouble(error.message),
    );
  };
  useEffect(() => {
    if (fits && !asked && here.has(id)) void start();
  }, [fits, asked]);
  return (
    <Card title={dataset.data?.name ?? "A new file"}>
      {dataset.error && <Trouble error={dataset.error} />}
      {dataset.data?.status === "failed" && <Notice tone="bad" title={dataset.data.error ?? "The file could not be read."} />}
      {trouble && <Notice tone="bad">{trouble}</Notice>}
      {fit.error && <Trouble error={fit.error} again={fit.reload} />}
      {fit.data && !asked && !fits && <Fit of={fit.data} />}
      {fit.data?.usable && !asked && (!fits || !here.has(id)) && (
        <div>
          <Button icon="predict" onClick={start}>
            {fits ? `Predict ${format.counted(dataset.data?.rows, "row")}` : "Predict all the same"}
          </Button>
        </div>
      )}
      {!trouble && dataset.data?.status !== "failed" && (asked || !fit.data) && !fit.error && (
        <p class="muted">{ready ? "Asking for predictions" : "It is being read; its rows are predicted as soon as it is ready."}</p>
      )}
    </Card>
  );
}

function Outcome({ id, job, model }: { id: string; job: string | null; model: ModelRead }) {
  const dataset = useCall<DatasetRead>("datasets.get", { ref: id });
  const work = useCall<JobRead>(job ? "jobs.get" : null, { ref: job ?? "" });
  const motion = job ? motions.value.get(job) : undefined;
  const failed = dataset.data?.status === "failed" || work.data?.status === "failed" || work.data?.status === "dead";
  const ready = dataset.data?.status === "ready";
  return (
    <Card
      title={dataset.data?.name ?? "Predictions"}
      note={ready ? `${format.counted(dataset.data?.rows, "row")}, with the answers of ${model.name} beside them` : undefined}
      action={
        ready &&
        may("dataset.export", dataset.data) && (
          <Menu
            label="Download"
            icon="download"
            tone="main"
            items={["csv", "xlsx", "parquet"].map((kind) => ({
              label: { csv: "CSV", xlsx: "Excel", parquet: "Parquet" }[kind] as string,
              icon: "download" as const,
              href: `/download/${id}?format=${kind}`,
              download: true,
            }))}
          >
            Download
          </Menu>
        )
      }
    >
      {dataset.error && <Trouble error={dataset.error} again={dataset.reload} />}
      {failed && <Notice tone="bad" title={work.data?.error ?? dataset.data?.error ?? "The prediction could not be made."} />}
      {!ready && !failed && !dataset.error && (
        <div class="stack" style={{ "--gap": "8px" }}>
          <Progress value={motion?.progress ?? work.data?.progress ?? 0} label="Predicting" />
          <p class="muted">{motion?.message || work.data?.message || "Waiting for a worker"}</p>
        </div>
      )}
      {ready && dataset.data && <Spread dataset={dataset.data} />}
      {ready && dataset.data && <Peek dataset={dataset.data} />}
      {ready && (
        <div>
          <Button icon="table" href={to(`/datasets/${id}/rows`)}>
            See all rows
          </Button>
        </div>
      )}
    </Card>
  );
}

function shown(column: Column | undefined, value: unknown): string {
  if (column?.name.startsWith("probability") && typeof value === "number") return format.percent(value);
  return format.cell(value, column?.kind);
}

/** How the answers are spread over all rows. */
function Spread({ dataset }: { dataset: DatasetRead }) {
  const column = dataset.schema.find((each) => each.name === "prediction");
  const number = column?.kind === "decimal" || column?.kind === "integer";
  const chart: ChartRequest = { shape: number ? "histogram" : "bar", x: "prediction", bins: 30 };
  const board = useCall<BoardRead>(column ? "explore.board" : null, { ref: dataset.id, version: dataset.version, charts: [chart], figures: [], filters: [] });
  const answer = board.data?.charts[0];
  const drawn = useMemo(() => (answer ? drawChart(chart, answer, () => undefined) : null), [answer]);
  if (!drawn || drawn.empty) return null;
  return (
    <Chart
      of={drawn}
      build={drawn.build}
      label="How the predictions are spread"
      height={number ? 220 : 60 + 36 * Math.min(20, drawn.numbers().rows.length)}
      still
      numbers={drawn.numbers}
    />
  );
}

/** The first rows, the answers first. */
function Peek({ dataset }: { dataset: DatasetRead }) {
  const answers = dataset.schema.filter((each) => each.name === "prediction" || each.name.startsWith("probability"));
  const others = dataset.schema.filter((each) => !answers.includes(each)).slice(0, 5);
  const columns = [...answers.slice(0, 4), ...others];
  const rows = useCall<RowsRead>("datasets.rows", { ref: dataset.id, version: dataset.version, columns: columns.map((each) => each.name), limit: 8 });
  if (rows.error) return <Trouble error={rows.error} />;
  if (!rows.data) return <Bone height={220} />;
  return (
    <div class="numbers-scroll" tabIndex={0} role="region" aria-label="First rows">
      <table class="plain-table">
        <thead>
          <tr>
            {rows.data.columns.map((each) => (
              <th key={each.name} scope="col">
                {format.named(each.name, each.unit)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.data.rows.map((row, index) => (
            <tr key={index}>
              {row.map((value, at) => (
                <td key={at} class={`num ${at < answers.length ? "strong" : ""}`}>
                  {shown(rows.data?.columns[at], value)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
