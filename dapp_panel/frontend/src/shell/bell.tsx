// The bell: what happened that concerns the visitor, read or not, the same at every door; and what everybody is told at the top.
import { useEffect, useRef, useState } from "preact/hooks";
import { type Failure, call } from "../calls";
import * as format from "../format";
import { useCountdown } from "../live";
import { invalidate, useCall } from "../query";
import { go } from "../router";
import type { AnnouncementRead, MaintenanceRead, NotificationCount, NotificationPage, NotificationRead, Page } from "../schema";
import { Button } from "../parts/button";
import { leaves } from "../parts/dialog";
import { Icon, type IconName } from "../parts/icon";
import { Ago, Bones, Empty, Trouble } from "../parts/surface";
import { toast } from "../parts/toasts";

const again = () => invalidate((name) => name.startsWith("notifications."));

export function Bell({ ghost }: { ghost?: boolean }) {
  const [open, setOpen] = useState(false);
  const count = useCall<NotificationCount>("notifications.count");
  const box = useRef<HTMLDivElement>(null);
  const unread = count.data?.unread ?? 0;
  useEffect(() => {
    if (!open) return undefined;
    const away = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    // A button that is gone once it was pressed takes the focus with it, so keys are heard wherever they go.
    const leave = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      setOpen(false);
      box.current?.querySelector<HTMLElement>("button")?.focus();
    };
    addEventListener("pointerdown", away);
    addEventListener("keydown", leave);
    box.current?.querySelector<HTMLElement>(".bell-panel")?.focus({ preventScroll: true });
    return () => {
      removeEventListener("pointerdown", away);
      removeEventListener("keydown", leave);
    };
  }, [open]);
  const words = unread ? `Notifications, ${unread >= 100 ? "100 or more" : unread} unread` : "Notifications";
  return (
    <div class="bell" ref={box} onFocusOut={(event) => leaves(event) && setOpen(false)}>
      <button
        type="button"
        class={`bell-button${ghost ? " ghost" : ""}${unread >= 10 ? " roomy" : ""}`}
        aria-label={words}
        title={words}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <Icon name="bell" size={20} />
        {unread > 0 && (
          <span class="bell-count num" aria-hidden="true">
            {unread >= 100 ? "99+" : unread}
          </span>
        )}
      </button>
      {open && <Lines onGo={() => setOpen(false)} />}
    </div>
  );
}

function Lines({ onGo }: { onGo: () => void }) {
  const page = useCall<NotificationPage>("notifications.list", { limit: 30, unread: false });
  const mark = (id: string | null) => call("notifications.mark", { id }).then(again, (error: Failure) => toast({ tone: "bad", title: error.message }));
  const follow = (each: NotificationRead) => {
    if (!each.is_read) void mark(each.id);
    const path = pathOf(each);
    if (!path) return;
    go(path);
    onGo();
  };
  return (
    <div class="bell-panel" role="dialog" aria-label="Notifications" tabIndex={-1}>
      <header class="bell-head row">
        <h2 class="grow">Notifications</h2>
        {(page.data?.unread ?? 0) > 0 && (
          <Button small icon="check" onClick={() => mark(null)}>
            All read
          </Button>
        )}
      </header>
      {page.error && <Trouble error={page.error} again={page.reload} />}
      {!page.data && !page.error && (
        <div class="pad">
          <Bones lines={4} height={44} />
        </div>
      )}
      {page.data?.items.length === 0 && (
        <Empty icon="bell" title="Nothing yet">
          Datasets that are ready, trainings that end and what is shared with you show up here.
        </Empty>
      )}
      <ul class="bell-list">
        {page.data?.items.map((each) => (
          <li key={each.id}>
            <button type="button" class={`bell-line ${each.is_read ? "" : "unread"}`} onClick={() => follow(each)}>
              <span class={`bell-sign ${each.severity}`}>
                <Icon name={SIGNS[each.type.split(".")[0] ?? ""] ?? "info"} size={18} />
              </span>
              <span class="grow">
                <span class="bell-title">{each.title}</span>
                <span class="small muted">
                  <Ago at={each.at} />
                  {!each.is_read && <span class="hush">, unread</span>}
                </span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

const SIGNS: Record<string, IconName> = {
  dataset: "data",
  model: "model",
  prediction: "predict",
  monitor: "gauge",
  system: "megaphone",
  insight: "image",
  user: "person",
};

function pathOf(each: NotificationRead): string | null {
  if (each.link?.kind === "dataset") return `/datasets/${each.link.id}`;
  if (each.link?.kind === "model") return each.type.startsWith("monitor") ? `/models/${each.link.id}/monitoring` : `/models/${each.link.id}`;
  if (each.link?.kind === "insight") return "/";
  return null;
}

/** What everybody is told: maintenance first, then announcements that hold now. */
export function Told() {
  const announced = useCall<Page<AnnouncementRead>>("announcements.list");
  const maintenance = useCall<MaintenanceRead>("maintenance.read");
  const [hidden, hide] = useState<string[]>(() => JSON.parse(sessionStorage.getItem("told") ?? "[]") as string[]);
  const dismiss = (id: string) => {
    const next = [...hidden, id];
    hide(next);
    sessionStorage.setItem("told", JSON.stringify(next));
  };
  const current = (announced.data?.items ?? []).filter((each) => each.is_current && !hidden.includes(each.id));
  return (
    <>
      {maintenance.data && maintenance.data.state !== "off" && <Works of={maintenance.data} />}
      {current.map((each) => (
        <div key={each.id} class={`told ${each.severity}`} role="status">
          <Icon name="megaphone" size={20} />
          <p class="grow">{each.message}</p>
          <button type="button" class="told-close" aria-label="Hide this announcement" onClick={() => dismiss(each.id)}>
            <Icon name="close" size={18} />
          </button>
        </div>
      ))}
    </>
  );
}

function Works({ of }: { of: MaintenanceRead }) {
  const begins = useCountdown(of.starts_in, of);
  const ends = useCountdown(of.ends_in, of);
  const on = of.state === "on" || (begins !== null && begins <= 0);
  return (
    <div class="told alert" role="status">
      <Icon name="fix" size={20} />
      <p class="grow">
        <b>{on ? "Maintenance is under way" : `Maintenance begins in ${format.duration(begins ?? 0)}`}.</b>{" "}
        {/[.!?…]$/.test(of.message) ? of.message : `${of.message}.`} {on && "You can look at everything; nothing new is taken in."}
        {on && ends !== null && ends > 0 && ` It should end in ${format.duration(ends)}.`}
      </p>
    </div>
  );
}
