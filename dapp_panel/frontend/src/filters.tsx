// Conditions on columns: kept in the address, shown as chips, edited in a small window. Shared by the rows and by Explore.
import { useState } from "preact/hooks";
import * as format from "./format";
import { place, refine } from "./router";
import type { Column, ColumnProfile, Filter } from "./schema";
import { Button } from "./parts/button";
import { Dialog } from "./parts/dialog";
import { Check, Chooser, Input, Select } from "./parts/field";
import { Icon } from "./parts/icon";

/** The filters of the present address. */
export function readFilters(): Filter[] {
  try {
    const found = JSON.parse(place.value.query.get("filters") ?? "[]") as unknown;
    return Array.isArray(found) ? (found as Filter[]).filter((each) => typeof each?.column === "string" && typeof each?.op === "string") : [];
  } catch {
    return [];
  }
}

export function writeFilters(filters: Filter[]): void {
  refine({ filters: filters.length ? JSON.stringify(filters) : undefined });
}

const OPS: Record<Filter["op"], string> = {
  eq: "is",
  ne: "is not",
  lt: "is below",
  le: "is at most",
  gt: "is above",
  ge: "is at least",
  in: "is one of",
  between: "is between",
  contains: "contains",
  is_null: "is empty",
  not_null: "is not empty",
};

const NUMERIC = new Set(["integer", "decimal"]);
const DATED = new Set(["date", "datetime"]);

/** A value in a sentence; a date as people write it. */
function said(value: unknown): string {
  const day = dayOf(value);
  return typeof day === "string" && /^\d{4}-\d\d-\d\d(T|$)/.test(day) ? format.dataDate(day) : format.cell(day);
}

/** A filter in words. */
export function filterWords(filter: Filter): string {
  const { value } = filter;
  const words = Array.isArray(value)
    ? filter.op === "between"
      ? value.map((each) => said(each)).join(" and ")
      : format.listed(value.map((each) => format.cell(each)))
    : said(value);
  return `${filter.column} ${OPS[filter.op]} ${words}`.trim();
}

interface FilterBarProps {
  columns: Column[];
  profiles?: ColumnProfile[];
}

/** The chips of the present filters, and the way to one more. */
export function FilterBar({ columns, profiles }: FilterBarProps) {
  const [open, setOpen] = useState<{ at: number; filter: Filter | null } | null>(null);
  const filters = readFilters();
  const put = (at: number, filter: Filter) => {
    const next = [...filters];
    next[at] = filter;
    writeFilters(next);
    setOpen(null);
  };
  return (
    <div class="filter-bar">
      {filters.map((filter, index) => (
        <span class="chip" key={`${index}${filter.column}`}>
          <button type="button" onClick={() => setOpen({ at: index, filter })}>
            {filterWords(filter)}
          </button>
          <button
            type="button"
            class="chip-close"
            aria-label={`Remove the filter: ${filterWords(filter)}`}
            onClick={() => writeFilters(filters.filter((_, place) => place !== index))}
          >
            <Icon name="close" size={14} />
          </button>
        </span>
      ))}
      <Button small icon="filter" onClick={() => setOpen({ at: filters.length, filter: null })}>
        {filters.length ? "Add" : "Filter"}
      </Button>
      {filters.length > 1 && (
        <button type="button" class="link-button small" onClick={() => writeFilters([])}>
          Clear all
        </button>
      )}
      {open && (
        <FilterWindow columns={columns} profiles={profiles} filter={open.filter} onDone={(filter) => put(open.at, filter)} onClose={() => setOpen(null)} />
      )}
    </div>
  );
}

function opsFor(kind: string, few: boolean): Filter["op"][] {
  if (NUMERIC.has(kind)) return ["between", "ge", "le", "eq", "ne", "is_null", "not_null"];
  if (DATED.has(kind)) return ["between", "ge", "le", "is_null", "not_null"];
  if (kind === "boolean") return ["eq", "is_null", "not_null"];
  return few ? ["in", "contains", "ne", "is_null", "not_null"] : ["contains", "eq", "ne", "is_null", "not_null"];
}

