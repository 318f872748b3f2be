// What moves between two answers: the progress of jobs, seconds that run down, and what deserves a word in a corner.
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { onEvents } from "./channel";
import { settle } from "./fixing";
import { toast } from "./parts/toasts";
import { place, to } from "./router";
import type { DatasetEvent, Event, JobEvent, JobRead, ModelEvent, PredictionEvent, SystemEvent } from "./schema";
import { account } from "./session";

export interface Motion {
  progress: number;
  message: string;
  status: string;
}

/** The latest word of each job, newer than the answer that a page holds. */
export const motions = signal<ReadonlyMap<string, Motion>>(new Map());

onEvents((events) => {
  const moved = events.filter((event) => event.type.startsWith("job."));
  if (moved.length > 0) {
    const next = new Map(motions.value);
    for (const event of moved) {
      const data = event.data as unknown as JobEvent;
      next.set(event.subject.id, { progress: data.progress, message: data.message, status: data.status });
    }
    while (next.size > 400) next.delete(next.keys().next().value as string);
    motions.value = next;
  }
  for (const event of events) announce(event);
});

/** A job with its latest word. */
export function moving(job: JobRead): Motion {
  return motions.value.get(job.id) ?? { progress: job.progress, message: job.message, status: job.status };
}

/** Whoever looks at the thing itself sees it change, and needs no word of it. */
function looksAt(subject: Event["subject"]): boolean {
  const [kind, id] = place.value.parts;
  return kind === `${subject.kind}s` && id === subject.id;
}

function announce(event: Event): void {
  if (settle(event)) return;
  if (looksAt(event.subject)) return;
  const mine = event.actor?.id === account.value.id || event.actor === null;
  if (event.type === "dataset.failed") {
    const data = event.data as unknown as DatasetEvent;
    toast({ tone: "bad", title: `${data.name} could not be read`, link: to(`/datasets/${event.subject.id}`), linkText: "See why" });
  } else if (event.type === "dataset.ready" && mine) {
    const data = event.data as unknown as DatasetEvent;
    toast({ tone: "good", title: `${data.name} is ready`, link: to(`/datasets/${event.subject.id}`), linkText: "Open" });
  } else if (event.type === "model.trained") {
    const data = event.data as unknown as ModelEvent;
    toast({ tone: "good", title: `${data.name} is trained`, link: to(`/models/${event.subject.id}`), linkText: "See the result" });
  } else if (event.type === "model.failed") {
    const data = event.data as unknown as ModelEvent;
    toast({ tone: "bad", title: `${data.name} could not be trained`, link: to(`/models/${event.subject.id}`), linkText: "See why" });
  } else if (event.type === "prediction.failed") {
    const data = event.data as unknown as PredictionEvent;
    toast({ tone: "bad", title: `Predicting with ${data.model.name} failed` });
  } else if (/^system\.(alert|announcement|maintenance)$/.test(event.type)) {
    const data = event.data as unknown as SystemEvent;
    if (!data.withdrawn) toast({ tone: data.severity === "alert" ? "bad" : "plain", title: data.message });
  }
}

/** A number that counts down by the second between two answers. */
export function useCountdown(seconds: number | null | undefined, stamp: unknown): number | null {
  const [left, setLeft] = useState<number | null>(seconds ?? null);
  useEffect(() => {
    setLeft(seconds ?? null);
    if (seconds == null) return undefined;
    const end = Date.now() + seconds * 1000;
    const timer = setInterval(() => setLeft(Math.max(0, (end - Date.now()) / 1000)), 500);
    return () => clearInterval(timer);
  }, [seconds, stamp]);
  return left;
}

/** Redraws now and then so that "3 minutes ago" stays true. */
export function useMinute(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 20_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
