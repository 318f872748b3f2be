// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { ICall } from '../api';
import { quoted } from './snippets';

/** So many steps are remembered. */
const MOST = 20;

/** Names of things by their ids, as they are before a step has changed them. */
export interface INames {
  dataset: (id: string) => string;
  model: (id: string) => string;
}

/**
 * What was done by clicking, as the Python lines that do the same, the latest first.
 */
export class Steps {
  constructor(private readonly _names: INames) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get items(): readonly string[] {
    return this._items;
  }

  /** Take notice of a call that the server has answered with a yes. */
  note(call: ICall): void {
    const line = lineOf(call, this._names);
    if (line) {
      this._items = [line, ...this._items.filter(each => each !== line)].slice(0, MOST);
      this._changed.emit();
    }
  }

  clear(): void {
    this._items = [];
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private _items: readonly string[] = [];
}

type Body = Record<string, unknown>;

/** A change: its route, with `*` for each id, and the method of the client that makes the same change. */
const LINES: Partial<Record<string, (names: INames, ids: readonly string[], body: Body) => string>> = {
  'POST datasets': (_, _ids, { filename, visibility }) =>
    `client.upload_file(${args([filename], { visibility: visibility === 'private' ? visibility : null })})`,
  'PATCH datasets/*': (names, [id], body) => update(dataset(names, id), body),
  'DELETE datasets/*': (names, [id]) => `${dataset(names, id)}.delete()`,
  'POST datasets/*/restore': (names, [id], { version }) =>
    `${dataset(names, id)}.restore(${literal(version)})`,
  'POST datasets/*/fixes': (names, [id], { code, columns, options }) =>
    `${dataset(names, id)}.fix(${args([code, columns ?? []], options as Body)})`,
  'POST datasets/*/fixes/undo': (names, [id]) => `${dataset(names, id)}.undo_fix()`,
  'PUT datasets/*/grants/*': (names, [id, person], { level }) =>
    `${dataset(names, id)}.share_with(${args([person, level])})`,
  'DELETE datasets/*/grants/*': (names, [id, person]) =>
    `${dataset(names, id)}.share_with(${args([person, null])})`,
  'POST models': (names, _, request) => trainingLine(names.dataset(String(request.dataset)), request),
  'PATCH models/*': (names, [id], body) => update(model(names, id), body),
  'DELETE models/*': (names, [id]) => `${model(names, id)}.delete()`,
  'POST models/*/stop': (names, [id]) => `${model(names, id)}.stop()`,
  'POST models/*/extend': (names, [id], { seconds }) => `${model(names, id)}.extend(${literal(seconds)})`,
  'POST models/*/skip': (names, [id], { family }) => `${model(names, id)}.skip(${literal(family)})`,
  'POST models/*/promote': (names, [id], { reason }) => `client.promote(${args([names.model(id), reason])})`,
  'POST models/*/threshold': (names, [id], { value, capacity, cost_false_alarm, cost_missed }) =>
    `client.set_threshold(${args(
      [names.model(id), ...(value === undefined || value === null ? [] : [value])],
      {
        capacity,
        cost_false_alarm,
        cost_missed
      }
    )})`,
  'POST models/*/rescore': (names, [id], { guard, fix, columns }) =>
    `${model(names, id)}.score_again(${args(guard ? [guard] : [], { fix, without: columns })})`,
  'POST models/*/predictions': (names, [id], body) =>
    `client.predict_dataset(${args([names.model(id), names.dataset(String(body.dataset))])})`,
  'PUT models/*/grants/*': (names, [id, person], { level }) =>
    `${model(names, id)}.share_with(${args([person, level])})`,
  'DELETE models/*/grants/*': (names, [id, person]) =>
    `${model(names, id)}.share_with(${args([person, null])})`,
  'DELETE insights/*': (_, [id]) => `client.insight(${literal(id)}).delete()`,
  'POST jobs/*/cancel': (_, [id]) => `client.job(${literal(id)}).cancel()`
};

/** The line that makes a change; null for a call that changes nothing that a notebook could change. */
export function lineOf({ method, path, body }: ICall, names: INames): string | null {
  const parts = path.split('/').map(decodeURIComponent);
  const route = parts.map((part, at) => (isId(parts, at) ? '*' : part)).join('/');
  const ids = parts.filter((_, at) => isId(parts, at));
  return LINES[`${method} ${route}`]?.(names, ids, (body ?? {}) as Body) ?? null;
}

/** Every second part is an id, but for what is done to a thing: `datasets/<id>/fixes/undo`. */
function isId(parts: readonly string[], at: number): boolean {
  return at === 1 || (at === 3 && parts[2] === 'grants');
}

/** A value as Python writes it. */
export function literal(value: unknown): string {
  if (value === null || value === undefined) {
    return 'None';
  }
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  if (Array.isArray(value)) {
    return `[${value.map(literal).join(', ')}]`;
  }
  if (typeof value === 'object') {
    const pairs = Object.entries(value).map(([key, each]) => `${quoted(key)}: ${literal(each)}`);
    return `{${pairs.join(', ')}}`;
  }
  return typeof value === 'string' ? quoted(value) : String(value);
}

/** Arguments of a call; a keyword that says nothing is left out. */
export function args(positional: readonly unknown[], keywords: Body = {}): string {
  const said = Object.entries(keywords).filter(([, value]) => !isEmpty(value));
  return [...positional.map(literal), ...said.map(([name, value]) => `${name}=${literal(value)}`)].join(', ');
}

function isEmpty(value: unknown): boolean {
  return (
    value === null ||
    value === undefined ||
    (typeof value === 'object' && Object.keys(value as object).length === 0)
  );
}

function dataset(names: INames, id: string): string {
  return `client.dataset(${literal(names.dataset(id))})`;
}

function model(names: INames, id: string): string {
  return `client.model(${literal(names.model(id))})`;
}

function update(thing: string, { name, visibility }: Body): string {
  return name ? `${thing}.rename(${literal(name)})` : `${thing}.share(${literal(visibility)})`;
}

/** The whole recipe: what a form has chosen is part of what it trains. */
export function trainingLine(name: string, request: object): string {
  const { dataset: _, version: _latest, ...recipe } = request as Body;
  return `model = client.train_model(${args([name], recipe)})`;
}
