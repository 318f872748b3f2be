// What content stands on: cards, notices, empty places, bones while something loads, small marks.
import type { ComponentChildren } from "preact";
import type { Failure } from "../calls";
import * as format from "../format";
import { useMinute } from "../live";
import { nameOf } from "../session";
import { Button } from "./button";
import { Icon, type IconName } from "./icon";

export type Tone = "plain" | "good" | "warn" | "bad" | "accent";

interface CardProps {
  title?: ComponentChildren;
  note?: ComponentChildren;
  action?: ComponentChildren;
  children?: ComponentChildren;
  class?: string;
  flush?: boolean;
  id?: string;
}

export function Card({ title, note, action, children, class: extra, flush, id }: CardProps) {
  return (
    <section class={`card ${flush ? "flush" : ""} ${extra ?? ""}`} id={id}>
      {(title || action) && (
        <header class="card-head">
          <div class="grow">
            {title && <h2>{title}</h2>}
            {note && <p class="card-note">{note}</p>}
          </div>
          {action}
        </header>
      )}
      {children}
    </section>
  );
}

export function Badge({ tone = "plain", icon, children }: { tone?: Tone; icon?: IconName; children: ComponentChildren }) {
  return (
    <span class={`badge ${tone}`}>
      {icon && <Icon name={icon} size={14} />}
      {children}
    </span>
  );
}

const STATES: Record<string, [Tone, string]> = {
  processing: ["accent", "Reading"],
  ready: ["good", "Ready"],
  failed: ["bad", "Failed"],
  queued: ["plain", "Waiting"],
  training: ["accent", "Training"],
  running: ["accent", "Running"],
  succeeded: ["good", "Done"],
  cancelled: ["plain", "Cancelled"],
  dead: ["bad", "Gave up"],
};

/** The state of a dataset, model or job. */
export function State({ of }: { of: string }) {
  const [tone, words] = STATES[of] ?? ["plain", of];
  return (
    <span class={`badge ${tone}`}>
      <span class={`dot ${tone === "accent" ? "alive" : ""}`} aria-hidden="true" />
      {words}
    </span>
  );
}

const SIGNS: Record<Tone, IconName> = { plain: "info", accent: "info", good: "passed", warn: "warn", bad: "alert" };

export function Notice({ tone = "plain", title, children, action }: { tone?: Tone; title?: string; children?: ComponentChildren; action?: ComponentChildren }) {
  return (
    <div class={`notice ${tone}`} role={tone === "bad" ? "alert" : undefined}>
      <Icon name={SIGNS[tone]} size={20} />
      <div class="grow">
        {title && <p class="strong">{title}</p>}
        {children && <div class="notice-words">{children}</div>}
      </div>
      {action}
    </div>
  );
}

/** What went wrong, in the words of the service. */
export function Trouble({ error, again }: { error: Failure; again?: () => unknown }) {
  const internal = error.code === "internal" && error.requestId;
  return (
    <Notice
      tone="bad"
      title={error.message}
      action={
        again && (
          <Button small icon="again" onClick={again}>
            Try again
          </Button>
        )
      }
    >
      {internal && <span class="mono small">Request id {error.requestId}</span>}
    </Notice>
  );
}

export function Empty({ icon, title, children, action }: { icon: IconName; title: string; children?: ComponentChildren; action?: ComponentChildren }) {
  return (
    <div class="empty">
      <span class="empty-sign">
        <Icon name={icon} size={26} />
      </span>
      <h3>{title}</h3>
      {children && <p class="empty-words">{children}</p>}
      {action}
    </div>
  );
}

/** A grey shape of the size of what will come, so that nothing jumps. */
export function Bone({ height = 20, width }: { height?: number; width?: string }) {
  return <div class="bone" style={{ height: `${height}px`, width: width ?? "100%" }} aria-hidden="true" />;
}

export function Bones({ lines = 3, height = 44 }: { lines?: number; height?: number }) {
  return (
    <div class="stack" style={{ "--gap": "10px" }} role="status">
      <span class="hush">Loading</span>
      {Array.from({ length: lines }, (_, index) => (
        <Bone key={index} height={height} />
      ))}
    </div>
  );
}

export function Progress({ value, label }: { value: number; label: string }) {
  const share = Math.min(1, Math.max(0, value));
  return (
    <div class="progress" role="progressbar" aria-label={label} aria-valuenow={Math.round(share * 100)} aria-valuemin={0} aria-valuemax={100}>
      <div style={{ transform: `scaleX(${share})` }} />
    </div>
  );
}

export function Ago({ at }: { at: string }) {
  const now = useMinute();
  return (
    <time dateTime={at} title={format.when(at)}>
      {format.ago(at, now)}
    </time>
  );
}

const HUES = [186, 26, 238, 338, 74, 208, 160, 290];

/** A person as a coloured disc with initials. */
export function Face({ person, size = 34 }: { person: { id: string; name: string; email?: string }; size?: number }) {
  const name = nameOf(person);
  const initials = name
    .split(/[\s._-]+/)
    .filter(Boolean)
    .slice(0, size < 28 ? 1 : 2)
    .map((part) => part[0]?.toUpperCase())
    .join("");
  const hue = HUES[[...person.id].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % HUES.length];
  return (
    <span class="face" style={{ "--hue": hue, width: `${size}px`, height: `${size}px` }} aria-hidden="true">
      {initials}
    </span>
  );
}

/** A figure with its name. */
export function Fact({ label, children, hint }: { label: string; children: ComponentChildren; hint?: string }) {
  return (
    <div class="fact">
      <dt>{label}</dt>
      <dd class="num" title={hint}>
        {children}
      </dd>
    </div>
  );
}
