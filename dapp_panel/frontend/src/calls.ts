// Calls to the server: one request each, over connections that the browser keeps open. What only reads waits out a lost
// line and is asked again; what changes something is sent once, and whoever asked is told when its fate is unknown.
import { effect } from "@preact/signals";
import type { Early } from "./early";
import { ended, pause, unheard, whenReached } from "./line";

/** A failure in words that people can read; `code` is for programs. */
export class Failure extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly details: Record<string, unknown> = {},
    readonly requestId = "",
  ) {
    super(message);
  }
}

interface Refusal {
  error?: { code: string; message: string; details: Record<string, unknown>; request_id: string };
}

const LARGEST = 1024 * 1024;
const MOST_TRIES = 5;
// What a proxy says of its own accord when the server behind it is not there.
const NOBODY_THERE = new Set([502, 503, 504]);

// What changes nothing and leaves no mark, so that it may be asked twice.
const READING = new Set([
  "home",
  "datasets.list",
  "datasets.get",
  "datasets.profile",
  "datasets.rows",
  "datasets.versions",
  "datasets.compare",
  "datasets.dependents",
  "datasets.lineage",
  "explore.open",
  "explore.board",
  "explore.code",
  "models.leaderboard",
  "models.list",
  "models.get",
  "models.results",
  "models.versions",
  "models.compare",
  "models.policies",
  "models.monitoring",
  "models.log",
  "models.lineage",
  "models.check",
  "models.advise",
  "jobs.list",
  "jobs.get",
  "events.recent",
  "account.me",
  "sessions.list",
  "tokens.list",
  "notifications.list",
  "notifications.count",
  "announcements.list",
  "announcements.history",
  "maintenance.read",
  "grants.people",
  "grants.list",
  "shares.list",
  "trash.list",
  "insights.table",
  "accounts.list",
  "accounts.quotas",
  "invitations.list",
  "audit.list",
  "keys.status",
  "system.status",
]);

let moving = 0;
const quiet = new Set<() => void>();
const reading = new Set<AbortController>();

/** Ask the server; the answer is what the named call of `dapp_panel.pages` gives. */
export async function call<T>(name: string, params: object = {}): Promise<T> {
  const body = JSON.stringify(params);
  if (body.length > LARGEST) throw new Failure("too_large", "This is more than can be sent at once. Send less, or upload it as a file.");
  moving += 1;
  try {
    return await ask<T>(name, body);
  } finally {
    moving -= 1;
    if (moving === 0) for (const each of quiet) each();
  }
}

async function ask<T>(name: string, body: string): Promise<T> {
  const safe = READING.has(name);
  for (let tries = 1; ; tries += 1) {
    if (ended.value) throw signedOut();
    const answer = await send(name, body, safe);
    if (answer?.ok) return (await answer.json()) as T;
    const said = answer ? await refusalOf(answer) : null;
    // A password that is not right, typed into a form, says nothing of the sign-in itself.
    if (answer?.status === 401 && said?.code !== "login_refused") {
      ended.value = true;
      throw signedOut();
    }
    if (said) throw new Failure(said.code, said.message, said.details, said.request_id);
    if (answer && !NOBODY_THERE.has(answer.status)) throw new Failure("internal", "The server gave no answer that can be read. Try again in a moment.");
    if (!safe) {
      void whenReached();
      throw new Failure("unavailable", "The connection was lost before an answer came. Look whether it was done, then try again.");
    }
    if (tries >= MOST_TRIES) throw new Failure("unavailable", "The server did not answer. Try again in a moment.");
    await pause(100 * tries);
    await whenReached();
  }
}

/** The response with its whole body; null when the line was lost before it was there. */
async function send(name: string, body: string, safe: boolean): Promise<Response | null> {
  const stop = new AbortController();
  if (safe) reading.add(stop);
  try {
    const answer = await (taken(`${name} ${body}`) ??
      fetch(`/call/${name}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body,
        cache: "no-store",
        credentials: "same-origin",
        redirect: "error",
        signal: stop.signal,
      }));
    return new Response(await answer.blob(), { status: answer.status });
  } catch {
    return null;
  } finally {
    reading.delete(stop);
  }
}

const LONGEST_EARLY_MS = 4000;

/** The answer of the call that the page sent before its scripts were there; once, and while it is new. */
function taken(key: string): Promise<Response> | undefined {
  const place = globalThis as { early?: Early | undefined };
  const found = place.early;
  if (found?.key !== key) return undefined;
  place.early = undefined;
  return Date.now() - found.at < LONGEST_EARLY_MS ? found.answer : undefined;
}

async function refusalOf(answer: Response): Promise<Refusal["error"] | null> {
  try {
    return ((await answer.json()) as Refusal).error ?? null;
  } catch {
    return null;
  }
}

function signedOut(): Failure {
  return new Failure("not_signed_in", "Your sign-in has ended. Sign in again.");
}

// A network that is gone without a word keeps requests waiting for minutes; what may be asked again is then asked again.
function askAgain(): void {
  for (const each of reading) each.abort();
}

effect(() => {
  if (unheard.value) askAgain();
});
addEventListener("offline", askAgain);

/** Resolves when what was asked first has been answered and nothing is under way, or after a while. */
export function whenQuiet(longest: number): Promise<void> {
  return new Promise((done) => {
    let timer = 0;
    const settle = () => {
      clearTimeout(timer);
      // An answer draws things that ask more.
      timer = window.setTimeout(() => moving === 0 && finish(), 120);
    };
    const late = setTimeout(() => finish(), longest);
    const finish = () => {
      clearTimeout(late);
      clearTimeout(timer);
      quiet.delete(settle);
      done();
    };
    quiet.add(settle);
    if (moving === 0) settle();
  });
}
