// Short words in a corner; they wait while the pointer or the focus is on them.
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { Icon } from "./icon";

interface Toast {
  id: number;
  tone: "plain" | "good" | "bad";
  title: string;
  link?: string;
  linkText?: string;
  /** Something to press, such as the way back. */
  act?: { words: string; run: () => void };
}

const toasts = signal<Toast[]>([]);
let number = 1;

export function toast(said: Omit<Toast, "id" | "tone"> & { tone?: Toast["tone"] }): void {
  toasts.value = [...toasts.value.slice(-3), { tone: "plain", ...said, id: number++ }];
}

const said = signal("");

/** Say to who cannot see what everybody else does: a page that has come, or what they look at that has changed. */
export function say(words: string): void {
  said.value = words;
}

export function Said() {
  return (
    <p class="hush" role="status">
      {said.value}
    </p>
  );
}

function drop(id: number): void {
  toasts.value = toasts.value.filter((each) => each.id !== id);
}

function One({ said }: { said: Toast }) {
  const [held, hold] = useState(false);
  useEffect(() => {
    if (held) return undefined;
    const timer = setTimeout(() => drop(said.id), said.act ? 12_000 : said.link ? 8000 : 5000);
    return () => clearTimeout(timer);
  }, [held, said.id]);
  return (
    <div
      class={`toast ${said.tone}`}
      onPointerEnter={() => hold(true)}
      onPointerLeave={() => hold(false)}
      onFocusCapture={() => hold(true)}
      onBlurCapture={() => hold(false)}
    >
      <Icon name={said.tone === "good" ? "passed" : said.tone === "bad" ? "alert" : "info"} />
      <span class="grow">{said.title}</span>
      {said.link && (
        <a href={said.link} onClick={() => drop(said.id)}>
          {said.linkText ?? "Open"}
        </a>
      )}
      {said.act && (
        <button
          type="button"
          class="toast-act"
          onClick={() => {
            said.act?.run();
            drop(said.id);
          }}
        >
          {said.act.words}
        </button>
      )}
      <button type="button" class="toast-close" aria-label="Dismiss" onClick={() => drop(said.id)}>
        <Icon name="close" size={16} />
      </button>
    </div>
  );
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((each) => (
        <One key={each.id} said={each} />
      ))}
    </div>
  );
}