function FilterWindow({
  columns,
  profiles,
  filter,
  onDone,
  onClose,
}: FilterBarProps & { filter: Filter | null; onDone: (filter: Filter) => void; onClose: () => void }) {
  const [name, setName] = useState(filter?.column ?? "");
  const column = columns.find((each) => each.name === name);
  const profile = profiles?.find((each) => each.name === name);
  const top = profile?.top ?? [];
  const few = top.length > 0 && (column?.kind === "category" || column?.kind === "text");
  const ops = column ? opsFor(column.kind, few) : [];
  const [chosen, setOp] = useState<Filter["op"] | null>(filter?.op ?? null);
  const op = chosen && ops.includes(chosen) ? chosen : ops[0];
  const [first, setFirst] = useState(startOf(filter, 0));
  const [second, setSecond] = useState(startOf(filter, 1));
  const [picked, setPicked] = useState<string[]>(filter?.op === "in" && Array.isArray(filter.value) ? filter.value.map(String) : []);

  const built = column && op ? build(column, op, first, second, picked) : null;
  const input = column && NUMERIC.has(column.kind) ? ({ inputMode: "decimal" } as const) : {};
  const type = column?.kind === "date" || column?.kind === "datetime" ? "date" : "text";
  return (
    <Dialog
      title="Filter"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="main" disabled={!built} onClick={() => built && onDone(built)}>
            Apply
          </Button>
        </>
      }
    >
      <div class="stack">
        <Chooser
          label="Column"
          value={name}
          options={columns.map((each) => ({ value: each.name, label: each.name, kind: each.kind }))}
          onChange={(value) => {
            setName(value);
            setOp(null);
            setPicked([]);
            setFirst("");
            setSecond("");
          }}
        />
        {column && op && (
          <>
            <Select label="Keep rows where it" value={op} choices={ops.map((each) => [each, OPS[each]])} onChange={(value) => setOp(value as Filter["op"])} />
            {op === "in" && (
              <div class="pick-list">
                {top.map((each) => (
                  <Check
                    key={each.value}
                    label={
                      <span class="row">
                        <span class="grow clip">{each.value}</span>
                        <span class="muted num small">{format.count(each.count)}</span>
                      </span>
                    }
                    checked={picked.includes(each.value)}
                    onChange={(on) => setPicked(on ? [...picked, each.value] : picked.filter((one) => one !== each.value))}
                  />
                ))}
              </div>
            )}
            {op === "between" && type === "date" && profile?.maximum && (
              <div class="row wrap" style={{ "--gap": "8px" }}>
                {LAST.map(([words, days]) => (
                  <Button
                    small
                    key={words}
                    onClick={() => {
                      setFirst(daysBefore(String(profile.maximum), days - 1));
                      setSecond(String(profile.maximum).slice(0, 10));
                    }}
                  >
                    {words}
                  </Button>
                ))}
              </div>
            )}
            {op === "between" && (
              <div class="two">
                <Input label="From" type={type} {...input} value={first} onInput={setFirst} placeholder={hint(profile, "minimum")} />
                <Input label="To" type={type} {...input} value={second} onInput={setSecond} placeholder={hint(profile, "maximum")} />
              </div>
            )}
            {column.kind === "boolean" && op === "eq" && (
              <Select
                label="Value"
                value={first || "true"}
                choices={[
                  ["true", "Yes"],
                  ["false", "No"],
                ]}
                onChange={setFirst}
              />
            )}
            {!["in", "between", "is_null", "not_null"].includes(op) && column.kind !== "boolean" && (
              <Input label="Value" type={type} {...input} value={first} onInput={setFirst} />
            )}
          </>
        )}
      </div>
    </Dialog>
  );
}

const LAST: [string, number][] = [
  ["Last 7 days", 7],
  ["Last 30 days", 30],
  ["Last 90 days", 90],
  ["Last 365 days", 365],
];

/** A date so many days earlier. */
export function daysBefore(date: string, days: number): string {
  return new Date(Date.parse(`${date.slice(0, 10)}T00:00:00Z`) - days * 86_400_000).toISOString().slice(0, 10);
}

function hint(profile: ColumnProfile | undefined, end: "minimum" | "maximum"): string {
  const value = profile?.[end];
  return value == null ? "" : String(value).slice(0, 10);
}

function startOf(filter: Filter | null, index: number): string {
  if (!filter || filter.value == null) return "";
  if (Array.isArray(filter.value)) return filter.op === "between" ? String(dayOf(filter.value[index]) ?? "") : "";
  return index === 0 ? String(dayOf(filter.value)) : "";
}

function build(column: Column, op: Filter["op"], first: string, second: string, picked: string[]): Filter | null {
  if (op === "is_null" || op === "not_null") return { column: column.name, op };
  if (op === "in") return picked.length ? { column: column.name, op, value: picked } : null;
  if (column.kind === "boolean") return { column: column.name, op, value: (first || "true") === "true" };
  if (op === "between") {
    const low = typed(column.kind, first);
    const high = endOf(column.kind, typed(column.kind, second));
    if (low === null && high === null) return null;
    if (low === null) return { column: column.name, op: "le", value: high };
    if (high === null) return { column: column.name, op: "ge", value: low };
    return { column: column.name, op, value: [low, high] };
  }
  const value = op === "le" ? endOf(column.kind, typed(column.kind, first)) : typed(column.kind, first);
  return value === null ? null : { column: column.name, op, value };
}

const END_OF_DAY = "T23:59:59.999999";

/** "To the 15th" means to its end, also where moments are told to the second. */
function endOf(kind: string, value: number | string | null): number | string | null {
  return kind === "datetime" && typeof value === "string" && value.length === 10 ? value + END_OF_DAY : value;
}

/** A day, without the end that was put to it. */
function dayOf(value: unknown): unknown {
  return typeof value === "string" && value.endsWith(END_OF_DAY) ? value.slice(0, 10) : value;
}

function typed(kind: string, text: string): number | string | null {
  const clean = text.trim();
  if (!clean) return null;
  if (!NUMERIC.has(kind)) return clean;
  const value = Number(clean.replace(",", "."));
  return Number.isFinite(value) ? value : null;
}
