// The head of a page: where it is, what it is called, what can be done.
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { Icon } from "../parts/icon";

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
          <h1>{title}</h1>
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
