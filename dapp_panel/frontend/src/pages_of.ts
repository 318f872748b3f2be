// The pages of a list after the first: asked for when somebody wants them.
import { useEffect, useState } from "preact/hooks";
import { type Failure, call } from "./calls";
import type { Page as Listed } from "./schema";
import { toast } from "./parts/toasts";

export const PAGE = 50;

/** What follows the first page of a list, and how to ask for more of it. */
export function useMore<T extends { id: string }>(name: "datasets.list" | "models.list", first: Listed<T> | undefined, search: string) {
  const [items, setItems] = useState<T[]>([]);
  const [next, setNext] = useState<string | null | undefined>(undefined);
  useEffect(() => {
    setItems([]);
    setNext(undefined);
  }, [search, first?.next]);
  const cursor = next === undefined ? (first?.next ?? null) : next;
  const load = () =>
    call<Listed<T>>(name, { search: search || null, limit: PAGE, cursor }).then(
      (page) => {
        setItems((before) => [...before, ...page.items]);
        setNext(page.next);
      },
      (error: Failure) => toast({ tone: "bad", title: error.message }),
    );
  return { items, next: cursor, load };
}
