// A window over the page, and a menu that hangs on a button. Both close with Escape and give the focus back.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Failure } from "../calls";
import { Button } from "./button";
import { Icon, type IconName } from "./icon";

const FIRST = [":is(input, select, textarea):not([tabindex='-1'], :disabled)", "[role=textbox]"].map((each) => `.dialog-body ${each}`).join(", ");

const MAIN = ".dialog-actions > .button.main:not(:disabled)";
const ONE_LINE = new Set(["text", "email", "password", "number", "date", "datetime-local"]);

/** Whether a key in a field of one line answers the whole window, as it would a form. */
function answers(event: KeyboardEvent): boolean {
  const at = event.target;
  return event.key === "Enter" && !event.defaultPrevented && at instanceof HTMLInputElement && ONE_LINE.has(at.type) && at.role !== "combobox" && !at.form;
}

/** Whether the focus leaves an element for another one outside of it. */
export function leaves(event: FocusEvent): boolean {
  const next = event.relatedTarget;
  return next instanceof Node && !(event.currentTarget as HTMLElement).contains(next);
}

export function Dialog({
  title,
  onClose,
  children,
  actions,
}: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  actions?: ComponentChildren;
}) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Before the next key is heard, however long the next frame takes.
  useLayoutEffect(() => {
    const opener = document.activeElement;
    element.current?.showModal();
    // One who types begins with the first field, and not with the way out; a keyboard that covers half of a phone waits to be called.
    if (matchMedia("(pointer: fine)").matches) element.current?.querySelector<HTMLElement>(FIRST)?.focus();
    // A browser gives the focus back when a window is closed, and not when it is taken off the page.
    return () => {
      if (opener instanceof HTMLElement && opener.isConnected) requestAnimationFrame(() => document.activeElement === document.body && opener.focus());
    };
  }, []);
  return (
    <dialog
      ref={element}
      class="dialog"
      aria-labelledby={id}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === element.current) element.current?.close();
      }}
      onKeyDown={(event) => answers(event) && element.current?.querySelector<HTMLElement>(MAIN)?.click()}
    >
      <div class="dialog-inner">
        <header class="row">
          <h2 id={id} class="grow">
            {title}
          </h2>
          <Button tone="ghost" icon="close" label="Close" onClick={() => element.current?.close()} />
        </header>
        <div class="dialog-body">{children}</div>
        {actions && <footer class="dialog-actions">{actions}</footer>}
      </div>
    </dialog>
  );
}

interface Question {
  title: string;
  words: string;
  yes: string;
  danger?: boolean;
  act: () => Promise<unknown>;
}

const question = signal<Question | null>(null);

/** Ask before something that cannot be undone. */
export function ask(next: Question): void {
  question.value = next;
}

export function Asking() {
  const [trouble, setTrouble] = useState("");
  const asked = question.value;
  useEffect(() => setTrouble(""), [asked]);
  if (!asked) return null;
  const close = () => {
    question.value = null;
  };
  const act = () => asked.act().then(close, (error: unknown) => setTrouble(error instanceof Failure ? error.message : String(error)));
  return (
    <Dialog
      title={asked.title}
      onClose={close}
      actions={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button tone={asked.danger ? "danger" : "main"} onClick={act}>
            {asked.yes}
          </Button>
        </>
      }
    >
      <p>{asked.words}</p>
      {trouble && <p class="field-error">{trouble}</p>}
    </Dialog>
  );
}

export interface MenuItem {
  label: string;
  icon?: IconName;
  href?: string;
  download?: boolean;
  /** Opens beside this page. */
  away?: boolean;
  danger?: boolean;
  act?: () => void;
}

const GAP = 6;

/** A button that opens a list of things to do. */
export function Menu({
  label,
  icon = "more",
  items,
  children,
  tone,
}: {
  label: string;
  icon?: IconName;
  items: MenuItem[];
  children?: ComponentChildren;
  tone?: "plain" | "ghost" | "main";
}) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return undefined;
    const away = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    const close = () => setOpen(false);
    addEventListener("pointerdown", away);
    addEventListener("scroll", close, true);
    addEventListener("resize", close);
    box.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus({ preventScroll: true });
    return () => {
      removeEventListener("pointerdown", away);
      removeEventListener("scroll", close, true);
      removeEventListener("resize", close);
    };
  }, [open]);
  // It lies over the page, since a card or a bar that it hangs on would cut it off; and upwards where there is no room below.
  useLayoutEffect(() => {
    const list = box.current?.querySelector<HTMLElement>(".menu");
    const button = box.current?.getBoundingClientRect();
    if (!open || !list || !button) return;
    const { offsetWidth: wide, offsetHeight: tall } = list;
    const below = button.bottom + GAP;
    list.style.left = `${Math.max(GAP, button.right - wide)}px`;
    list.style.top = `${below + tall > innerHeight - GAP && button.top > tall + 2 * GAP ? button.top - GAP - tall : below}px`;
  }, [open]);
  const keys = (event: KeyboardEvent) => {
    if (!open) return;
    const all = [...(box.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
    const at = all.indexOf(document.activeElement as HTMLElement);
    if (event.key === "Escape") {
      setOpen(false);
      box.current?.querySelector<HTMLElement>("button")?.focus();
    } else if (event.key === "Home") all[0]?.focus();
    else if (event.key === "End") all.at(-1)?.focus();
    else if (event.key === "ArrowDown") all[(at + 1) % all.length]?.focus();
    else if (event.key === "ArrowUp") all[(at - 1 + all.length) % all.length]?.focus();
    else return;
    event.preventDefault();
  };
  return (
    <div class="menu-box" ref={box} onKeyDown={keys} onFocusOut={(event) => leaves(event) && setOpen(false)}>
      <Button tone={tone ?? "plain"} icon={icon} label={children ? undefined : label} expanded={open} onClick={() => setOpen(!open)}>
        {children}
      </Button>
      {open && (
        <div class="menu" role="menu" aria-label={label}>
          {items.map((each) =>
            each.href ? (
              <a
                key={each.label}
                role="menuitem"
                href={each.href}
                download={each.download}
                target={each.away ? "_blank" : undefined}
                rel={each.away ? "noopener" : undefined}
                onClick={() => setOpen(false)}
              >
                {each.icon && <Icon name={each.icon} size={16} />}
                {each.label}
              </a>
            ) : (
              <button
                key={each.label}
                type="button"
                role="menuitem"
                class={each.danger ? "danger" : ""}
                onClick={() => {
                  setOpen(false);
                  // A window that this opens gives the focus back to the button, since the item is gone by then.
                  box.current?.querySelector<HTMLElement>("button")?.focus();
                  each.act?.();
                }}
              >
                {each.icon && <Icon name={each.icon} size={16} />}
                {each.label}
              </button>
            ),
          )}
        </div>
      )}
    </div>
  );
}
