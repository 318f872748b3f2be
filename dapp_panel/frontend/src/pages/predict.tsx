// The use of a model: one case by a form that answers while one types, or a whole file.
import { useEffect, useMemo, useState } from "preact/hooks";
import { type Failure, call } from "../calls";
import * as format from "../format";
import { useCall } from "../query";
import { place, refine } from "../router";
import type { Column, ColumnProfile, ModelRead, PredictRead, Profile, Results } from "../schema";
import { may } from "../session";
import { targetKind } from "../words";
import { Bars } from "../charts/small";
import { Button, Segmented } from "../parts/button";
import { Input, Select } from "../parts/field";
import { Bones, Card, Notice, Trouble } from "../parts/surface";
import { Batch } from "./batch";
import { Reasons } from "./reasons";

const FIRST_FIELDS = 8;
// Reasons that take longer than this are given when they are asked for.
const PATIENCE_MS = 1500;

export function Predict({ model, results }: { model: ModelRead; results: Results }) {
  const way = place.value.query.get("way") === "file" ? "file" : "case";
  return (
    <>
      {may("model.predict_batch", model) && (
        <Segmented
          label="What to predict"
          value={way}
          choices={[
            { value: "case", label: "One case", icon: "edit" },
            { value: "file", label: "A whole file", icon: "file" },
          ]}
          onChange={(value) => refine({ way: value === "case" ? undefined : value })}
        />
      )}
      {way === "case" || !may("model.predict_batch", model) ? <Case model={model} results={results} /> : <Batch model={model} />}
    </>
  );
}

function Case({ model, results }: { model: ModelRead; results: Results }) {
  const profile = useCall<Profile>("datasets.profile", { ref: results.dataset.id, version: results.dataset_version });
  // Without the data (deleted, or not shared with the visitor) the form starts empty.
  if (!profile.data && !profile.error) return <Bones lines={4} height={64} />;
  return <Form model={model} results={results} columns={profile.data?.columns ?? []} />;
}

function Form({ model, results, columns }: { model: ModelRead; results: Results; columns: ColumnProfile[] }) {
  const features = useMemo(() => byImportance(results), [results]);
  const known = useMemo(() => new Map(columns.map((each) => [each.name, each])), [columns]);
  const usual = useMemo(() => Object.fromEntries(features.map((each) => [each.name, usualValue(each, known.get(each.name))])), [features, known]);
  const [values, setValues] = useState<Record<string, string>>(() => ({ ...usual, ...caseAsked(features) }));
  const [all, setAll] = useState(false);
  const [answer, setAnswer] = useState<PredictRead | null>(null);
  const [trouble, setTrouble] = useState<Failure | null>(null);
  const [asking, setAsking] = useState(false);
  const [explains, setExplains] = useState(true);
  const shown = all ? features : features.slice(0, FIRST_FIELDS);
  const wrong = features.filter((each) => isNumber(each) && values[each.name] && Number.isNaN(toNumber(values[each.name] as string)));

  const ask = (explain: boolean) => {
    const row = Object.fromEntries(features.map((each) => [each.name, toValue(each, values[each.name] ?? "")]));
    return call<PredictRead>("models.predict", { ref: model.id, rows: [row], explain });
  };
  const why = () => ask(true).then(setAnswer, setTrouble);

  useEffect(() => {
    if (wrong.length > 0) return undefined;
    let late = false;
    const timer = setTimeout(() => {
      const told = Object.entries(values).filter(([name, value]) => value !== usual[name]);
      refine({ case: told.length > 0 ? JSON.stringify(Object.fromEntries(told)) : undefined });
      setAsking(true);
      const began = performance.now();
      // The first answer does not wait for its reasons.
      const soon = explains && answer === null ? ask(false).then((plain) => !late && setAnswer(plain)) : Promise.resolve();
      soon
        .then(() => ask(explains))
        // A model from before typical rows were kept gives answers without reasons.
        .catch((error: Failure) => (explains && error.code === "not_ready" ? ask(false) : Promise.reject(error)))
        .then(
          (fresh) => {
            if (late) return;
            setAnswer(fresh);
            setTrouble(null);
            // The first answer waits for the model to be loaded, which says nothing about the next ones.
            const slow = answer !== null && performance.now() - began > PATIENCE_MS;
            if (explains && (slow || !fresh.predictions[0]?.reasons)) setExplains(false);
          },
          (error: Failure) => !late && setTrouble(error),
        )
        .finally(() => !late && setAsking(false));
    }, 220);
    return () => {
      late = true;
      clearTimeout(timer);
    };
  }, [values]);

  return (
    <div class="predict-grid">
      <Card
        title="The case"
        note="Filled with usual values. Change what you know; leave empty what you do not."
        action={
          <Button small icon="again" onClick={() => setValues(usual)}>
            Usual values
          </Button>
        }
      >
        <div class="case-fields">
          {shown.map((feature) => (
            <Entry
              key={feature.name}
              feature={feature}
              profile={known.get(feature.name)}
              value={values[feature.name] ?? ""}
              wrong={wrong.includes(feature)}
              onChange={(value) => setValues((before) => ({ ...before, [feature.name]: value }))}
            />
          ))}
        </div>
        {features.length > FIRST_FIELDS && (
          <button type="button" class="link-button" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? "Show only what matters most" : `Show ${format.counted(features.length - FIRST_FIELDS, "more column")}`}
          </button>
        )}
      </Card>
      <div class="predict-answer">
        <Card title={results.target}>
          <div class={asking ? "answer thinking" : "answer"} role="region" aria-label="Answer" aria-live="polite" tabIndex={0}>
            {trouble && <Trouble error={trouble} />}
            {!trouble && !answer && <Loading />}
            {!trouble && answer && <Outcome answer={answer} results={results} onWhy={why} />}
            {!trouble && answer && asking && <Late />}
          </div>
        </Card>
      </div>
    </div>
  );
}

