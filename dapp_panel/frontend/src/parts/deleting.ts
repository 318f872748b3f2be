// Deleting that can be undone: at once from the corner, for a day from the Account page.
import { type Failure, call } from "../calls";
import { invalidate } from "../query";
import { go } from "../router";
import type { TrashRead } from "../schema";
import { toast } from "./toasts";

const LISTS = /^(?:home$|datasets\.list|models\.list|models\.versions|insights\.list|trash\.list|shares\.list)/;

/** Delete something so that it can be brought back; `home` is where its page would be. */
export async function discard(kind: TrashRead["kind"], id: string, home?: string): Promise<void> {
  const put = await call<TrashRead>("trash.put", { kind, ref: id });
  invalidate((name) => LISTS.test(name));
  toast({ title: `${put.name} was deleted`, act: { words: "Undo", run: () => void bringBack(put, home) } });
}

/** Bring back what was deleted, and go to its page where it has one. */
export async function bringBack(put: TrashRead, home?: string): Promise<void> {
  try {
    const back = await call<TrashRead>("trash.restore", { ref: put.id });
    invalidate((name, params) => LISTS.test(name) || params.ref === put.id);
    toast({ tone: "good", title: `${back.name} is back` });
    if (home) go(home);
  } catch (error) {
    toast({ tone: "bad", title: (error as Failure).message });
  }
}
