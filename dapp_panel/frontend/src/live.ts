// What moves between two answers: the progress of jobs, seconds that run down, and what deserves a word in a corner.
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { onEvents } from "./channel";
import { settle } from "./fixing";
import { say, toast } from "./parts/toasts";
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

/** Whoever looks at the thing itself sees it change, and needs no word in the corner. */
function looksAt(subject: Event["subject"]): boolean {
  const [kind, id] = place.value.parts;
  return kind === `${subject.kind}s` && id === subject.id;
}

type Word = Parameters<typeof toast>[0];

function wordOf(event: Event): Word | null {
  const mine = event.actor?.id === account.value.id || event.actor === null;
  const { id } = event.subject;
  if (event.type === "dataset.failed") {
    const data = event.data as unknown as DatasetEvent;
    return { tone: "bad", title: `${data.name} could not be read`, link: to(`/datasets/${id}`), linkText: "See why" };
  }
  if (event.type === "dataset.ready" && mine) {
    const data = event.data as unknown as DatasetEvent;
    return { tone: "good", title: `${data.name} is ready`, link: to(`/datasets/${id}`), linkText: "Open" };
  }
  if (event.type === "model.trained") {
    const data = event.data as unknown as ModelEvent;
    return { tone: "good", title: `${data.name} is trained`, link: to(`/models/${id}`), linkText: "See the result" };
  }
  if (event.type === "model.failed") {
    const data = event.data as unknown as ModelEvent;
    return { tone: "bad", title: `${data.name} could not be trained`, link: to(`/models/${id}`), linkText: "See why" };
  }
  if (event.type === "prediction.failed") {
    const data = event.data as unknown as PredictionEvent;
    return { tone: "bad", title: `Predicting with ${data.model.name} failed` };
  }
  if (/^system\.(alert|announcement|maintenance)$/.test(event.type)) {
    const data = event.data as unknown as SystemEvent;
    return data.withdrawn || event.actor?.id === account.value.id ? null : { tone: data.severity === "alert" ? "bad" : "plain", title: data.message };
  }
  return null;
}

function announce(event: Event): void {
  if (settle(event)) return;
  const word = wordOf(event);
  if (!word) return;
  if (looksAt(event.subject)) say(word.title);
  else toast(word);
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
