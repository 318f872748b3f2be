// Read the sealed original again in another way; the answer is a new version.
import { useState } from "preact/hooks";
import { type Failure, call } from "../calls";
import { invalidate } from "../query";
import type { Column, DatasetRead, ReadOptions, ReadReport } from "../schema";
import { Button } from "../parts/button";
import { Dialog } from "../parts/dialog";
import { Input, Select } from "../parts/field";
import { Notice } from "../parts/surface";
import { toast } from "../parts/toasts";

type Name = Exclude<keyof ReadOptions, "types">;
/** How an option is asked for: in words, for which files, and out of which answers; without answers it is typed in. */
interface Question {
  label: string;
  of: "text" | "workbook" | "all";
  rare?: boolean;
  hint?: string;
  choices?: [string, string][];
  means?: (given: string) => unknown;
}

const number = (given: string) => Number(given);
const yes = (given: string) => given === "yes";
const KEEP: [string, string][] = [
  ["keep", "are kept"],
  ["drop", "are left out"],
];

/** Every option that a file can be read with; the compiler says when one is forgotten. */
const QUESTIONS: Record<Name, Question> = {
  delimiter: {
    label: "Between cells",
    of: "text",
    choices: [
      [",", "Comma"],
      [";", "Semicolon"],
      ["\t", "Tab"],
      ["|", "Bar"],
      [" ", "Blank"],
    ],
  },
  decimal: {
    label: "Decimals after",
    of: "all",
    choices: [
      [".", "a point: 1.5"],
      [",", "a comma: 1,5"],
    ],
  },
  date_order: {
    label: "01/02/2024 is",
    of: "all",
    choices: [
      ["day_first", "the first of February"],
      ["month_first", "the second of January"],
    ],
  },
  sheet: { label: "Sheet", of: "workbook" },
  table: { label: "Table on the sheet", of: "workbook", means: number },
  header: {
    label: "The first line",
    of: "all",
    choices: [
      ["yes", "names the columns"],
      ["no", "is data already"],
    ],
    means: yes,
  },
  header_row: { label: "The names stand in row", of: "all", hint: "From 1; what stands above is left out.", means: number },
  header_rows: {
    label: "The names take",
    of: "all",
    choices: [
      ["1", "one row"],
      ["2", "two rows, as over merged cells"],
    ],
    means: number,
  },
  extra_rows: { label: "Totals, notes and repeated headers", of: "all", choices: KEEP },
  extra_cells: { label: "Cells beyond the last column", of: "text", rare: true, choices: KEEP },
  encoding: { label: "Encoding", of: "text" },
  layout: {
    label: "Columns part by",
    of: "text",
    rare: true,
    choices: [
      ["delimited", "a sign between cells"],
      ["aligned", "standing under each other"],
      ["blanks", "runs of blanks"],
    ],
  },
  quote: {
    label: "Around cells",
    of: "text",
    rare: true,
    choices: [
      ['"', 'double quotes "'],
      ["'", "single quotes '"],
      ["none", "nothing"],
    ],
  },
  escape: {
    label: "Quotes inside cells",
    of: "text",
    rare: true,
    choices: [
      ["backslash", 'have a backslash before them: \\"'],
      ["none", 'are doubled: ""'],
    ],
  },
  thousands: {
    label: "Between thousands",
    of: "all",
    rare: true,
    choices: [
      [",", "a comma: 1,000"],
      [".", "a point: 1.000"],
      [" ", "a blank: 1 000"],
      ["'", "an apostrophe: 1'000"],
      ["none", "nothing"],
    ],
  },
  comment: { label: "Comments begin with", of: "text", rare: true, hint: "One character, or none." },
  join_sheets: {
    label: "Sheets with the same columns",
    of: "workbook",
    rare: true,
    choices: [
      ["yes", "are put together"],
      ["no", "are not: the largest is read"],
    ],
    means: yes,
  },
  merged_cells: {
    label: "Cells merged over rows",
    of: "workbook",
    rare: true,
    choices: [
      ["fill", "have their value in each row"],
      ["first", "have it in the first row only"],
    ],
  },
  missing: {
    label: "Missing values are written",
    of: "all",
    rare: true,
    hint: "Parted by blanks, such as: ? NA -999",
    means: (given) => given.trim().split(/\s+/),
  },
  format: {
    label: "The file is",
    of: "text",
    rare: true,
    choices: [
      ["csv", "a table with delimiters"],
      ["json", "JSON"],
      ["jsonl", "JSON, one record a line"],
    ],
  },
};
const KINDS: [string, string][] = [
  ["", "As found"],
  ["integer", "Whole numbers"],
  ["decimal", "Numbers"],
  ["boolean", "Yes or no"],
  ["category", "Categories"],
  ["text", "Text"],
  ["date", "Dates"],
  ["datetime", "Dates with time"],
  ["time", "Times of day"],
  ["duration", "Spans of time"],
];
/** So many columns can be given another kind by pointing. */
const MOST_COLUMNS = 200;

