// How the line to the server is: whether calls reach it, whether live news comes, whether the sign-in still counts.
import { computed, signal } from "@preact/signals";

export type Line = "open" | "lost" | "ended";

/** Calls do not get through. */
export const unreached = signal(false);
/** The channel was there and is gone. */
export const unheard = signal(false);
export const ended = signal(false);

/** What the shell says. */
export const line = computed<Line>(() => (ended.value ? "ended" : unreached.value || unheard.value ? "lost" : "open"));

export const pause = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds));

const LONGEST_LOOK = 8000;
let back: Promise<void> | null = null;

/** Resolves once the server answers again; says that it does not until then. */
export function whenReached(): Promise<void> {
  back ??= look().finally(() => {
    back = null;
  });
  return back;
}

async function look(): Promise<void> {
  for (let turn = 0; ; turn += 1) {
    try {
      const answer = await fetch("/health/live", { cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(LONGEST_LOOK) });
      if (answer.ok) break;
    } catch {
      // No network, or nobody there: the next look tells.
    }
    unreached.value = true;
    await pause(Math.min(5000, 250 * 2 ** turn));
  }
  unreached.value = false;
}
