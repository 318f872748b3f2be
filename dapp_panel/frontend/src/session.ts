// Who looks, and what the role allows: shown or hidden by it here, decided by the service on every call.
import { signal } from "@preact/signals";
import type { AccountRead } from "./schema";

interface Boot {
  account: AccountRead;
  rights: Record<string, number>;
  cursor: string;
  version: string;
  uploadLimit: number;
  /** What the frame asks first, answered with the page: name, parameters, answer. */
  first: [string, Record<string, unknown>, unknown][];
}

export const boot = JSON.parse(document.querySelector("#boot")?.textContent ?? "null") as Boot;
export const account = signal<AccountRead>(boot.account);
export const rights = signal<Record<string, number>>(boot.rights);

interface Owned {
  owner: { id: string };
  visibility: string;
  access?: "read" | "use" | "edit" | "owner";
}

/** What a person may do with a thing that was shared with them, by level. */
const GRANTED: Record<string, number> = { use: 1, export: 1, predict: 1, predict_batch: 1, train: 1, update: 2, version: 2, stop: 2 };
const LEVELS = { read: 0, use: 1, edit: 2, owner: 3 };

/** Whether the visitor may do this, to this thing when one is given. */
export function may(verb: string, thing?: Owned | null): boolean {
  const reach = rights.value[verb] ?? 0;
  if (reach === 0) return false;
  if (reach === 3 || !thing || thing.owner.id === account.value.id) return true;
  if (reach === 2 && thing.visibility === "team") return true;
  const needed = GRANTED[verb.split(".")[1] ?? ""];
  return needed !== undefined && thing.access !== undefined && LEVELS[thing.access] >= needed;
}

/** The name that people know an account by. */
export function nameOf(person: { name: string; email?: string } | null | undefined): string {
  return person?.name || person?.email?.split("@")[0] || "Someone";
}
