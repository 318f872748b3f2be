// How results are said: which score speaks to everyone, what a finding means, who did what.
import * as format from "./format";
import { to } from "./router";
import type { DatasetEvent, Event, Finding, Guard, JobEvent, ModelEvent, PredictionEvent, Results, Score, UserEvent } from "./schema";

export interface Headline {
  score: Score;
  title: string;
  ours: string;
  guess: string;
  range: string;
}

/** The one score for everyone: share right, or how far off; where one answer is nearly always right, how well it ranks. */
export function headline(results: Results): Headline | null {
  const by = new Map(results.scores.map((score) => [score.name, score]));
  const accuracy = by.get("accuracy");
  if (results.task === "regression") {
    const error = by.get("mae") ?? by.get("rmse");
    if (!error) return null;
    const off = (value: number) => format.offBy(format.rough(value), results.target_column?.unit);
    const range = `${off(error.low)} to ${off(error.high)}`;
    return {
      score: error,
      title: "Typical error",
      ours: `Off by ±${off(error.value)}`,
      guess: `always guessing the average: ±${off(error.baseline)}`,
      range,
    };
  }
  const auc = by.get("roc_auc");
  if (auc && accuracy && accuracy.baseline > 0.8) {
    return {
      score: auc,
      title: "Ranking",
      ours: `Puts the right one first in ${Math.round(auc.value * 100)} of 100 pairs`,
      guess: "a coin would in 50",
      range: `${Math.round(auc.low * 100)} to ${Math.round(auc.high * 100)} of 100`,
    };
  }
  const right = accuracy ?? by.get("balanced_accuracy");
  if (!right) return null;
  return {
    score: right,
    title: "Right answers",
    ours: `Right in ${Math.round(right.value * 100)} of 100 cases`,
    guess: `always naming the most frequent answer: ${Math.round(right.baseline * 100)}`,
    range: `${Math.round(right.low * 100)} to ${Math.round(right.high * 100)} of 100`,
  };
}

/** The kind of what is predicted. Results from before it was kept say it by their answers. */
export function targetKind(results: Results): string | undefined {
  if (results.target_column) return results.target_column.kind;
  const names = results.classes ?? [];
  return names.length > 0 && names.every((each) => each === "True" || each === "False") ? "boolean" : undefined;
}

/** What the numbers of each column of a model are counted in. */
export function unitOf(results: Results, column: string): string | null | undefined {
  return results.features.find((each) => each.name === column)?.unit;
}

const WEIGHT = { alert: 2, warning: 1, info: 0 };

/** The gravest first. */
export function bySeverity<T extends Finding | Guard>(findings: T[]): T[] {
  return [...findings].sort((a, b) => WEIGHT[b.severity] - WEIGHT[a.severity]);
}

export interface Lamp {
  tone: "good" | "warn" | "bad";
  title: string;
  words: string;
}

/** How far to trust a model: the worst guard decides, not an average. */
export function lamp(results: Results): Lamp {
  const raised = results.guards.filter((guard) => guard.state === "alerted");
  const worst = bySeverity(raised)[0];
  if (worst) {
    const more = raised.length > 1 ? ` (and ${raised.length - 1} more below)` : "";
    return worst.severity === "alert"
      ? { tone: "bad", title: "Do not rely on this yet", words: `${worst.sentence}${more}` }
      : { tone: "warn", title: "Use with care", words: `${worst.sentence}${more}` };
  }
  const done = results.guards.filter((guard) => guard.state === "done").length;
  return {
    tone: "good",
    title: "All checks passed",
    words: done
      ? `${format.counted(done, "correction was", "corrections were")} made on the way; they are listed under the evidence.`
      : `${results.guards.length} checks were made before anything was scored.`,
  };
}

export const TASKS: Record<string, string> = { binary: "One of two answers", multiclass: "One of several answers", regression: "An amount" };
export const FAMILIES: Record<string, { name: string; hint: string }> = {
  linear: { name: "Linear", hint: "Simple, quick, easy to explain" },
  lightgbm: { name: "Boosted trees", hint: "Usually the most accurate" },
  forest: { name: "Random forest", hint: "Robust, needs little tuning" },
  neighbours: { name: "Nearest rows", hint: "Answers like the most similar rows" },
  neural: { name: "Neural network", hint: "Follows smooth curves, hard to explain" },
};

/** What a column's values are called in a sentence. */
export function jobWords(job: { kind: string; subject: { name: string } | { id: string }; subject_name?: string }): string {
  const name = "name" in job.subject ? job.subject.name : (job.subject_name ?? "");
  if (job.kind === "train") return `Training ${name}`;
  if (job.kind === "predict") return `Predicting with ${name}`;
  return `Reading ${name}`;
}

export interface Told {
  words: string;
  name: string;
  href?: string;
  tone?: "good" | "bad";
}

/** One event as a line: who did what with which thing. */
export function tell(event: Event): Told | null {
  const [kind, act] = event.type.split(".") as [string, string];
  if (kind === "dataset") {
    const data = event.data as unknown as DatasetEvent;
    const said: Record<string, string> = { uploaded: "uploaded", ready: "is ready", failed: "could not be read", deleted: "deleted", changed: "changed" };
    const words = said[act];
    return words
      ? {
          words,
          name: data.name,
          href: act === "deleted" ? undefined : to(`/datasets/${event.subject.id}`),
          tone: act === "failed" ? "bad" : act === "ready" ? "good" : undefined,
        }
      : null;
  }
  if (kind === "model") {
    const data = event.data as unknown as ModelEvent;
    // What the worker does on behalf of a person is told by the person's own line already.
    if ((!event.actor && act === "training") || (act === "changed" && data.status !== "ready")) return null;
    const said: Record<string, string> = {
      training: "started training",
      trained: "is trained",
      failed: "could not be trained",
      deleted: "deleted",
      changed: "changed",
    };
    const words = said[act];
    return words
      ? {
          words,
          name: data.name,
          href: act === "deleted" ? undefined : to(`/models/${event.subject.id}`),
          tone: act === "failed" ? "bad" : act === "trained" ? "good" : undefined,
        }
      : null;
  }
  if (kind === "prediction") {
    const data = event.data as unknown as PredictionEvent;
    const href = data.dataset ? to(`/datasets/${data.dataset.id}`) : undefined;
    return { words: act === "ready" ? "has new predictions" : "could not predict", name: data.model.name, href, tone: act === "ready" ? "good" : "bad" };
  }
  if (kind === "user") {
    const data = event.data as unknown as UserEvent;
    const said: Record<string, string> = { created: "joined", changed: "was changed" };
    return said[act] ? { words: said[act], name: data.name } : null;
  }
  if (kind === "job" && act === "finished") {
    const data = event.data as unknown as JobEvent;
    return data.status === "cancelled" ? { words: "was cancelled", name: data.subject_name } : null;
  }
  return null;
}

/** Whether a thing itself is the subject of the sentence ("Sales is ready"), or a person is ("Maya uploaded Sales"). */
export function isAboutThing(type: string): boolean {
  return /\.(ready|failed|trained|finished)$/.test(type);
}
