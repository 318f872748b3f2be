// Files on their way in: each with its progress, one after the other, kept while the visitor goes elsewhere.
import { signal } from "@preact/signals";
import { invalidate, learn } from "./query";
import type { DatasetRead } from "./schema";
import { boot } from "./session";
import * as format from "./format";

export interface Sending {
  id: number;
  name: string;
  size: number;
  sent: number;
  state: "waiting" | "sending" | "taken" | "failed" | "stopped";
  error?: string;
  dataset?: DatasetRead;
}

interface Refusal {
  error: { message: string };
}

export const sendings = signal<Sending[]>([]);
const files = new Map<number, File>();
const listeners = new Map<number, (dataset: DatasetRead) => void>();
let number = 1;
let request: XMLHttpRequest | null = null;
let current = 0;

/** Send files; `done` is told of each dataset as soon as its bytes are in. */
export function send(list: Iterable<File>, done?: (dataset: DatasetRead) => void): void {
  const added: Sending[] = [];
  for (const file of list) {
    const id = number++;
    const tooLarge = file.size > boot.uploadLimit;
    const error = tooLarge
      ? `Larger than the ${format.bytes(boot.uploadLimit)} that may be uploaded here.`
      : file.size === 0
        ? "The file is empty."
        : undefined;
    added.push({ id, name: file.name, size: file.size, sent: 0, state: error ? "failed" : "waiting", error });
    files.set(id, file);
    if (done) listeners.set(id, done);
  }
  sendings.value = [...added, ...sendings.value];
  next();
}

/** Stop a file on its way; nothing of it is kept. */
export function stop(id: number): void {
  if (id === current) request?.abort();
  change(id, { state: "stopped" });
  next();
}

/** Take a line off the list. */
export function dismiss(id: number): void {
  files.delete(id);
  sendings.value = sendings.value.filter((each) => each.id !== id);
}

function change(id: number, fields: Partial<Sending>): void {
  sendings.value = sendings.value.map((each) => (each.id === id ? { ...each, ...fields } : each));
}

function next(): void {
  if (request) return;
  // Files go in the order in which they were dropped; the list shows the newest batch first.
  const due = sendings.value.filter((each) => each.state === "waiting").sort((a, b) => a.id - b.id)[0];
  const file = due && files.get(due.id);
  if (!due || !file) return;
  current = due.id;
  const sending = new XMLHttpRequest();
  request = sending;
  change(due.id, { state: "sending" });
  sending.open("POST", `/upload?filename=${encodeURIComponent(file.name)}`);
  sending.setRequestHeader("Content-Type", "application/octet-stream");
  sending.upload.onprogress = (event) => change(due.id, { sent: event.loaded });
  sending.onload = () => finish(due.id, sending);
  sending.onerror = () => finish(due.id, sending);
  sending.onabort = () => release();
  sending.send(file);
}

function finish(id: number, sending: XMLHttpRequest): void {
  const answer = parse(sending.responseText);
  if (sending.status === 202 && answer && "id" in answer) {
    change(id, { state: "taken", sent: files.get(id)?.size ?? 0, dataset: answer });
    learn("datasets.get", { ref: answer.id }, answer);
    invalidate((name) => name === "datasets.list" || name === "home");
    listeners.get(id)?.(answer);
    setTimeout(() => dismiss(id), 2500);
  } else {
    const said = answer && !("id" in answer) ? answer.error.message : "The connection was lost on the way. Nothing of the file was kept; send it again.";
    change(id, { state: "failed", error: said });
  }
  listeners.delete(id);
  files.delete(id);
  release();
}

function release(): void {
  request = null;
  current = 0;
  next();
}

function parse(text: string): DatasetRead | Refusal | null {
  try {
    return JSON.parse(text) as DatasetRead | Refusal;
  } catch {
    return null;
  }
}

addEventListener("beforeunload", (event) => {
  if (request) event.preventDefault();
});
