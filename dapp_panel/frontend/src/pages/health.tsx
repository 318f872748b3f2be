// The health report: what a person should know about the data, then every column in one line.
import { useState } from "preact/hooks";
import { mend, takeBack } from "../fixing";
import * as format from "../format";
import { useCall } from "../query";
import { to } from "../router";
import type { ColumnProfile, DatasetRead, Finding, Page, Profile, VersionRead } from "../schema";
import { may } from "../session";
import { bySeverity } from "../words";
import { Distribution, Meter } from "../charts/small";
import { Button } from "../parts/button";
import { Input } from "../parts/field";
import { Icon, KindIcon, kindName } from "../parts/icon";
import { Card, Notice } from "../parts/surface";

const FIRST_FINDINGS = 5;
const FIRST_COLUMNS = 60;

export function Findings({ dataset, profile }: { dataset: DatasetRead; profile: Profile }) {
  const [all, setAll] = useState(false);
  const sorted = bySeverity(profile.findings);
  const grave = sorted.filter((each) => each.severity !== "info").length;
  const shown = all ? sorted : sorted.slice(0, FIRST_FINDINGS);
  return (
    <div class="health">
      <Card
        title="Health"
        note={
          sorted.length === 0
            ? "Nothing was found that stands in the way."
            : grave
              ? `${format.counted(grave, "thing")} to look at before you rely on it.`
              : "Nothing grave; good to know."
        }
      >
        {sorted.length === 0 ? (
          <Notice tone="good" title="This data looks clean">
            No repeated rows, no constant columns, nothing that looks like a mistake.
          </Notice>
        ) : (
          <ul class="findings">
            {shown.map((finding) => (
              <One key={finding.code + finding.columns.join() + finding.sentence} finding={finding} dataset={dataset} />
            ))}
          </ul>
        )}
        {sorted.length > FIRST_FINDINGS && (
          <button type="button" class="link-button" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? "Show fewer" : `Show ${sorted.length - FIRST_FINDINGS} more`}
          </button>
        )}
      </Card>
      {profile.likely_target && may("model.train", dataset) && (
        <Card class="next-step">
          <span class="next-sign">
            <Icon name="target" size={22} />
          </span>
          <div>
            <h2>A good thing to predict: {profile.likely_target}</h2>
            <p class="card-note">{format.sentence(profile.likely_target_reason)}</p>
          </div>
          <Button tone="main" icon="train" href={to("/train", { dataset: dataset.id, target: profile.likely_target })}>
            Train on it
          </Button>
        </Card>
      )}
    </div>
  );
}

const SIGN = { alert: "alert", warning: "warn", info: "info" } as const;
const WORD = { alert: "Serious", warning: "Look at this", info: "Good to know" };

const FIXES: Record<string, string> = {
  drop_duplicate_rows: "Drop the repeats",
  drop_columns: "Leave it out",
  drop_missing_rows: "Drop these rows",
  fill_missing: "Fill the gaps",
  mark_missing: "Mark as missing",
  convert: "Convert",
  clip_outliers: "Clip",
  clear_infinite: "Clear",
  log_scale: "Use the logarithm",
  group_rare: "Group the rare",
  cut_texts: "Cut the texts",
  normalise_texts: "Make them equal",
  parse_dates: "Read as dates",
  fill_gaps: "Fill the gaps",
};

/** One press makes a new version without the finding. */
function answer(dataset: DatasetRead, finding: Finding): Promise<unknown> {
  const fix = { code: finding.fix?.code, columns: finding.columns, options: finding.fix?.options ?? {} };
  return mend(dataset, fix, finding.fix?.sentence ?? "without what was found");
}

/** A version that a fix made says so, with the way back, for as long as it is the latest. */
export function Mended({ dataset }: { dataset: DatasetRead }) {
  const mended = dataset.origin === "fix" && dataset.version === dataset.latest;
  const versions = useCall<Page<VersionRead>>(mended ? "datasets.versions" : null, { ref: dataset.id });
  const made = versions.data?.items.find((each) => each.version === dataset.version);
  if (!mended || !made) return null;
  return (
    <Notice
      title={`Version ${made.version}: ${made.sentence}`}
      action={
        may("dataset.version", dataset) && (
          <Button small icon="history" onClick={() => takeBack(dataset.id)}>
            Undo
          </Button>
        )
      }
    >
      The version before is kept; nothing is lost.
    </Notice>
  );
}

