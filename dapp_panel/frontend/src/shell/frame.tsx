// The frame around every page: where one can go, who one is, how the line is.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { line } from "../line";
import { useCall } from "../query";
import { place, to } from "../router";
import type { JobRead, Page } from "../schema";
import { account, may, nameOf } from "../session";
import { sendings } from "../uploads";
import { Button } from "../parts/button";
import { Asking } from "../parts/dialog";
import { Icon, type IconName } from "../parts/icon";
import { Face } from "../parts/surface";
import { Said, Toasts } from "../parts/toasts";
import { Bell, Told } from "./bell";
import { Palette, openPalette } from "./palette";

interface Stop {
  label: string;
  icon: IconName;
  path: string;
  covers: string[];
}

const STOPS: Stop[] = [
  { label: "Home", icon: "home", path: "/", covers: [""] },
  { label: "Data", icon: "data", path: "/datasets", covers: ["datasets"] },
  { label: "Explore", icon: "explore", path: "/explore", covers: ["explore"] },
  { label: "Models", icon: "model", path: "/models", covers: ["models", "train"] },
  { label: "Activity", icon: "activity", path: "/activity", covers: ["activity"] },
];

/** Whether there is one column only; the bell is then at the top. */
const narrow = matchMedia("(max-width: 767px)");
const NARROW = signal(narrow.matches);
narrow.addEventListener("change", () => {
  NARROW.value = narrow.matches;
});

const KEYS = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘K" : "Ctrl K";

function isHere(stop: Stop): boolean {
  return stop.covers.includes(place.value.parts[0] ?? "");
}

function useRunning(): number {
  const running = useCall<Page<JobRead>>("jobs.list", { status: "running", limit: 20 });
  return running.data?.items.length ?? 0;
}

function Side({ running }: { running: number }) {
  return (
    <aside class="side" aria-label="Workspace">
      <div class="side-head row">
        <a class="brand grow" href={to("/")}>
          <Mark />
          <span>DAPP</span>
        </a>
        {!NARROW.value && <Bell />}
      </div>
      <button type="button" class="find" onClick={openPalette} aria-label={`Find anything ${KEYS}`} title="Find anything">
        <Icon name="search" size={16} />
        <span>Find anything</span> <kbd>{KEYS}</kbd>
      </button>
      <nav aria-label="Main" class="stack" style={{ "--gap": "2px" }}>
        {STOPS.map((stop) => (
          <a key={stop.path} class="nav-item" href={to(stop.path)} aria-current={isHere(stop) ? "page" : undefined} title={stop.label}>
            <Icon name={stop.icon} />
            <span>{stop.label}</span>
            {stop.path === "/activity" && running > 0 && (
              <span class="nav-count">
                {running}
                <span class="hush"> running</span>
              </span>
            )}
          </a>
        ))}
      </nav>
      <div class="side-foot">
        {may("account.list") && (
          <a class="nav-item" href={to("/admin")} aria-current={place.value.parts[0] === "admin" ? "page" : undefined} title="Admin">
            <Icon name="shield" />
            <span>Admin</span>
          </a>
        )}
        <a class="me" href={to("/account")} aria-current={place.value.parts[0] === "account" ? "page" : undefined} title="Account">
          <Face person={account.value} />
          <span class="me-words">
            <span class="clip strong" style={{ display: "block" }}>
              {nameOf(account.value)}
            </span>
            <span class="small muted">{ROLES[account.value.role]}</span>
          </span>
        </a>
      </div>
    </aside>
  );
}

export const ROLES: Record<string, string> = { admin: "Administrator", analyst: "Analyst", viewer: "Viewer" };

function Mark() {
  return (
    <svg width="32" height="32" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="9" fill="#0b6b74" />
      <path d="M7 22.5 13 16l4.5 3.8L25 10" fill="none" stroke="#fff" stroke-width="2.8" stroke-linecap="round" stroke-linejoin="round" />
      <circle cx="25" cy="10" r="3.4" fill="#ffc46b" />
    </svg>
  );
}

