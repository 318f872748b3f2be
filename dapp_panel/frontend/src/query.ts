// Answers are kept by what was asked: a page shows at once what is known, asks again when it may have changed, and shares with others.
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { type Failure, call } from "./calls";
import { onEvents, onReset } from "./channel";
import type { Event } from "./schema";
import { boot } from "./session";

interface Entry {
  name: string;
  params: Record<string, unknown>;
  data: unknown;
  error: Failure | null;
  at: number;
  stale: boolean;
  loading: Promise<unknown> | null;
  watchers: Set<() => void>;
}

export interface Answer<T> {
  data: T | undefined;
  error: Failure | null;
  loading: boolean;
  reload: () => Promise<unknown>;
}

const entries = new Map<string, Entry>();
const FRESH_MS = 4000;
const MOST_KEPT = 300;

function entryOf(name: string, params: Record<string, unknown>): Entry {
  const key = `${name} ${JSON.stringify(params)}`;
  let entry = entries.get(key);
  if (!entry) {
    entry = { name, params, data: undefined, error: null, at: 0, stale: true, loading: null, watchers: new Set() };
    entries.set(key, entry);
    forgetOldest();
  }
  return entry;
}

function forgetOldest(): void {
  if (entries.size <= MOST_KEPT) return;
  for (const [key, entry] of entries) {
    if (entry.watchers.size === 0 && !entry.loading) entries.delete(key);
    if (entries.size <= MOST_KEPT * 0.8) return;
  }
}

function load(entry: Entry): Promise<unknown> {
  if (entry.loading) return entry.loading;
  entry.stale = false;
  entry.loading = call(entry.name, entry.params)
    .then(
      (data) => {
        entry.data = data;
        entry.error = null;
      },
      (error: Failure) => {
        entry.error = error;
      },
    )
    .finally(() => {
      entry.at = Date.now();
      entry.loading = null;
      tell(entry);
      if (entry.stale && entry.watchers.size > 0) void load(entry);
    });
  tell(entry);
  return entry.loading;
}

function tell(entry: Entry): void {
  for (const each of entry.watchers) each();
}

/** The answer to a call, kept up to date; nothing is asked while `name` is null. `keep` shows the former answer until the new one is there; `every` asks again after so many seconds while the page is looked at. */
export function useCall<T>(name: string | null, params: Record<string, unknown> = {}, options: { keep?: boolean; every?: number } = {}): Answer<T> {
  const key = name ? `${name} ${JSON.stringify(params)}` : "";
  const [, redraw] = useState(0);
  const [former, setFormer] = useState<T | undefined>(undefined);
  const entry = name ? entryOf(name, params) : null;

  // Before the paint: what is asked a frame earlier is there a frame earlier.
  useLayoutEffect(() => {
    if (!entry) return undefined;
    const watch = () => redraw((turn) => turn + 1);
    entry.watchers.add(watch);
    if (entry.stale || Date.now() - entry.at > FRESH_MS) void load(entry);
    return () => {
      entry.watchers.delete(watch);
    };
  }, [key]);

  useEffect(() => {
    if (!entry || !options.every) return undefined;
    const timer = setInterval(() => document.visibilityState === "visible" && void load(entry), options.every * 1000);
    return () => clearInterval(timer);
  }, [key, options.every]);

  const data = entry?.data as T | undefined;
  useEffect(() => {
    if (data !== undefined && options.keep) setFormer(data);
  }, [data, options.keep]);

  return {
    data: data ?? (options.keep ? former : undefined),
    error: entry?.error && data === undefined ? entry.error : null,
    loading: Boolean(entry && (entry.loading || (data === undefined && !entry.error))),
    reload: () => (entry ? load(entry) : Promise.resolve()),
  };
}

/** Put an answer in place that is known without asking, such as the one of a change just made. */
export function learn(name: string, params: Record<string, unknown>, data: unknown): void {
  const entry = entryOf(name, params);
  entry.data = data;
  entry.error = null;
  entry.at = Date.now();
  entry.stale = false;
  tell(entry);
}

for (const each of boot.first) learn(...each);

const pending = new Set<Entry>();
let scheduled = 0;

/** Two versions never change, so neither does what differs between them; one of them may be gone by now. */
const LASTING = new Set(["datasets.compare"]);

/** What may have changed is asked again: at once where it shows, otherwise when it shows next. */
export function invalidate(matches: (name: string, params: Record<string, unknown>) => boolean): void {
  for (const entry of entries.values()) {
    if (LASTING.has(entry.name) || !matches(entry.name, entry.params)) continue;
    entry.stale = true;
    if (entry.watchers.size > 0) pending.add(entry);
  }
  if (pending.size > 0 && !scheduled) scheduled = window.setTimeout(flush, 60);
}

function flush(): void {
  scheduled = 0;
  const due = [...pending];
  pending.clear();
  for (const entry of due) if (entry.watchers.size > 0) void load(entry);
}

function touchedBy(event: Event, name: string, params: Record<string, unknown>): boolean {
  const about = params.ref === event.subject.id || params.dataset === event.subject.id;
  const [kind] = event.type.split(".");
  if (event.type === "job.progress") return false;
  if (event.type === "model.trial") return name === "models.leaderboard" && about;
  if (event.type.endsWith(".deleted") && name === "trash.list") return true;
  if (kind === "dataset") return name === "datasets.list" || name === "home" || (about && /^(datasets|explore)\./.test(name));
  if (kind === "model") return name === "models.list" || name === "home" || (about && name.startsWith("models."));
  if (kind === "job") return name.startsWith("jobs.") || name === "home" || name === "system.status";
  if (kind === "prediction") return name === "datasets.list" || name === "home";
  if (kind === "notification") return name.startsWith("notifications.");
  if (kind === "insight") return (about && name.startsWith("insights.")) || name === "insights.list" || name === "home";
  if (kind === "monitor") return (about && name.startsWith("models.")) || name === "home" || name === "models.list";
  if (event.type === "system.keys") return name === "keys.status";
  if (kind === "system") return /^(announcements|maintenance|system)\./.test(name);
  if (kind === "user") return /^(accounts|sessions|tokens|invitations)\./.test(name) || name === "account.me" || name === "audit.list";
  return false;
}

const BUSY = new Set(["job.progress", "model.trial"]);

onEvents((events) => {
  const told = events.some((event) => !BUSY.has(event.type));
  const rings = /^(?:dataset\.(?:ready|failed|uploaded|shared)|model\.(?:trained|failed|shared|promoted)|prediction\.|monitor\.|system\.|insight\.published)/;
  const rang = events.some((event) => rings.test(event.type));
  invalidate(
    (name, params) =>
      (told && (name === "events.recent" || name === "home")) ||
      (rang && name.startsWith("notifications.")) ||
      events.some((event) => touchedBy(event, name, params)),
  );
});
onReset(() => invalidate(() => true));
