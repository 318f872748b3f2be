// Train: choose what to predict, say how long to look, start. What is left alone is chosen and said in the result.
import { useEffect, useMemo, useState } from "preact/hooks";
import { call } from "../calls";
import * as format from "../format";
import { learn, useCall } from "../query";
import { go, place, refine, to } from "../router";
import type { ColumnProfile, DatasetRead, Fix, ModelRead, Page as Listed, Profile, TrainRequest } from "../schema";
import { may } from "../session";
import { FAMILIES, TASKS, bySeverity } from "../words";
import { Bars, Distribution } from "../charts/small";
import { Button, Segmented } from "../parts/button";
import { ChooseDataset } from "../parts/choose_dataset";
import { Drop, Sendings } from "../parts/drop";
import { Check, Chooser, Input, Select } from "../parts/field";
import { Icon } from "../parts/icon";
import { Badge, Bones, Card, Empty, Notice, Trouble } from "../parts/surface";
import { Head, Page } from "../shell/page";
import { Advice, type Wish, useAdvice } from "./advice";
import { TrainMany } from "./train_many";

type Budget = "quick" | "standard" | "thorough" | "own";
const SECONDS: Record<Exclude<Budget, "own">, number> = { quick: 30, standard: 300, thorough: 3600 };
type Task = NonNullable<TrainRequest["task"]>;
type Way = NonNullable<TrainRequest["validation"]>;
const WAYS: Way[] = ["random", "stratified", "group", "time"];

/** What the link says of a choice. */
function linked(name: string): string {
  return place.value.query.get(name) ?? "";
}

function oneOf<T extends string>(known: readonly T[], text: string): T | undefined {
  return known.find((each) => each === text);
}

function excludedAsked(): string[] {
  try {
    const found = JSON.parse(linked("exclude") || "[]") as unknown;
    return Array.isArray(found) ? found.filter((each): each is string => typeof each === "string") : [];
  } catch {
    return [];
  }
}

export function Train() {
  const listed = useCall<Listed<DatasetRead>>("datasets.list", { search: null, limit: 100 });
  const ready = (listed.data?.items ?? []).filter((each) => each.status === "ready" && may("model.train", each));
  const [many, setMany] = useState(false);
  const asked = place.value.query.get("dataset");
  const dataset = useCall<DatasetRead>(asked ? "datasets.get" : null, { ref: asked ?? "" });
  if (!may("model.train")) {
    return (
      <Page>
        <Head title="Train a model" />
        <Notice title="Your role does not train models">Ask an administrator if you need it. You can look at every model that is shared with the team.</Notice>
      </Page>
    );
  }
  return (
    <Page>
      <Head
        title="Train a model"
        lead="Say what to predict. Several kinds of models are tried and compared on rows that they have never seen."
        crumbs={[{ label: "Models", href: to("/models") }]}
        actions={
          ready.length > 1 && (
            <Button icon="layers" onClick={() => setMany(true)}>
              Many datasets
            </Button>
          )
        }
      />
      {many && <TrainMany onClose={() => setMany(false)} />}
      {listed.error && <Trouble error={listed.error} again={listed.reload} />}
      {!listed.data && !listed.error && <Bones lines={3} height={90} />}
      {listed.data && ready.length === 0 && !asked && (
        <>
          {may("dataset.create") && <Drop onDone={(fresh) => go(`/datasets/${fresh.id}`)}>A model learns from data: drop a file here first</Drop>}
          <Sendings />
        </>
      )}
      {(ready.length > 0 || dataset.data) && (
        <>
          <Card>
            <ChooseDataset
              label="Learn from"
              value={asked ?? ""}
              present={dataset.data}
              fits={(each) => may("model.train", each)}
              onChange={(value) => go("/train", { dataset: value })}
            />
          </Card>
          {!asked && (
            <Empty icon="data" title="Which data should it learn from?">
              Choose a dataset above; the likely target is found for you.
            </Empty>
          )}
          {asked && dataset.error && <Trouble error={dataset.error} again={dataset.reload} />}
          {dataset.data && dataset.data.status !== "ready" && (
            <Notice title={`${dataset.data.name} is not ready`}>{dataset.data.error ?? "It is still being read; this page goes on by itself."}</Notice>
          )}
          {dataset.data?.status === "ready" && <Desk key={dataset.data.id} dataset={dataset.data} />}
        </>
      )}
    </Page>
  );
}

