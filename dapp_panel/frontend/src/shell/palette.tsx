// Find anything: pages, datasets and models by a few letters, opened with Ctrl K.
import { signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useCall } from "../query";
import { go } from "../router";
import type { DatasetRead, ModelRead, Page } from "../schema";
import { may } from "../session";
import { Icon, type IconName } from "../parts/icon";

const shown = signal(false);

export function openPalette(): void {
  shown.value = true;
}

addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    shown.value = !shown.value;
  }
});

interface Found {
  key: string;
  icon: IconName;
  label: string;
  note: string;
  path: string;
}

function pages(): Found[] {
  const all: [string, string, IconName, boolean][] = [
    ["Home", "/", "home", true],
    ["Data", "/datasets", "data", true],
    ["Explore", "/explore", "explore", true],
    ["Train a model", "/train", "train", may("model.train")],
    ["Models", "/models", "model", true],
    ["Activity", "/activity", "activity", true],
    ["Account", "/account", "person", true],
    ["Admin", "/admin", "shield", may("account.list")],
  ];
  return all.filter((each) => each[3]).map(([label, path, icon]) => ({ key: path, icon, label, note: "Page", path }));
}

export function Palette() {
  return shown.value ? <Window /> : null;
}

function Window() {
  const element = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  const [asked, setAsked] = useState("");
  const [at, setAt] = useState(0);
  const [waiting, setWaiting] = useState(false);
  // Before the next key is heard: what is typed right after the call belongs into the field, also where a frame takes long.
  useLayoutEffect(() => {
    element.current?.showModal();
  }, []);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text.trim()), 120);
    return () => clearTimeout(timer);
  }, [text]);
  const params = { search: asked || null, limit: 8 };
  const datasets = useCall<Page<DatasetRead>>("datasets.list", params, { keep: true });
  const models = useCall<Page<ModelRead>>("models.list", params, { keep: true });
  const wanted = text.trim().toLowerCase();
  const settled = asked === text.trim() && !datasets.loading && !models.loading;
  // What is called exactly so comes first, then what begins so.
  const rank = ({ label }: Found) => (!wanted ? 0 : label.toLowerCase() === wanted ? 0 : label.toLowerCase().startsWith(wanted) ? 1 : 2);
  const found: Found[] = [
    ...pages().filter((each) => !wanted || each.label.toLowerCase().includes(wanted)),
    ...(datasets.data?.items ?? []).map((each): Found => ({ key: each.id, icon: "data", label: each.name, note: "Dataset", path: `/datasets/${each.id}` })),
    ...(models.data?.items ?? []).map((each): Found => ({ key: each.id, icon: "model", label: each.name, note: "Model", path: `/models/${each.id}` })),
  ].sort((one, other) => rank(one) - rank(other));
  const close = () => {
    shown.value = false;
  };
  const open = (each: Found | undefined) => {
    if (!each) return;
    close();
    go(each.path);
  };
  // Enter means what is called so, and not what stood there before the answer came.
  useEffect(() => {
    if (!waiting || !settled) return;
    setWaiting(false);
    open(found[at]);
  }, [waiting, settled]);
  const enter = () => {
    if (settled) return open(found[at]);
    setAsked(text.trim());
    setWaiting(true);
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt((now) => Math.min(found.length - 1, now + 1));
    else if (event.key === "ArrowUp") setAt((now) => Math.max(0, now - 1));
    else if (event.key === "Enter") enter();
    else return;
    event.preventDefault();
  };
  return (
    <dialog
      ref={element}
      class="palette"
      aria-label="Find anything"
      onClose={close}
      onClick={(event) => event.target === element.current && element.current?.close()}
    >
      <div class="palette-inner">
        <div class="palette-input">
          <Icon name="search" />
          <input
            role="combobox"
            aria-expanded="true"
            aria-controls="palette-list"
            aria-activedescendant={found[at] ? `found-${at}` : undefined}
            aria-label="Find anything"
            placeholder="A page, dataset or model…"
            value={text}
            spellcheck={false}
            autocomplete="off"
            onInput={(event) => {
              setText(event.currentTarget.value);
              setAt(0);
              setWaiting(false);
            }}
            onKeyDown={keys}
          />
          <button type="button" class="toast-close" aria-label="Close" onClick={close}>
            <Icon name="close" size={18} />
          </button>
        </div>
        <ul id="palette-list" role="listbox" aria-label="Found" class="palette-list">
          {found.map((each, index) => (
            <li
              key={each.key}
              id={`found-${index}`}
              role="option"
              aria-selected={index === at}
              class={index === at ? "at" : ""}
              onPointerEnter={() => setAt(index)}
              onClick={() => open(each)}
            >
              <Icon name={each.icon} />
              <span class="clip grow">{each.label}</span>
              <span class="small muted">{each.note}</span>
            </li>
          ))}
          {found.length === 0 && <li class="muted">Nothing of that name. Try fewer letters.</li>}
        </ul>
      </div>
    </dialog>
  );
}
