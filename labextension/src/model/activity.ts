// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { Api } from '../api';
import { ApiError } from '../api';
import type { Event } from '../schema';
import { Pace } from './pace';
import { Retry } from './retry';

/** How many lines are kept. */
const KEPT = 500;

/** How long changes are gathered: when it is quiet, and after one was drawn just before, in milliseconds. */
const FRAME = 16;
const BUSY = 150;

/** What a person wants to read later; progress and single trials are not. */
const TELLING = new Set([
  'dataset.uploaded',
  'dataset.ready',
  'dataset.failed',
  'dataset.deleted',
  'model.training',
  'model.trained',
  'model.failed',
  'model.cancelled',
  'model.promoted',
  'model.deleted',
  'prediction.ready',
  'prediction.failed',
  'monitor.alert',
  'insight.published',
  'insight.deleted',
  'user.created',
  'user.changed',
  'system.alert',
  'system.announcement',
  'system.maintenance'
]);

/** Which lines are looked at. */
export interface IActivityView {
  text: string;
  /** The noun that the types begin with; empty for all. */
  kind: string;
  /** Id of the account that did it; empty for all. */
  person: string;
}

/** The events that a view shows, in their order. */
export function narrowed(
  events: readonly Event[],
  view: IActivityView,
  textOf: (event: Event) => string
): Event[] {
  const text = view.text.trim().toLowerCase();
  return events.filter(
    each =>
      (!view.kind || each.type.startsWith(`${view.kind}.`)) &&
      (!view.person || each.actor?.id === view.person) &&
      (!text || textOf(each).toLowerCase().includes(text))
  );
}

/**
 * What happened lately, newest first.
 */
export class Activity implements IDisposable {
  constructor(private readonly _api: Api) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get items(): readonly Event[] {
    return this._items;
  }

  get isLoaded(): boolean {
    return this._isLoaded;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Read the last lines. */
  async reload(): Promise<void> {
    const turn = ++this._turn;
    let found: Event[];
    try {
      found = (await this._api.recentEvents(KEPT)).items.filter(isTelling);
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      if (error.isPassing && turn === this._turn) {
        this._reloading.later();
      }
      return;
    }
    this._reloading.done();
    if (turn === this._turn) {
      const known = new Set(found.map(each => each.id));
      const newer = this._items.filter(
        each => !known.has(each.id) && found.length > 0 && each.at >= found[found.length - 1].at
      );
      this._items = [...newer, ...found.reverse()].slice(0, KEPT);
      this._isLoaded = true;
      this._announce();
    }
  }

  /** Take an event of the feed. */
  notice(event: Event): void {
    if (isTelling(event)) {
      this._items = [event, ...this._items].slice(0, KEPT);
      this._announce();
    }
  }

  clear(): void {
    this._turn += 1;
    this._reloading.done();
    this._items = [];
    this._isLoaded = false;
    this._announce();
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._reloading.dispose();
      this._announcing.dispose();
      Signal.clearData(this);
    }
  }

  private _announce(): void {
    this._announcing.tell();
  }

  private _items: readonly Event[] = [];
  private _isLoaded = false;
  private _reloading = new Retry(() => this.reload());
  private _turn = 0;
  private _announcing = new Pace(() => this._changed.emit(), FRAME, BUSY);
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}

function isTelling(event: Event): boolean {
  // A training is told when someone asks for it, not once more when a worker begins; an announcement when it begins.
  const isAgain = (event.type === 'model.training' && event.actor === null) || event.data?.withdrawn === true;
  return TELLING.has(event.type) && !isAgain;
}