const SOON_MS = 800;
const LATE_MS = 3000;

/** Whether more than this has passed since it was first shown. */
function useLate(milliseconds: number): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), milliseconds);
    return () => clearTimeout(timer);
  }, []);
  return late;
}

/** Below an answer that is being replaced: a server that was started anew has to load the model once more. */
function Late() {
  return useLate(LATE_MS) ? <p class="small">This is still the answer to the case before. The new one takes unusually long.</p> : null;
}

/** Before the first answer: after a moment it is said what takes so long. */
function Loading() {
  const late = useLate(SOON_MS);
  return (
    <div class="stack">
      <Bones lines={2} height={48} />
      <p class="muted">{late ? "The model is being loaded into memory. This takes a few seconds the first time; answers after it come at once." : ""}</p>
    </div>
  );
}

function Outcome({ answer, results, onWhy }: { answer: PredictRead; results: Results; onWhy: () => Promise<void> }) {
  const first = answer.predictions[0];
  if (!first) return null;
  const kind = targetKind(results);
  const shares = Object.entries(first.probabilities ?? {}).sort((a, b) => b[1] - a[1]);
  const error = results.scores.find((each) => each.name === "mae");
  // A class that is a number, such as a year, is a name and no amount.
  const amount = typeof first.prediction === "number" && shares.length === 0;
  const said = amount
    ? format.amount(format.number(first.prediction as number), results.target_column?.unit)
    : format.answer(format.cell(first.prediction), kind);
  const name = (label: string) => format.answer(Number.isFinite(Number(label)) ? format.cell(Number(label)) : label, kind);
  return (
    <div class="stack">
      <p class="outcome" dir="auto">
        {said}
      </p>
      {shares.length > 0 && (
        <Bars
          full={1}
          rows={shares.slice(0, 8).map(([label, share]) => ({ name: name(label), value: share, text: format.percent(share), strong: name(label) === said }))}
        />
      )}
      {shares.length === 0 && error && (
        <p class="muted">
          On rows it had never seen it was typically off by <span class="nowrap">±{format.offBy(format.rough(error.value), results.target_column?.unit)}</span>.
        </p>
      )}
      {answer.notes.map((note) => (
        <Notice key={note}>{note}</Notice>
      ))}
      {first.reasons && <Reasons of={first.reasons} results={results} />}
      {!first.reasons && (
        <div>
          <Button small icon="info" onClick={onWhy}>
            Why this answer?
          </Button>
        </div>
      )}
    </div>
  );
}

