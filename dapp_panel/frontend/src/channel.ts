// The live half of the page: events and changes of the account come in over one channel. It opens once the first data shows, and again after a loss.
import { whenQuiet } from "./calls";
import { ended, pause, unheard } from "./line";
import type { AccountRead, Event } from "./schema";
import { boot } from "./session";

interface PanelModel {
  send_msg(data: unknown): void;
  on(event: string, callback: (data: string) => void): void;
  document: { on_event(name: string, callback: () => void): void };
}

interface Item {
  events?: Event[];
  account?: AccountRead;
  rights?: Record<string, number>;
  ended?: boolean;
  reset?: boolean;
  following?: string;
  unfollowed?: string;
}

const eventListeners = new Set<(events: Event[]) => void>();
const resetListeners = new Set<() => void>();
const accountListeners = new Set<(account: AccountRead, rights: Record<string, number>) => void>();
let model: PanelModel | null = null;
// What happened since the shell was made is told as soon as the channel is there.
let cursor = boot.cursor;
let here = "/";
let failures = 0;
let channelNumber = 0;

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
  unheard.value = false;
  fresh.send_msg({ place: here });
  fresh.send_msg({ follow: cursor });
}

function receive(text: string): void {
  for (const item of JSON.parse(text) as Item[]) {
    if (item.events) {
      const last = item.events.at(-1);
      if (last) cursor = last.id;
      for (const each of eventListeners) each(item.events);
    }
    if (item.reset) {
      cursor = "";
      for (const each of resetListeners) each();
    }
    if (item.following && !cursor) cursor = item.following;
    if (item.unfollowed) setTimeout(() => model?.send_msg({ follow: cursor }), 5000);
    if (item.account && item.rights) for (const each of accountListeners) each(item.account, item.rights);
    if (item.ended) ended.value = true;
  }
}

function lose(): void {
  if (ended.value) return;
  model = null;
  unheard.value = true;
  void keepOpening();
}

const LONGEST_WAIT = 5000;
const SPREAD = 400;

/** Open the channel when what was asked first is on the screen and the browser has nothing better to do. */
export async function open(): Promise<void> {
  await whenQuiet(LONGEST_WAIT);
  // Many who come at the same moment need not all take their second step at the same moment.
  await pause(Math.random() * SPREAD);
  await idle();
  await keepOpening();
}

function idle(): Promise<void> {
  return new Promise((done) => ("requestIdleCallback" in globalThis ? requestIdleCallback(() => done(), { timeout: 1000 }) : setTimeout(done, 50)));
}

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

async function keepOpening(): Promise<void> {
  while (!ended.value) {
    try {
      await loadScripts();
      const answer = await fetch("/channel", { credentials: "same-origin", cache: "no-store" });
      if (answer.status === 401) {
        ended.value = true;
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      const { token, root } = (await answer.json()) as { token: string; root: string };
      await embed(token, root);
      return;
    } catch {
      failures += 1;
      if (failures > 1) unheard.value = true;
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
