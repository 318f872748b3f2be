// What was deleted within a day: brought back, or deleted for good.
import { call } from "../calls";
import { invalidate, useCall } from "../query";
import type { Page, TrashRead } from "../schema";
import { may, nameOf } from "../session";
import { Button } from "../parts/button";
import { bringBack } from "../parts/deleting";
import { ask } from "../parts/dialog";
import { Ago, Card, Trouble } from "../parts/surface";

const KINDS: Record<TrashRead["kind"], string> = { dataset: "Dataset", model: "Model", insight: "Chart or table" };

export function Deleted() {
  const found = useCall<Page<TrashRead>>(may("trash.list") ? "trash.list" : null);
  const items = found.data?.items ?? [];
  if (!found.error && items.length === 0) return null;
  const forGood = (each: TrashRead) =>
    ask({
      title: `Delete ${each.name} for good?`,
      words: "Its data and its key are destroyed now. This cannot be undone.",
      yes: "Delete for good",
      danger: true,
      act: () => call("trash.delete", { ref: each.id }).then(() => invalidate((name) => name === "trash.list")),
    });
  return (
    <Card title="Recently deleted" note="Kept for a day, seen by nobody." flush>
      {found.error && <Trouble error={found.error} again={found.reload} />}
      <ul class="lines">
        {items.map((each) => (
          <li key={each.id} class="version-line">
            <span class="grow">
              <span class="strong clip" style={{ display: "block" }}>
                {each.name}
              </span>
              <span class="small muted">
                {KINDS[each.kind]} · {nameOf(each.by)} · <Ago at={each.deleted_at} />
              </span>
            </span>
            <Button small icon="undo" label={`Bring back ${each.name}`} onClick={() => bringBack(each)}>
              Bring back
            </Button>
            <Button small icon="remove" label={`Delete ${each.name} for good`} onClick={() => forGood(each)} />
          </li>
        ))}
      </ul>
    </Card>
  );
}