/** The families that a link asks for, else all. */
function familiesAsked(): string[] {
  const wanted = (place.value.query.get("families") ?? "").split(",").filter((each) => each in FAMILIES);
  return wanted.length > 0 ? wanted : Object.keys(FAMILIES);
}

/** What is learned where nothing was chosen: the service decides, and until it has it goes by the values. */
function likelyTask(column: ColumnProfile, decided: Task | undefined): Task {
  if (decided && tasksFor(column).includes(decided)) return decided;
  if (column.distinct === 2) return "binary";
  if (column.kind === "decimal" || (column.kind === "integer" && column.distinct > 20)) return "regression";
  return "multiclass";
}

function Desk({ dataset }: { dataset: DatasetRead }) {
  const profile = useCall<Profile>("datasets.profile", { ref: dataset.id });
  const [budget, setBudget] = useState<Budget>(() => oneOf(["quick", "standard", "thorough", "own"], linked("time")) ?? "quick");
  const [minutes, setMinutes] = useState(linked("minutes") || "10");
  const [task, setTask] = useState<Task | "">(() => oneOf(Object.keys(TASKS) as Task[], linked("task")) ?? "");
  const [families, setFamilies] = useState<string[]>(familiesAsked);
  const [validation, setValidation] = useState<Way | "">(() => oneOf(WAYS, linked("check")) ?? "");
  const [group, setGroup] = useState(linked("group"));
  const [excluded, setExcluded] = useState<string[]>(excludedAsked);
  const [name, setName] = useState(linked("name"));
  const [trouble, setTrouble] = useState<{ message: string } | null>(null);
  // What fixes have changed beyond the fields of this page, and the wishes before each, for its undo.
  const [wish, setWish] = useState<Wish>({});
  const [applied, setApplied] = useState<{ fix: Fix; before: () => void }[]>([]);
  const asked = place.value.query.get("target");
  const target = asked && dataset.schema.some((each) => each.name === asked) ? asked : (profile.data?.likely_target ?? "");
  const column = profile.data?.columns.find((each) => each.name === target);
  const retarget = (value: string) => {
    setTask("");
    setWish({});
    setApplied([]);
    refine({ target: value });
  };
  // The address says what was chosen, so that a link or a reload opens the same.
  useEffect(() => {
    refine({
      time: budget === "quick" ? undefined : budget,
      minutes: budget === "own" ? minutes : undefined,
      task: task || undefined,
      families: families.length === Object.keys(FAMILIES).length ? undefined : families.join(","),
      check: validation || undefined,
      group: (validation === "group" && group) || undefined,
      exclude: excluded.length > 0 ? JSON.stringify(excluded) : undefined,
      name: name.trim() || undefined,
    });
  }, [budget, minutes, task, families, validation, group, excluded, name]);
  const findings = useMemo(
    () =>
      bySeverity(profile.data?.findings ?? []).filter((each) => each.code !== "likely_target" && (each.severity === "alert" || each.columns.includes(target))),
    [profile.data, target],
  );
  const seconds = budget === "own" ? Math.round(Number(minutes.replace(",", ".")) * 60) : SECONDS[budget];
  const valid = Boolean(target) && families.length > 0 && Number.isFinite(seconds) && seconds >= 5 && seconds <= 86_400;

  const request: TrainRequest = {
    ...wish,
    dataset: dataset.id,
    version: dataset.version,
    target,
    time_budget: valid ? seconds : 30,
    name: name.trim() || null,
    task: task || null,
    validation: validation || null,
    group: validation === "group" ? group || null : null,
    families: families.length === Object.keys(FAMILIES).length || families.length === 0 ? null : (families as TrainRequest["families"]),
    exclude: excluded,
  };
  const unsettled = !target || !profile.data || (validation === "group" && !group);
  // Neither the time nor the name changes what is found.
  const advice = useAdvice(unsettled ? null : { ...request, time_budget: 30, name: null });

  const apply = (fix: Fix) => {
    const change = fix.change as Wish;
    const former = { wish, task, validation, group, excluded };
    const { exclude, task: kind, validation: way, group: by, ...others } = change;
    if (exclude) setExcluded(exclude);
    if (kind) setTask(kind);
    if (way) setValidation(way);
    if (by !== undefined) setGroup(by ?? "");
    setWish({ ...wish, ...others });
    const before = () => {
      setWish(former.wish);
      setTask(former.task);
      setValidation(former.validation);
      setGroup(former.group);
      setExcluded(former.excluded);
    };
    setApplied([...applied, { fix, before }]);
  };
  // Later fixes were found with the earlier ones in place, so they go with them.
  const undo = (fix: Fix) => {
    const index = applied.findIndex((each) => each.fix === fix);
    applied[index]?.before();
    setApplied(applied.slice(0, index));
  };

  const start = () => {
    setTrouble(null);
    // What the page says about how rows are held back is what happens.
    const held = request.validation ?? (advice.trouble ? null : (advice.told?.validation.validation ?? null));
    return call<ModelRead>("models.train", { ...request, validation: held }).then(
      (model) => {
        learn("models.get", { ref: model.id }, model);
        go(`/models/${model.id}`);
      },
      (error: Error) => setTrouble(error),
    );
  };

  if (profile.error) return <Trouble error={profile.error} again={profile.reload} />;
  if (!profile.data) return <Bones lines={3} height={110} />;
  return (
    <div class="train-grid">
      <div class="stack" style={{ "--gap": "16px" }}>
        <Card title="What should it predict?">
          <Chooser
            label="Target column"
            value={target}
            options={dataset.schema.map((each) => ({
              value: each.name,
              label: each.name,
              kind: each.kind,
              note: each.name === profile.data?.likely_target ? "likely" : undefined,
            }))}
            onChange={retarget}
            hint={target === profile.data.likely_target ? format.sentence(profile.data.likely_target_reason) : undefined}
          />
          {column && (
            <div class="target-view">
              <div class="target-picture">
                <Values of={column} rows={profile.data.rows} />
              </div>
              <div class="stack" style={{ "--gap": "8px" }}>
                <span class="field-label">Kind of answer</span>
                {tasksFor(column).length > 1 ? (
                  <Segmented
                    label="Kind of answer"
                    value={task || likelyTask(column, advice.told?.target === target ? advice.told.task.task : undefined)}
                    choices={tasksFor(column).map((each) => ({ value: each, label: TASKS[each] ?? each }))}
                    onChange={setTask}
                  />
                ) : (
                  <p>{TASKS[tasksFor(column)[0] ?? ""]}</p>
                )}
                {column.missing > 0 && (
                  <p class="small muted">{format.counted(column.missing, "row has", "rows have")} no value here; they are left out of the training.</p>
                )}
              </div>
            </div>
          )}
          {findings.slice(0, 3).map((finding) => (
            <Notice key={finding.sentence} tone={finding.severity === "alert" ? "bad" : "warn"}>
              {finding.sentence}
            </Notice>
          ))}
        </Card>
        <Card title="How long may it look?">
          <Segmented
            roomy
            label="Time"
            value={budget}
            choices={[
              { value: "quick", label: "Quick", hint: "30 seconds: a first answer" },
              { value: "standard", label: "Standard", hint: "5 minutes: good for most" },
              { value: "thorough", label: "Thorough", hint: "1 hour: when it matters" },
              { value: "own", label: "Other", hint: "As long as you say" },
            ]}
            onChange={setBudget}
          />
          {budget === "own" && (
            <div style={{ maxWidth: "180px" }}>
              <Input
                label="Minutes"
                value={minutes}
                onInput={setMinutes}
                inputMode="decimal"
                error={valid || !target ? undefined : "From 0.1 to 1,440 minutes"}
              />
            </div>
          )}
        </Card>
        {target && <Advice {...advice} validation={validation || null} applied={applied.map((each) => each.fix)} onApply={apply} onUndo={undo} />}
        <details class="card fold">
          <summary>Fine tuning</summary>
          <div class="stack">
            <div class="field">
              <span class="field-label">Kinds of models</span>
              {Object.entries(FAMILIES).map(([key, { name: label, hint }]) => (
                <Check
                  key={key}
                  label={label}
                  hint={hint}
                  checked={families.includes(key)}
                  onChange={(on) => setFamilies(on ? [...families, key] : families.filter((each) => each !== key))}
                />
              ))}
              {families.length === 0 && <p class="field-error">Keep at least one kind.</p>}
            </div>
            <Select
              label="How it is checked"
              value={validation}
              choices={[
                ["", "As fits the data"],
                ["random", "On rows picked at random"],
                ["stratified", "On rows picked at random, each answer in its share"],
                ["group", "On groups it has never seen"],
                ["time", "On the latest rows (when it must predict the future)"],
              ]}
              onChange={(value) => setValidation(value as typeof validation)}
            />
            {validation === "group" && (
              <Chooser
                label="Rows belong together by"
                value={group}
                placeholder="A column such as customer"
                options={dataset.schema.filter((each) => each.name !== target).map((each) => ({ value: each.name, label: each.name, kind: each.kind }))}
                onChange={setGroup}
              />
            )}
            <Exclude dataset={dataset} target={target} excluded={excluded} onChange={setExcluded} />
            <Input label="Name of the model" value={name} onInput={setName} placeholder={`${dataset.name} model`} />
          </div>
        </details>
      </div>
      <aside class="train-side" aria-label="Start">
        <Card title="Ready to start">
          <ul class="checklist">
            <li>
              <Icon name="data" />
              <span>
                Learns from <b>{dataset.name}</b>, {format.counted(profile.data.rows, "row")}
              </span>
            </li>
            <li>
              <Icon name="target" />
              <span>
                {target ? (
                  <>
                    Predicts <b>{target}</b>
                  </>
                ) : (
                  "Choose what to predict"
                )}
              </span>
            </li>
            <li>
              <Icon name="timer" />
              <span>Looks for {format.duration(seconds || 0)}; you can stop earlier and keep the best</span>
            </li>
            <li>
              <Icon name="shield" />
              <span>Leaks, identifiers, repeated rows and rare answers are checked first</span>
            </li>
            <li>
              <Icon name="lock" />
              <span>A part of the rows is locked away and used only for the scores</span>
            </li>
          </ul>
          {trouble && <Notice tone="bad">{trouble.message}</Notice>}
          <Button tone="main" icon="train" class="full" disabled={!valid} onClick={start}>
            Train
          </Button>
        </Card>
      </aside>
    </div>
  );
}

