// The rows of a dataset, of any length: only what shows is asked for and drawn; the server sorts, filters and searches.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { call, type Failure } from "../calls";
import { FilterBar, readFilters } from "../filters";
import * as format from "../format";
import { useCall } from "../query";
import { place, refine } from "../router";
import type { Column, DatasetRead, Filter, Profile, RowsRead } from "../schema";
import { Button } from "../parts/button";
import { Dialog } from "../parts/dialog";
import { Check, Input } from "../parts/field";
import { Icon, KindIcon } from "../parts/icon";
import { Empty, Trouble } from "../parts/surface";

const ROW = 38;
const BLOCK = 100;
const MOST_COLUMNS = 40;
// Browsers give up on elements taller than about 16 million pixels; beyond, the scroll bar is scaled.
const TALLEST = 12_000_000;

interface Asked {
  ref: string;
  version: number;
  columns: string[];
  sort: { column: string; descending: boolean }[];
  filters: unknown[];
  search: string | null;
}

/** `picked` are conditions besides the filters of the address. */
export function Grid({ dataset, picked = [] }: { dataset: DatasetRead; picked?: Filter[] }) {
  const query = place.value.query;
  const search = query.get("search") ?? "";
  const sort = readSort(query.get("sort"));
  const filters = [...readFilters(), ...picked];
  const [text, setText] = useState(search);
  const chosen = readColumns(query.get("columns"));
  const [choosing, setChoosing] = useState(false);
  const profile = useCall<Profile>("datasets.profile", { ref: dataset.id });
  useEffect(() => {
    const timer = setTimeout(() => text !== search && refine({ search: text }), 250);
    return () => clearTimeout(timer);
  }, [text]);

  const there = chosen?.filter((name) => dataset.schema.some((each) => each.name === name)) ?? [];
  const names = there.length > 0 ? there : dataset.schema.slice(0, MOST_COLUMNS).map((each) => each.name);
  const columns = dataset.schema.filter((each) => names.includes(each.name));
  const asked: Asked = {
    ref: dataset.id,
    version: dataset.version,
    columns: columns.map((each) => each.name),
    sort: sort ? [sort] : [],
    filters,
    search: search || null,
  };
  return (
    <section class="card flush grid-card">
      <div class="grid-tools">
        <Input label="Search in all columns" quiet search value={text} onInput={setText} placeholder="Search in all columns" />
        <FilterBar columns={dataset.schema} profiles={profile.data?.columns} />
        {dataset.schema.length > 8 && (
          <Button small icon="columns" class="end" onClick={() => setChoosing(true)}>
            {columns.length < dataset.schema.length ? `${columns.length} of ${format.count(dataset.schema.length)} columns` : "Columns"}
          </Button>
        )}
      </div>
      <Window key={JSON.stringify(asked)} asked={asked} columns={columns} sort={sort} total={dataset.rows ?? 0} />
      {choosing && (
        <ChooseColumns
          all={dataset.schema}
          chosen={names}
          onDone={(picked) => refine({ columns: JSON.stringify(picked) })}
          onClose={() => setChoosing(false)}
        />
      )}
    </section>
  );
}

/** The columns that a link shows; null for the first ones. */
function readColumns(text: string | null): string[] | null {
  try {
    const found = JSON.parse(text ?? "null") as unknown;
    return Array.isArray(found) ? found.filter((each): each is string => typeof each === "string") : null;
  } catch {
    return null;
  }
}

function readSort(text: string | null): { column: string; descending: boolean } | null {
  if (!text) return null;
  return { column: text.slice(1), descending: text.startsWith("-") };
}