function Top() {
  return (
    <header class="top">
      <a class="brand" href={to("/")}>
        <Mark />
        <span>DAPP</span>
      </a>
      <span class="row" style={{ "--gap": "2px" }}>
        {NARROW.value && <Bell ghost />}
        <Button tone="ghost" icon="search" label="Find anything" onClick={openPalette} />
      </span>
    </header>
  );
}

function Bar({ running }: { running: number }) {
  const [more, setMore] = useState(false);
  useEffect(() => setMore(false), [place.value]);
  const first = STOPS.filter((stop) => stop.path !== "/activity");
  const elsewhere = ["activity", "account", "admin"].includes(place.value.parts[0] ?? "");
  return (
    <>
      {more && (
        <div class="sheet-back" onClick={() => setMore(false)}>
          <nav class="sheet" id="more" aria-label="More" onClick={(event) => event.stopPropagation()}>
            <div class="sheet-who">
              <Face person={account.value} size={40} />
              <div class="grow">
                <p class="strong clip">{nameOf(account.value)}</p>
                <p class="small muted clip">{account.value.email}</p>
              </div>
            </div>
            <a class="nav-item" href={to("/activity")}>
              <Icon name="activity" />
              <span>Activity</span>
              {running > 0 && <span class="nav-count">{running}</span>}
            </a>
            <a class="nav-item" href={to("/account")}>
              <Icon name="person" />
              <span>Account</span>
            </a>
            {may("account.list") && (
              <a class="nav-item" href={to("/admin")}>
                <Icon name="shield" />
                <span>Admin</span>
              </a>
            )}
          </nav>
        </div>
      )}
      <nav class="bar" aria-label="Main">
        {first.map((stop) => (
          <a key={stop.path} class="bar-item" href={to(stop.path)} aria-current={!more && isHere(stop) ? "page" : undefined}>
            <Icon name={stop.icon} size={22} />
            {stop.label}
          </a>
        ))}
        <button
          type="button"
          class="bar-item"
          aria-expanded={more}
          aria-controls="more"
          aria-current={more || elsewhere ? "page" : undefined}
          onClick={() => setMore(!more)}
        >
          <Icon name="more" size={22} />
          More
          {running > 0 && !more && <span class="nav-count">{running}</span>}
        </button>
      </nav>
    </>
  );
}

function Line() {
  if (line.value !== "lost") return null;
  return (
    <div class="banner" role="status">
      <span class="spin" aria-hidden="true" />
      The connection is lost. What you see stays; it catches up as soon as the line is back.
    </div>
  );
}

function Ended() {
  if (line.value !== "ended") return null;
  return (
    <div class="veil" role="alertdialog" aria-modal="true" aria-labelledby="ended">
      <div class="veil-card">
        <Icon name="lock" size={28} />
        <h2 id="ended">Your sign-in has ended</h2>
        <p>Sign in again to go on where you were.</p>
        <Button tone="main" href={`/signin${location.hash}`}>
          Sign in
        </Button>
      </div>
    </div>
  );
}

function Sending() {
  const moving = sendings.value.filter((each) => each.state === "sending" || each.state === "waiting");
  if (moving.length === 0 || (place.value.parts[0] === "datasets" && place.value.parts.length === 1)) return null;
  const total = moving.reduce((sum, each) => sum + each.size, 0);
  const sent = moving.reduce((sum, each) => sum + each.sent, 0);
  return (
    <a class="sending-pill" href={to("/datasets")}>
      <span class="spin" aria-hidden="true" />
      Uploading {moving.length === 1 ? moving[0]?.name : `${moving.length} files`} · {total ? Math.round((sent / total) * 100) : 0}%
    </a>
  );
}

export function Frame({ children }: { children: ComponentChildren }) {
  const running = useRunning();
  return (
    <>
      <a class="skip" href="#main" onClick={skipToMain}>
        Skip to the content
      </a>
      <div class="frame">
        <Side running={running} />
        <div class="main-column">
          <Line />
          <Top />
          <Told />
          <main class="main" id="main" tabIndex={-1}>
            {children}
          </main>
        </div>
      </div>
      <Bar running={running} />
      <Sending />
      <Said />
      <Toasts />
      <Palette />
      <Asking />
      <Ended />
    </>
  );
}

function skipToMain(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>("#main")?.focus();
}
