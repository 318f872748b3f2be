// The address after the hash is the place: it survives a reload, the back button works, and a link opens the same view.
import { signal } from "@preact/signals";

export interface Place {
  path: string;
  parts: string[];
  query: URLSearchParams;
}

function read(): Place {
  const raw = location.hash.replace(/^#/, "") || "/";
  const [path = "/", search = ""] = raw.split("?", 2);
  const clean = path.startsWith("/") ? path : `/${path}`;
  return { path: clean, parts: clean.split("/").filter(Boolean).map(decode), query: new URLSearchParams(search) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const place = signal<Place>(read());
const listeners = new Set<(place: Place) => void>();
const scrolls = new Map<string, number>();
let leaving = location.hash;
let forward = false;

addEventListener("hashchange", () => {
  scrolls.set(leaving, scrollY);
  leaving = location.hash;
  const before = place.value.path;
  place.value = read();
  const target = forward ? 0 : (scrolls.get(location.hash) ?? 0);
  forward = false;
  if (before !== place.value.path) requestAnimationFrame(() => requestAnimationFrame(() => scrollTo(0, target)));
  for (const each of listeners) each(place.value);
});

/** Be told of each new place. */
export function onPlace(callback: (place: Place) => void): void {
  listeners.add(callback);
}

/** The address of a place. */
export function to(path: string, query?: Record<string, string | undefined>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) if (value) search.set(key, value);
  const text = search.toString();
  return `#${path}${text ? `?${text}` : ""}`;
}

/** Go to a place. */
export function go(path: string, query?: Record<string, string | undefined>): void {
  forward = true;
  location.hash = to(path, query);
}

/** Change a part of the present place without a step for the back button. */
export function refine(changes: Record<string, string | undefined>): void {
  const query = new URLSearchParams(place.value.query);
  for (const [key, value] of Object.entries(changes)) {
    if (value) query.set(key, value);
    else query.delete(key);
  }
  const text = query.toString();
  history.replaceState(history.state, "", `#${place.value.path}${text ? `?${text}` : ""}`);
  leaving = location.hash;
  place.value = read();
  for (const each of listeners) each(place.value);
}