function Window({ asked, columns, sort, total: expected }: { asked: Asked; columns: Column[]; sort: ReturnType<typeof readSort>; total: number }) {
  const blocks = useRef(new Map<number, unknown[][] | "asked">());
  const [, redraw] = useState(0);
  const [total, setTotal] = useState<number | null>(null);
  const [trouble, setTrouble] = useState<Failure | null>(null);
  const [view, setView] = useState({ top: 0, height: 560 });
  const box = useRef<HTMLDivElement>(null);
  const filtered = asked.filters.length > 0 || asked.search !== null;
  const rows = total ?? (filtered ? 12 : expected);
  const tall = Math.min(rows * ROW, TALLEST);
  const seen = Math.max(0, view.height - ROW);
  // Near the ends and for tables of a usual length the scale is exactly one.
  const scale = tall > seen ? Math.max(1, (rows * ROW - seen) / (tall - seen)) : 1;
  const first = Math.max(0, Math.min(rows - 1, Math.floor((view.top * scale) / ROW)));
  const last = Math.min(rows, first + Math.ceil(view.height / ROW) + 2);

  const load = (block: number) => {
    if (blocks.current.has(block)) return;
    blocks.current.set(block, "asked");
    call<RowsRead>("datasets.rows", { ...asked, offset: block * BLOCK, limit: BLOCK }).then(
      (page) => {
        blocks.current.set(block, page.rows);
        setTotal(page.total);
        redraw((turn) => turn + 1);
      },
      (error: Failure) => {
        blocks.current.delete(block);
        setTrouble(error);
      },
    );
  };

  useEffect(() => {
    // While the visitor scrolls fast, blocks that only fly by are not asked for.
    const timer = setTimeout(
      () => {
        for (let block = Math.floor(first / BLOCK); block <= Math.floor(Math.max(first, last - 1) / BLOCK); block++) load(block);
      },
      total === null ? 0 : 70,
    );
    return () => clearTimeout(timer);
  }, [first, last]);

  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const watch = new ResizeObserver(() => setView((now) => ({ ...now, height: element.clientHeight })));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);

  const widths = useMemo(() => columns.map(widthOf), [columns]);
  const template = `64px ${widths.map((width) => `minmax(${width}px, 1fr)`).join(" ")}`;
  const least = 64 + widths.reduce((sum, width) => sum + width, 0);
  if (trouble) return <Trouble error={trouble} />;
  if (total === 0) {
    return (
      <Empty icon="search" title="No row fits" action={<Button onClick={() => refine({ filters: undefined, search: undefined })}>Show all rows</Button>}>
        Loosen the filters or the search.
      </Empty>
    );
  }
  return (
    <>
      <div
        class="grid"
        ref={box}
        role="table"
        aria-rowcount={rows + 1}
        aria-colcount={columns.length + 1}
        tabIndex={0}
        aria-label="Rows"
        onScroll={(event) => setView({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}
      >
        <div class="grid-head" role="row" style={{ gridTemplateColumns: template, minWidth: `${least}px` }}>
          <div class="grid-cell at" role="columnheader">
            <span class="hush">Row</span>
          </div>
          {columns.map((column) => (
            <Header key={column.name} column={column} sort={sort} />
          ))}
        </div>
        <div class="grid-body" style={{ height: `${tall}px`, minWidth: `${least}px` }} role="rowgroup">
          <div style={{ transform: `translateY(${Math.min(view.top - ((view.top * scale) % ROW), Math.max(0, tall - (last - first) * ROW))}px)` }}>
            {Array.from({ length: Math.max(0, last - first) }, (_, index) => {
              const at = first + index;
              const block = blocks.current.get(Math.floor(at / BLOCK));
              const row = Array.isArray(block) ? block[at % BLOCK] : undefined;
              return (
                <div key={at} class="grid-row" role="row" aria-rowindex={at + 2} style={{ gridTemplateColumns: template }}>
                  <div class="grid-cell at num" role="rowheader">
                    {format.count(at + 1)}
                  </div>
                  {columns.map((column, place) => (
                    <Cell key={column.name} kind={column.kind} value={row?.[place]} known={row !== undefined} />
                  ))}
                </div>
              );
            })}
          </div>
        </div>
      </div>
      <p class="grid-foot small muted num" role="status">
        {total === null
          ? "Loading rows"
          : filtered
            ? `${format.counted(total, "row fits", "rows fit")} of ${format.count(expected)}`
            : format.counted(total, "row")}{" "}
        · version {asked.version}
      </p>
    </>
  );
}

function widthOf(column: Column): number {
  const base = column.kind === "text" ? 190 : column.kind === "datetime" ? 176 : column.kind === "category" ? 140 : 116;
  return Math.min(260, Math.max(base, (column.name.length + (column.unit?.length ?? 0)) * 8.4 + 62));
}

const RIGHT = new Set(["integer", "decimal"]);

function Cell({ kind, value, known }: { kind: string; value: unknown; known: boolean }) {
  const text = known ? format.cell(value, kind) : "";
  return (
    <div class={`grid-cell ${RIGHT.has(kind) ? "right num" : ""}`} role="cell" title={text.length > 18 ? text : undefined}>
      {known ? value === null || value === undefined ? <span class="void">empty</span> : text : <span class="cell-bone" aria-hidden="true" />}
    </div>
  );
}

function Header({ column, sort }: { column: Column; sort: ReturnType<typeof readSort> }) {
  const mine = sort?.column === column.name;
  const next = !mine ? `+${column.name}` : sort.descending ? undefined : `-${column.name}`;
  return (
    <div
      class={`grid-cell ${RIGHT.has(column.kind) ? "right" : ""}`}
      role="columnheader"
      aria-sort={mine ? (sort.descending ? "descending" : "ascending") : "none"}
    >
      <button type="button" onClick={() => refine({ sort: next })} title={`${format.named(column.name, column.unit)}: sort`}>
        <KindIcon kind={column.kind} size={14} />
        <span class="clip">{column.name}</span>
        {column.unit && <span class="unit">{column.unit}</span>}
        {mine && <Icon name={sort.descending ? "down" : "up"} size={14} />}
      </button>
    </div>
  );
}

function ChooseColumns({ all, chosen, onDone, onClose }: { all: Column[]; chosen: string[]; onDone: (names: string[]) => void; onClose: () => void }) {
  const [names, setNames] = useState(new Set(chosen));
  const [text, setText] = useState("");
  const found = all.filter((each) => each.name.toLowerCase().includes(text.trim().toLowerCase())).slice(0, 200);
  const flip = (name: string, on: boolean) => {
    const next = new Set(names);
    if (on) next.add(name);
    else next.delete(name);
    setNames(next);
  };
  return (
    <Dialog
      title="Columns to show"
      onClose={onClose}
      actions={
        <>
          <Button onClick={() => setNames(new Set(all.slice(0, MOST_COLUMNS).map((each) => each.name)))}>The first {Math.min(MOST_COLUMNS, all.length)}</Button>
          <Button
            tone="main"
            disabled={names.size === 0}
            onClick={() => {
              onDone([...names]);
              onClose();
            }}
          >
            Show {format.counted(names.size, "column")}
          </Button>
        </>
      }
    >
      <div class="stack">
        <Input label="Search columns" quiet search value={text} onInput={setText} placeholder="Search columns" />
        <div class="pick-list">
          {found.map((each) => (
            <Check key={each.name} label={each.name} checked={names.has(each.name)} onChange={(on) => flip(each.name, on)} />
          ))}
        </div>
      </div>
    </Dialog>
  );
}
