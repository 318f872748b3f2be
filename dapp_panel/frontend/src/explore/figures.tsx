// Key figures: how many rows are left, and whatever else is asked for.
import { useState } from "preact/hooks";
import * as format from "../format";
import { useCall } from "../query";
import type { BoardRead, DatasetRead, Filter, Measure } from "../schema";
import { Button } from "../parts/button";
import { Dialog } from "../parts/dialog";
import { Chooser, Select } from "../parts/field";
import { Icon } from "../parts/icon";
import { writeFigures } from "./board";
import { change, before } from "./period";
import { MEASURES, usual } from "./choose";

const NUMERIC = new Set(["integer", "decimal", "duration", "boolean"]);

interface FiguresProps {
  dataset: DatasetRead;
  board: BoardRead | undefined;
  figures: Measure[];
  /** Every condition that holds. */
  filters: Filter[];
}

export function Figures({ dataset, board, figures, filters }: FiguresProps) {
  const [adding, setAdding] = useState(false);
  const earlier = before(filters, dataset.schema);
  const then = useCall<BoardRead>(
    earlier && board ? "explore.board" : null,
    { ref: dataset.id, version: dataset.version, charts: [], figures, filters: earlier?.filters },
    { keep: true },
  ).data;
  const against = (now: unknown, past: unknown, shown: string) => {
    const words = earlier && then ? change(now, past, earlier.words) : "";
    return (
      words && (
        <span class="small muted" title={`${shown} in ${earlier?.words}`}>
          {words}
        </span>
      )
    );
  };
  const fit = board?.fit;
  return (
    <div class="figures">
      <div class="figure-card" role="status">
        <span class="small muted">Rows</span>
        <b class="num" data-figure="rows">
          {format.count(fit)}
        </b>
        <span class="small muted num">
          {board && fit !== board.rows ? `${format.percent((fit ?? 0) / (board.rows || 1))} of ${format.count(board.rows)}` : "all of them"}
        </span>
        {against(fit, then?.fit, format.count(then?.fit))}
      </div>
      {figures.map((each, at) => (
        <div class="figure-card" key={`${each.op}${each.column}`}>
          <span class="small muted clip">{nameOf(each)}</span>
          <b class="num">{shown(board?.figures[at], dataset, each)}</b>
          {against(board?.figures[at], then?.figures[at], shown(then?.figures[at], dataset, each))}
          <button
            type="button"
            class="figure-close"
            aria-label={`Remove the figure ${nameOf(each)}`}
            onClick={() => writeFigures(figures.filter((_, place) => place !== at))}
          >
            <Icon name="close" size={14} />
          </button>
        </div>
      ))}
      {figures.length < 8 && (
        <Button icon="plus" onClick={() => setAdding(true)}>
          Figure
        </Button>
      )}
      {adding && <Add dataset={dataset} onDone={(figure) => writeFigures([...figures, figure])} onClose={() => setAdding(false)} />}
    </div>
  );
}

function nameOf(figure: Measure): string {
  if (figure.op === "count") return `Rows with ${figure.column}`;
  return `${MEASURES.find(([each]) => each === figure.op)?.[1] ?? figure.op} ${figure.column ?? ""}`;
}

function shown(value: unknown, dataset: DatasetRead, figure: Measure): string {
  if (value === undefined || value === null) return "–";
  const column = dataset.schema.find((each) => each.name === figure.column);
  if (typeof value !== "number") return format.cell(value, column?.kind);
  return format.measured(value, figure.op === "count" || figure.op === "distinct" ? null : column?.unit);
}

function Add({ dataset, onDone, onClose }: { dataset: DatasetRead; onDone: (figure: Measure) => void; onClose: () => void }) {
  const [column, setColumn] = useState("");
  const kind = dataset.schema.find((each) => each.name === column)?.kind ?? "";
  const ops = MEASURES.filter(([each]) => NUMERIC.has(kind) || each === "distinct");
  const [op, setOp] = useState<string | null>(null);
  const wanted = op ?? usual(column);
  const chosen = ops.some(([each]) => each === wanted) ? wanted : "distinct";
  return (
    <Dialog
      title="Add a figure"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            tone="main"
            disabled={!column}
            onClick={() => {
              onDone({ op: chosen as Measure["op"], column });
              onClose();
            }}
          >
            Add
          </Button>
        </>
      }
    >
      <div class="stack">
        <Chooser
          label="Column"
          value={column}
          options={dataset.schema.map((each) => ({ value: each.name, label: each.name, kind: each.kind }))}
          onChange={setColumn}
        />
        <Select label="Figure" value={chosen} choices={ops} onChange={setOp} />
      </div>
    </Dialog>
  );
}
