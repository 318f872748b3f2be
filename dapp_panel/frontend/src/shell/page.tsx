// The head of a page: where it is, what it is called, what can be done.
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { onPlace, place } from "../router";
import { Icon } from "../parts/icon";
import { say } from "../parts/toasts";

const SAY_MS = 500;

let former = place.value.path;
onPlace(({ path }) => {
  if (path === former) return;
  former = path;
  // What was pressed may be gone with its page; who goes by keys goes on from the title, and not from the top of the frame.
  requestAnimationFrame(() => {
    const held = document.activeElement;
    if (!held || held === document.body) document.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
  });
});

interface HeadProps {
  title: string;
  lead?: ComponentChildren;
  crumbs?: { label: string; href: string }[];
  actions?: ComponentChildren;
  mark?: ComponentChildren;
}

export function Head({ title, lead, crumbs, actions, mark }: HeadProps) {
  useEffect(() => {
    document.title = `${title} · DAPP`;
    // A name that is still to come replaces the general one before it is said.
    const timer = setTimeout(() => say(title), SAY_MS);
    return () => clearTimeout(timer);
  }, [title]);
  return (
    <header class="page-head">
      <div class="page-head-words">
        {crumbs && (
          <nav class="crumbs" aria-label="Where you are">
            {crumbs.map((each) => (
              <>
                <a class="clip" href={each.href} title={each.label}>
                  {each.label}
                </a>
                <Icon name="next" size={14} />
              </>
            ))}
          </nav>
        )}
        <div class="row wrap" style={{ "--gap": "12px" }}>
          <h1 tabIndex={-1}>{title}</h1>
          {mark}
        </div>
        {lead && <p class="page-head-lead">{lead}</p>}
      </div>
      {actions && <div class="page-head-actions row wrap no-print">{actions}</div>}
    </header>
  );
}

export function Page({ children, wide }: { children: ComponentChildren; wide?: boolean }) {
  return <div class={`page${wide ? " wide" : ""}`}>{children}</div>;
}