/** What a link says of the case; everything else is as usual. */
function caseAsked(features: Column[]): Record<string, string> {
  try {
    const found = JSON.parse(place.value.query.get("case") ?? "{}") as Record<string, unknown>;
    return Object.fromEntries(features.flatMap(({ name }) => (typeof found[name] === "string" ? [[name, found[name]]] : [])));
  } catch {
    return {};
  }
}

function byImportance(results: Results): Column[] {
  const rank = new Map(results.importances.map((each, index) => [each.column, index]));
  return [...results.features].sort((a, b) => (rank.get(a.name) ?? 1e6) - (rank.get(b.name) ?? 1e6));
}

const isNumber = (feature: Column) => feature.kind === "integer" || feature.kind === "decimal";
const toNumber = (text: string) => Number(text.trim().replace(/\s/g, "").replace(",", "."));

function usualValue(feature: Column, profile: ColumnProfile | undefined): string {
  if (!profile) return "";
  const middle = profile.quantiles["0.5"];
  if (feature.kind === "integer") return typeof middle === "number" ? String(Math.round(middle)) : "";
  if (feature.kind === "decimal") return typeof middle === "number" ? String(Number(middle.toPrecision(5))) : "";
  if (feature.kind === "date") return String(middle ?? profile.maximum ?? "").slice(0, 10);
  if (feature.kind === "datetime")
    return String(middle ?? profile.maximum ?? "")
      .slice(0, 16)
      .replace(" ", "T");
  if (feature.kind === "boolean") return truth(profile.top[0]?.value) ?? "";
  return profile.distinct > 0.5 * profile.top.reduce((sum, each) => sum + each.count, 0) ? "" : (profile.top[0]?.value ?? "");
}

function truth(text: string | undefined): string | undefined {
  return text === undefined ? undefined : /^(true|yes|1)$/i.test(text) ? "true" : "false";
}

function toValue(feature: Column, text: string): unknown {
  if (text.trim() === "") return null;
  if (isNumber(feature)) return toNumber(text);
  if (feature.kind === "boolean") return text === "true";
  return text;
}

function Entry({
  feature,
  profile,
  value,
  wrong,
  onChange,
}: {
  feature: Column;
  profile?: ColumnProfile;
  value: string;
  wrong: boolean;
  onChange: (value: string) => void;
}) {
  const { kind, unit } = feature;
  const name = format.named(feature.name, unit);
  if (kind === "boolean") {
    return (
      <Select
        label={name}
        value={value}
        choices={[
          ["", "Not known"],
          ["true", "Yes"],
          ["false", "No"],
        ]}
        onChange={onChange}
      />
    );
  }
  const top = profile?.top ?? [];
  if (!isNumber(feature) && kind !== "date" && kind !== "datetime" && profile && profile.distinct <= top.length) {
    return (
      <Select label={name} value={value} choices={[["", "Not known"], ...top.map((each): [string, string] => [each.value, each.value])]} onChange={onChange} />
    );
  }
  if (kind === "date" || kind === "datetime") return <Input label={name} value={value} onInput={onChange} type={kind === "date" ? "date" : "datetime-local"} />;
  if (isNumber(feature)) {
    const range =
      profile && profile.minimum !== null
        ? `Seen: ${format.amount(format.figure(profile.minimum, kind), unit)} to ${format.amount(format.figure(profile.maximum, kind), unit)}`
        : undefined;
    return <Input label={name} value={value} onInput={onChange} inputMode="decimal" hint={range} error={wrong ? "This is not a number" : undefined} />;
  }
  return (
    <Input
      label={name}
      value={value}
      onInput={onChange}
      suggestions={top.map((each) => each.value)}
      hint={profile ? `${format.counted(profile.distinct, "different value")} seen` : undefined}
    />
  );
}
