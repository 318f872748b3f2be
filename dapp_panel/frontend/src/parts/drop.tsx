// Where files are dropped, and the files on their way.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import * as format from "../format";
import type { DatasetRead } from "../schema";
import { go, place } from "../router";
import { boot } from "../session";
import { type Sending, dismiss, send, sendings, stop } from "../uploads";
import { Button } from "./button";
import { Icon } from "./icon";
import { Progress } from "./surface";

const KINDS = ".csv,.tsv,.txt,.gz,.zip,.xlsx,.xls,.parquet,.json,.jsonl,.ndjson";

/** A place to drop files or to press. `whole` takes drops anywhere on the page. */
export function Drop({
  onDone,
  compact,
  whole,
  children,
}: {
  onDone?: (dataset: DatasetRead) => void;
  compact?: boolean;
  whole?: boolean;
  children?: ComponentChildren;
}) {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const take = (files: FileList | null | undefined) => {
    if (!files || files.length === 0) return;
    // Whoever brings one file wants to see what is in it; whoever brings several watches the list, and whoever left meanwhile stays there.
    const here = place.value.path;
    const alone = files.length === 1 && !sendings.value.some((each) => each.state === "sending" || each.state === "waiting");
    send(files, onDone ?? (alone ? (fresh) => place.value.path === here && go(`/datasets/${fresh.id}`) : undefined));
  };
  useEffect(() => {
    if (!whole) return undefined;
    const hasFiles = (event: DragEvent) => Boolean(event.dataTransfer?.types.includes("Files"));
    const enter = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (!event.relatedTarget) setOver(false);
    };
    const drop = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setOver(false);
      take(event.dataTransfer?.files);
    };
    addEventListener("dragover", enter);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragover", enter);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, [whole]);
  return (
    <div
      class={`drop ${compact ? "compact" : ""} ${over ? "over" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        if (whole) return;
        event.preventDefault();
        event.stopPropagation();
        setOver(false);
        take(event.dataTransfer?.files);
      }}
    >
      <span class="drop-sign">
        <Icon name="upload" size={compact ? 20 : 26} />
      </span>
      <div class="grow">
        <p class="strong">{over ? "Let go to upload" : (children ?? (matchMedia("(pointer: fine)").matches ? "Drop files here" : "Bring in files"))}</p>
        <p class="small muted">CSV, Excel, Parquet or JSON, up to {format.bytes(boot.uploadLimit)} each</p>
      </div>
      <Button tone={compact ? "plain" : "main"} onClick={() => input.current?.click()}>
        Choose files
      </Button>
      <input
        ref={input}
        type="file"
        class="hush"
        multiple
        accept={KINDS}
        tabIndex={-1}
        aria-label="Choose files to upload"
        onChange={(event) => {
          take(event.currentTarget.files);
          event.currentTarget.value = "";
        }}
      />
    </div>
  );
}

/** The files on their way, and those that could not be taken. */
export function Sendings() {
  if (sendings.value.length === 0) return null;
  return (
    <ul class="sendings" aria-label="Uploads">
      {sendings.value.map((each) => (
        <One key={each.id} of={each} />
      ))}
    </ul>
  );
}

const WORDS: Record<Sending["state"], string> = {
  waiting: "Waiting",
  sending: "Uploading",
  taken: "Received",
  failed: "Not taken",
  stopped: "Stopped; nothing was kept",
};

function One({ of }: { of: Sending }) {
  const moving = of.state === "sending" || of.state === "waiting";
  const share = of.size ? of.sent / of.size : 0;
  return (
    <li class={`sending ${of.state}`}>
      <Icon name={of.state === "taken" ? "passed" : of.state === "failed" ? "alert" : "file"} size={20} />
      <div class="grow stack" style={{ "--gap": "4px" }}>
        <div class="row" style={{ "--gap": "8px" }}>
          <span class="strong clip">{of.name}</span>
          <span class="small muted end num" style={{ whiteSpace: "nowrap" }}>
            {of.state === "sending" ? `${format.bytes(of.sent)} of ${format.bytes(of.size)}` : format.bytes(of.size)}
          </span>
        </div>
        {moving ? (
          <Progress value={share} label={`Uploading ${of.name}`} />
        ) : (
          <span class={`small ${of.state === "failed" ? "bad-text" : "muted"}`}>{of.error ?? WORDS[of.state]}</span>
        )}
      </div>
      <Button
        small
        tone="ghost"
        icon="close"
        label={moving ? `Stop uploading ${of.name}` : `Dismiss ${of.name}`}
        onClick={() => (moving ? stop(of.id) : dismiss(of.id))}
      />
    </li>
  );
}