function One({ finding, dataset }: { finding: Finding; dataset: DatasetRead }) {
  const first = finding.columns[0];
  return (
    <li class={`finding ${finding.severity}`}>
      <Icon name={SIGN[finding.severity]} size={20} />
      <span class="hush">{WORD[finding.severity]}: </span>
      <p class="grow">{finding.sentence}</p>
      {finding.fix && may("dataset.version", dataset) && (
        <Button small icon="fix" title={finding.fix.sentence} onClick={() => answer(dataset, finding)}>
          {FIXES[finding.fix.code] ?? "Fix it"}
        </Button>
      )}
      {first && (
        <a class="more-link" href={to(`/explore/${dataset.id}`, { x: first })}>
          See it
        </a>
      )}
    </li>
  );
}

export function Columns({ dataset, profile }: { dataset: DatasetRead; profile: Profile }) {
  const [text, setText] = useState("");
  const [most, setMost] = useState(FIRST_COLUMNS);
  const wanted = text.trim().toLowerCase();
  const units = new Map(dataset.schema.map((each) => [each.name, each.unit]));
  const found = wanted ? profile.columns.filter((each) => each.name.toLowerCase().includes(wanted)) : profile.columns;
  return (
    <Card
      title="Columns"
      flush
      action={profile.columns.length > 12 && <Input label="Search columns" quiet search value={text} onInput={setText} placeholder="Search columns" />}
    >
      <ul class="columns">
        {found.slice(0, most).map((column) => (
          <Column
            key={column.name}
            column={column}
            unit={units.get(column.name)}
            rows={profile.rows}
            dataset={dataset}
            target={column.name === profile.likely_target}
          />
        ))}
      </ul>
      {found.length === 0 && <p class="pad muted">No column of that name.</p>}
      {found.length > most && (
        <div class="pad">
          <Button onClick={() => setMost(most + 200)}>Show more of the {format.count(found.length)} columns</Button>
        </div>
      )}
    </Card>
  );
}

interface ColumnProps {
  column: ColumnProfile;
  unit: string | null | undefined;
  rows: number;
  dataset: DatasetRead;
  target: boolean;
}

function Column({ column, unit, rows, dataset, target }: ColumnProps) {
  const share = rows ? column.missing / rows : 0;
  return (
    <li>
      <a class="column" href={to(`/explore/${dataset.id}`, { x: column.name })}>
        <span class="column-name">
          <KindIcon kind={column.kind} />
          <span class="grow">
            <span class="strong clip" style={{ display: "block" }} title={column.name}>
              {column.name}
            </span>
            <span class="small muted">
              {format.named(kindName(column.kind), unit)}
              {target ? " · likely target" : ""}
            </span>
          </span>
        </span>
        <span class="column-picture">
          <Distribution of={column} rows={rows} />
        </span>
        <span class="column-words small">{describe(column, rows, unit)}</span>
        <span class="column-missing small">
          {column.missing > 0 ? (
            <>
              <Meter share={share} label={`${format.count(column.missing)} cells are empty`} />
              <span class="num">{format.percent(share)} empty</span>
            </>
          ) : (
            <span class="muted">Complete</span>
          )}
        </span>
      </a>
    </li>
  );
}

function describe(column: ColumnProfile, rows: number, unit: string | null | undefined): string {
  const { kind } = column;
  if (kind === "integer" || kind === "decimal") {
    const middle = column.quantiles["0.5"];
    const said = (value: unknown) => format.amount(format.figure(value, kind), unit);
    return `${said(column.minimum)} to ${said(column.maximum)}, half below ${said(middle)}`;
  }
  if (kind === "date" || kind === "datetime") return `${format.figure(column.minimum, kind)} to ${format.figure(column.maximum, kind)}`;
  const top = column.top[0];
  const about = column.distinct_exact ? "" : "about ";
  const different = column.distinct === 1 ? "one value" : `${about}${format.count(column.distinct)} values`;
  if (!top || !rows || column.distinct > rows * 0.9) return different;
  return `${different}, most often ${format.quoted(format.answer(top.value, kind))} (${format.percent(top.count / rows)})`;
}