/** The values of the target: their shares where they are few, else how they are spread. */
function Values({ of, rows }: { of: ColumnProfile; rows: number }) {
  if (of.histogram || of.distinct > 6) {
    return (
      <>
        <Distribution of={of} rows={rows} height={76} />
        {of.histogram && (
          <p class="row small muted num">
            <span>{format.figure(of.minimum, of.kind)}</span>
            <span class="end">{format.figure(of.maximum, of.kind)}</span>
          </p>
        )}
      </>
    );
  }
  return (
    <Bars
      full={rows}
      rows={of.top.map((each) => ({ name: format.answer(each.value, of.kind), value: each.count, text: format.percent(rows ? each.count / rows : 0) }))}
    />
  );
}

function tasksFor(column: ColumnProfile): Task[] {
  const number = column.kind === "integer" || column.kind === "decimal";
  if (column.distinct === 2) return number ? ["binary", "regression"] : ["binary"];
  if (!number) return ["multiclass"];
  return column.distinct <= 50 ? ["regression", "multiclass"] : ["regression"];
}

function Exclude({ dataset, target, excluded, onChange }: { dataset: DatasetRead; target: string; excluded: string[]; onChange: (names: string[]) => void }) {
  const left = dataset.schema.filter((each) => each.name !== target && !excluded.includes(each.name));
  return (
    <div class="stack" style={{ "--gap": "8px" }}>
      <Chooser
        label="Columns to leave out"
        value=""
        placeholder="Known too late, or not fair to use"
        options={left.map((each) => ({ value: each.name, label: each.name, kind: each.kind }))}
        onChange={(value) => value && onChange([...excluded, value])}
      />
      {excluded.length > 0 && (
        <div class="filter-bar">
          {excluded.map((each) => (
            <span class="chip" key={each}>
              <span class="chip-words">{each}</span>
              <button type="button" class="chip-close" aria-label={`Use ${each} again`} onClick={() => onChange(excluded.filter((one) => one !== each))}>
                <Icon name="close" size={14} />
              </button>
            </span>
          ))}
        </div>
      )}
      {excluded.length > 0 && <Badge>{format.counted(left.length, "column")} used</Badge>}
    </div>
  );
}
