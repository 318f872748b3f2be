// Fixes on their way: the way back is offered from the moment their version is there, however long it took to make.
import { type Failure, call } from "./calls";
import { invalidate } from "./query";
import { toast } from "./parts/toasts";
import { to } from "./router";
import type { DatasetEvent, DatasetRead, Event } from "./schema";

/** By dataset and version, what was asked for. */
const asked = new Map<string, string>();
/** What was told before the answer to the asking came. */
const early = new Map<string, Event>();
const MOST_EARLY = 50;

function keyOf(id: string, version: number | null): string {
  return `${id} ${version}`;
}

const again = (id: string) => invalidate((name, params) => params.ref === id || name === "datasets.list");

/** Make the version before the fix the latest again. */
export function takeBack(id: string): Promise<unknown> {
  return call<DatasetRead>("datasets.undo", { ref: id }).then(
    (fresh) => {
      again(id);
      toast({ title: `Taken back: version ${fresh.version} is as it was before` });
    },
    (error: Failure) => toast({ tone: "bad", title: error.message }),
  );
}

/** Ask for a fix. */
export function mend(dataset: DatasetRead, params: Record<string, unknown>, sentence: string): Promise<unknown> {
  return call<DatasetRead>("datasets.fix", { ref: dataset.id, version: dataset.version, ...params }).then(
    (made) => {
      const key = keyOf(made.id, made.pending?.version ?? made.version);
      asked.set(key, sentence);
      again(dataset.id);
      const told = early.get(key);
      if (told) settle(told);
      else toast({ title: `A new version is being made: ${sentence}` });
    },
    (error: Failure) => toast({ tone: "bad", title: error.message }),
  );
}

/** Whether an event tells of a fix that was asked for here, which is then said with its way back. */
export function settle(event: Event): boolean {
  if (event.type !== "dataset.ready" && event.type !== "dataset.failed") return false;
  const data = event.data as unknown as DatasetEvent;
  const key = keyOf(event.subject.id, data.version);
  const sentence = asked.get(key);
  if (sentence === undefined) {
    early.set(key, event);
    if (early.size > MOST_EARLY) early.delete(early.keys().next().value as string);
    return false;
  }
  asked.delete(key);
  early.delete(key);
  const id = event.subject.id;
  if (event.type === "dataset.ready") toast({ tone: "good", title: sentence, act: { words: "Undo", run: () => void takeBack(id) } });
  else toast({ tone: "bad", title: `The fix could not be made in ${data.name}`, link: to(`/datasets/${id}/versions`), linkText: "See why" });
  return true;
}
