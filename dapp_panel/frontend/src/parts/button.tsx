// Things to press.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon, type IconName } from "./icon";

interface ButtonProps {
  children?: ComponentChildren;
  icon?: IconName;
  tone?: "main" | "plain" | "ghost" | "danger";
  href?: string;
  download?: boolean;
  busy?: boolean;
  disabled?: boolean;
  small?: boolean;
  label?: string;
  title?: string;
  type?: "button" | "submit";
  class?: string;
  pressed?: boolean;
  expanded?: boolean;
  onClick?: (event: MouseEvent) => unknown;
}

/** A button, or a link that looks like one. While what it started goes on, it is busy and cannot be pressed again. */
export function Button(props: ButtonProps) {
  const [working, setWorking] = useState(false);
  const busy = props.busy || working;
  const icon = props.icon && <Icon name={props.icon} />;
  const classes = `button ${props.tone ?? "plain"}${props.small ? " small" : ""}${props.children ? "" : " icon-only"} ${props.class ?? ""}`;
  if (props.href) {
    return (
      <a class={classes} href={props.href} download={props.download} aria-label={props.label} title={props.title ?? props.label} onClick={props.onClick}>
        {icon}
        {props.children}
      </a>
    );
  }
  const press = (event: MouseEvent) => {
    if (busy) return;
    const outcome = props.onClick?.(event);
    if (outcome instanceof Promise) {
      setWorking(true);
      void outcome.finally(() => setWorking(false));
    }
  };
  return (
    <button
      type={props.type ?? "button"}
      class={classes}
      disabled={props.disabled}
      aria-busy={busy || undefined}
      aria-label={props.label}
      aria-pressed={props.pressed}
      aria-expanded={props.expanded}
      title={props.title ?? (props.children ? undefined : props.label)}
      onClick={press}
    >
      {busy ? <span class="spin" aria-hidden="true" /> : icon}
      {props.children}
    </button>
  );
}

interface Choice<T extends string> {
  value: T;
  label: string;
  icon?: IconName;
  hint?: string;
}

/** A few choices of which one holds, side by side. */
export function Segmented<T extends string>(props: { label: string; value: T; choices: Choice<T>[]; onChange: (value: T) => void; roomy?: boolean }) {
  return (
    <div class={`segmented${props.roomy ? " roomy" : ""}`} role="radiogroup" aria-label={props.label}>
      {props.choices.map((each) => (
        <label key={each.value} class={each.value === props.value ? "on" : ""}>
          <input type="radio" class="hush" name={props.label} checked={each.value === props.value} onChange={() => props.onChange(each.value)} />
          {each.icon && <Icon name={each.icon} size={16} />}
          <span>
            <span class="segmented-label">{each.label}</span>
            {each.hint && <span class="segmented-hint">{each.hint}</span>}
          </span>
        </label>
      ))}
    </div>
  );
}

/** Links to the parts of one thing. */
export function Tabs({ label, tabs, current }: { label: string; current: string; tabs: { id: string; label: string; href: string; count?: number }[] }) {
  const bar = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a narrow screen the bar scrolls sideways; the present one is brought into it.
    const here = bar.current?.querySelector<HTMLElement>("[aria-current]");
    if (bar.current && here) bar.current.scrollLeft = here.offsetLeft - (bar.current.clientWidth - here.offsetWidth) / 2;
  }, [current]);
  return (
    <nav class="tabs" aria-label={label} ref={bar}>
      {tabs.map((each) => (
        <a key={each.id} href={each.href} aria-current={each.id === current ? "page" : undefined}>
          {each.label}
          {each.count !== undefined && <span class="tab-count num">{each.count}</span>}
        </a>
      ))}
    </nav>
  );
}
