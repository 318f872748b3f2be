// One message channel to the server: calls go out and are answered, events come in. It opens by itself, and again after a loss.
import { signal } from "@preact/signals";
import type { AccountRead, Event } from "./schema";

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

interface PanelModel {
  send_msg(data: unknown): void;
  on(event: string, callback: (data: string) => void): void;
  document: { on_event(name: string, callback: () => void): void };
}

interface Item {
  id?: number;
  ok?: unknown;
  error?: { code: string; message: string; details: Record<string, unknown>; request_id: string };
  events?: Event[];
  account?: AccountRead;
  rights?: Record<string, number>;
  ended?: boolean;
  reset?: boolean;
  following?: string;
  unfollowed?: string;
}

interface Waiting {
  name: string;
  params: object;
  resolve: (value: unknown) => void;
  reject: (reason: Failure) => void;
}

export type Line = "opening" | "open" | "lost" | "ended";

/** How the line is; the shell says so when it is lost. */
export const line = signal<Line>("opening");

const waiting = new Map<number, Waiting>();
const eventListeners = new Set<(events: Event[]) => void>();
const resetListeners = new Set<() => void>();
const accountListeners = new Set<(account: AccountRead, rights: Record<string, number>) => void>();
let model: PanelModel | null = null;
let cursor = "";
let next = 1;
let here = "/";
let failures = 0;
let channelNumber = 0;

/** Ask the server; the answer is what the named call of `dapp_panel.pages` gives. */
export function call<T>(name: string, params: object = {}): Promise<T> {
  if (line.value === "ended") return Promise.reject(new Failure("not_signed_in", "Your sign-in has ended. Sign in again."));
  return new Promise<T>((resolve, reject) => {
    const id = next++;
    waiting.set(id, { name, params, resolve: resolve as (value: unknown) => void, reject });
    model?.send_msg({ id, call: name, params });
  });
}

export function onEvents(callback: (events: Event[]) => void): void {
  eventListeners.add(callback);
}

export function onReset(callback: () => void): void {
  resetListeners.add(callback);
}

export function onAccount(callback: (account: AccountRead, rights: Record<string, number>) => void): void {
  accountListeners.add(callback);
}

/** Tell the server which page is open, so that it sends what matters there. */
export function tellPlace(place: string): void {
  here = place;
  model?.send_msg({ place });
}

/** Panel calls this with the model of the component once its document is there. */
export function attach(fresh: PanelModel): void {
  model = fresh;
  failures = 0;
  fresh.on("msg:custom", receive);
  const mine = channelNumber;
  fresh.document.on_event("connection_lost", () => {
    if (mine === channelNumber) lose();
  });
  line.value = "open";
  fresh.send_msg({ place: here });
  fresh.send_msg({ follow: cursor });
  for (const [id, each] of waiting) fresh.send_msg({ id, call: each.name, params: each.params });
}

function receive(text: string): void {
  for (const item of JSON.parse(text) as Item[]) {
    if (item.id !== undefined) settle(item);
    if (item.events) {
      const last = item.events.at(-1);
      if (last) cursor = last.id;
      for (const each of eventListeners) each(item.events);
    }
    if (item.following && !cursor) cursor = item.following;
    if (item.unfollowed) setTimeout(() => model?.send_msg({ follow: cursor }), 5000);
    if (item.reset) for (const each of resetListeners) each();
    if (item.account && item.rights) for (const each of accountListeners) each(item.account, item.rights);
    if (item.ended) end();
  }
}

function settle(item: Item): void {
  const asked = waiting.get(item.id as number);
  if (!asked) return;
  waiting.delete(item.id as number);
  if (item.error) asked.reject(new Failure(item.error.code, item.error.message, item.error.details, item.error.request_id));
  else asked.resolve(item.ok);
}

function end(): void {
  line.value = "ended";
  for (const each of waiting.values()) each.reject(new Failure("not_signed_in", "Your sign-in has ended. Sign in again."));
  waiting.clear();
}

function lose(): void {
  if (line.value === "ended") return;
  model = null;
  line.value = "lost";
  // What changes something must not be sent twice: whoever asked is told, and decides.
  for (const [id, each] of waiting) {
    if (isReading(each.name)) continue;
    waiting.delete(id);
    each.reject(new Failure("unavailable", "The connection was lost before an answer came. Look whether it was done, then try again."));
  }
  void open();
}

function isReading(name: string): boolean {
  return /\.(list|get|profile|rows|query|results|leaderboard|recent|me|status|predict|board|open|code|versions|lineage|grants|people|quotas|sessions|tokens|invitations|announcements|compare|monitoring|unread|policies|log|count|history|read)$|^home$/.test(
    name,
  );
}

const pause = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds));

let scripts: Promise<void> | null = null;

function loadScripts(): Promise<void> {
  scripts ??= new Promise<void>((resolve, reject) => {
    const script = document.createElement("script");
    script.src = document.querySelector<HTMLElement>("#channel")?.dataset.script ?? "";
    script.onload = () => resolve();
    script.onerror = () => {
      scripts = null;
      script.remove();
      reject(new Error("script"));
    };
    document.head.append(script);
  });
  return scripts;
}

/** Open the line, and try again for as long as it takes. */
export async function open(): Promise<void> {
  for (;;) {
    try {
      const [answer] = await Promise.all([fetch("/channel", { credentials: "same-origin", cache: "no-store" }), loadScripts()]);
      if (answer.status === 401) return end();
      if (!answer.ok) throw new Error(String(answer.status));
      const { token, root } = (await answer.json()) as { token: string; root: string };
      await embed(token, root);
      return;
    } catch {
      failures += 1;
      if (failures > 1) line.value = "lost";
      await pause(Math.min(5000, 250 * 2 ** failures));
    }
  }
}

interface BokehGlobal {
  embed: { embed_items(docs: object, items: object[]): Promise<unknown[]> };
}

const LONGEST_OPENING = 20_000;

async function embed(token: string, root: string): Promise<void> {
  channelNumber += 1;
  const host = document.querySelector("#channel") as HTMLElement;
  const place = document.createElement("div");
  place.id = `channel-${channelNumber}`;
  host.replaceChildren(place);
  const bokeh = (globalThis as unknown as { Bokeh: BokehGlobal }).Bokeh;
  const opening = bokeh.embed.embed_items({}, [{ token, roots: { [root]: place.id }, root_ids: [root], use_for_title: false }]);
  const views = await Promise.race([opening, pause(LONGEST_OPENING)]);
  // A refused or silent socket is no failure to Bokeh: it only shows nothing. The next try says whether the sign-in has ended.
  if (!views?.length) throw new Error("no channel");
}
