// A chart of Explore shown to others: its picture and numbers, as they are at this moment, on Home.
import { useState } from "preact/hooks";
import { type Failure, call } from "../calls";
import { invalidate } from "../query";
import { to } from "../router";
import type { DatasetRead, InsightRead } from "../schema";
import { Button, Segmented } from "../parts/button";
import { Dialog } from "../parts/dialog";
import { Input } from "../parts/field";
import { Notice } from "../parts/surface";
import { toast } from "../parts/toasts";
import { type Leaving, pngOf } from "./export";

const MOST_ROWS = 1000;
const MOST_COLUMNS = 50;

export function Publish({ of, dataset, onClose }: { of: Leaving; dataset: DatasetRead; onClose: () => void }) {
  const [title, setTitle] = useState(of.title);
  const [visibility, setVisibility] = useState(dataset.visibility);
  const [trouble, setTrouble] = useState("");
  const publish = async () => {
    setTrouble("");
    const { columns, rows } = of.drawn.numbers();
    const narrow = columns.length <= MOST_COLUMNS;
    try {
      const picture = (await pngOf(of)).replace(/^data:image\/png;base64,/, "");
      const table = narrow ? { columns, rows: rows.slice(0, MOST_ROWS).map((row) => row.map((value) => value ?? null)), total: rows.length } : null;
      await call<InsightRead>("insights.publish", { title: title.trim(), note: of.under, picture, table, dataset: dataset.id, visibility, source: "Explore" });
      invalidate((name) => name === "home");
      toast({ tone: "good", title: `${title.trim()} is on Home`, link: to("/"), linkText: "See it" });
      onClose();
    } catch (error) {
      setTrouble((error as Failure).message);
    }
  };
  return (
    <Dialog
      title="Show on Home"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="main" disabled={!title.trim()} onClick={publish}>
            Show it
          </Button>
        </>
      }
    >
      <div class="stack">
        <p class="muted">The chart as it is now, with its numbers. It says which rows, version and filters it shows, and can be sent as a read-only link.</p>
        <Input label="Title" value={title} onInput={setTitle} />
        <Segmented
          label="Who sees it"
          value={visibility}
          choices={[
            { value: "team", label: "The team" },
            { value: "private", label: "Only you" },
          ]}
          onChange={setVisibility}
        />
        {trouble && <Notice tone="bad">{trouble}</Notice>}
      </div>
    </Dialog>
  );
}