export function ReadAgain({ dataset, onClose }: { dataset: DatasetRead; onClose: () => void }) {
  const report = dataset.report;
  const [given, setGiven] = useState<Partial<Record<Name, string>>>({});
  const [types, setTypes] = useState<Record<string, string>>({});
  const [trouble, setTrouble] = useState("");
  const book = report !== null && ["xlsx", "ods"].includes(report.format);
  const asked = (Object.keys(QUESTIONS) as Name[]).filter((name) => isAsked(name, report, book));
  const start = () =>
    call<DatasetRead>("datasets.reread", { ref: dataset.id, ...optionsOf(given, types) }).then(
      () => {
        invalidate((_, params) => params.ref === dataset.id);
        toast({ title: "It is read again; a new version comes" });
        onClose();
      },
      (error: Failure) => setTrouble(error.message),
    );
  const field = (name: Name) => (
    <Field key={name} name={name} report={report} value={given[name] ?? ""} onChange={(value) => setGiven({ ...given, [name]: value })} />
  );
  return (
    <Dialog
      title="Read the file again"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="main" onClick={start}>
            Read
          </Button>
        </>
      }
    >
      <div class="stack">
        <p class="muted">What is left as it is, is found out again. The present version stays.</p>
        {asked.filter((name) => !QUESTIONS[name].rare).map(field)}
        <details class="fold">
          <summary>More ways to read it</summary>
          <div class="stack">{asked.filter((name) => QUESTIONS[name].rare).map(field)}</div>
        </details>
        {dataset.schema.length > 0 && (
          <details class="fold">
            <summary>Kinds of columns</summary>
            <div class="stack">
              {dataset.schema.slice(0, MOST_COLUMNS).map((column: Column) => (
                <Select
                  key={column.name}
                  label={column.name}
                  value={types[column.name] ?? ""}
                  choices={KINDS}
                  onChange={(kind) => setTypes({ ...types, [column.name]: kind })}
                />
              ))}
            </div>
          </details>
        )}
        {trouble && <Notice tone="bad">{trouble}</Notice>}
      </div>
    </Dialog>
  );
}

function isAsked(name: Name, report: ReadReport | null, book: boolean): boolean {
  if (name === "sheet") return (report?.sheets.length ?? 0) > 1 || !!report?.member;
  if (name === "table") return (report?.tables.length ?? 0) > 1;
  const { of } = QUESTIONS[name];
  return of === "all" || report === null || (of === "workbook") === book;
}

/** What is sent: only what somebody has chosen. */
function optionsOf(given: Partial<Record<Name, string>>, types: Record<string, string>): Record<string, unknown> {
  const chosen = Object.entries(given).filter(([name, value]) => (name === "delimiter" ? value !== "" : value.trim() !== "" || value === " "));
  const options = chosen.map(([name, value]) => [name, QUESTIONS[name as Name].means?.(value) ?? (QUESTIONS[name as Name].choices ? value : value.trim())]);
  const kinds = Object.entries(types).filter(([, kind]) => kind !== "");
  return { ...Object.fromEntries(options), ...(kinds.length > 0 ? { types: Object.fromEntries(kinds) } : {}) };
}

function Field({ name, report, value, onChange }: { name: Name; report: ReadReport | null; value: string; onChange: (value: string) => void }) {
  const { label, hint, choices } = QUESTIONS[name];
  const found = shown(report?.[name as keyof ReadReport]);
  const offered =
    name === "sheet"
      ? report?.sheets.map((each): [string, string] => [each, each])
      : name === "table"
        ? report?.tables.map((each, at): [string, string] => [String(at + 1), each])
        : choices;
  if (!offered || offered.length === 0) return <Input label={label} hint={hint} value={value} onInput={onChange} placeholder={found || "As found"} />;
  const known = offered.find(([each]) => each === found)?.[1] ?? found;
  return <Select label={label} hint={hint} value={value} choices={[["", known ? `As found (${known})` : "As found"], ...offered]} onChange={onChange} />;
}

function shown(found: unknown): string {
  if (typeof found === "boolean") return found ? "yes" : "no";
  return Array.isArray(found) ? found.filter((each) => typeof each === "string").join(" ") : found === null || found === undefined ? "" : String(found);
}
