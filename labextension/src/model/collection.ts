// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import { ApiError } from '../api';
import type { IListing } from '../api';
import type { Page } from '../schema';
import { Pace } from './pace';
import { Retry } from './retry';

/** Things that changed are fetched together after this pause, in milliseconds. */
const PAUSE = 80;
/** When more than this changed, the list is loaded anew instead of one by one. */
const FEW = 12;
/** How long changes are gathered: when it is quiet, and after one was told just before, in milliseconds. */
const FRAME = 16;
const BUSY = 100;
/** How many things are asked for at once. */
const PAGE = 50;

/** What a list needs to know of its things. */
export interface IThing {
  id: string;
  created_at: string;
}

/**
 * A list of things as the server has them, newest first, loaded page by page and kept up to date one by one.
 */
export class Collection<T extends IThing> implements IDisposable {
  constructor(options: Collection.IOptions<T>) {
    this._options = options;
  }

  /** Emitted after a change, once for many changes that come together. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Newest first. */
  get items(): readonly T[] {
    this._sorted ??= [...this._things.values()].sort((a, b) => compare(b, a));
    return this._sorted;
  }

  /** Whether it has ever been loaded. */
  get isLoaded(): boolean {
    return this._isLoaded;
  }

  /** Why the last load failed. */
  get failure(): ApiError | null {
    return this._failure;
  }

  /** Whether the server has more than is loaded. */
  get hasMore(): boolean {
    return this._next !== null;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  get(id: string): T | undefined {
    return this._things.get(id);
  }

  /** Load the first page anew, in place of everything. */
  async reload(): Promise<void> {
    const turn = ++this._turn;
    await this._load({ limit: PAGE }, page => {
      if (turn === this._turn) {
        this._things = new Map(page.items.map(each => [each.id, each]));
        this._next = page.next;
        this._isLoaded = true;
      }
    });
    if (this._failure?.isPassing && turn === this._turn) {
      this._reloading.later();
    }
  }

  /** Load one page more. */
  async more(): Promise<void> {
    const turn = this._turn;
    if (this._next !== null) {
      await this._load({ limit: PAGE, cursor: this._next }, page => {
        if (turn === this._turn) {
          page.items.forEach(each => this._things.set(each.id, each));
          this._next = page.next;
        }
      });
    }
  }

  /** Add what the server finds for a text; what is loaded already is searched by whoever shows it. */
  async search(text: string): Promise<void> {
    if (this._next !== null && text) {
      await this._load({ limit: PAGE, search: text }, page => {
        page.items.forEach(each => this._things.set(each.id, each));
      });
    }
  }

  /** Take a thing as the server has just given it. */
  put(thing: T): void {
    this._things.set(thing.id, thing);
    this._announce();
  }

  /** Change what is known of a thing; nothing happens when it is not loaded. */
  patch(id: string, change: Partial<T>): boolean {
    const known = this._things.get(id);
    if (!known) {
      return false;
    }
    this.put({ ...known, ...change });
    return true;
  }

  remove(id: string): void {
    this._stale.delete(id);
    if (this._things.delete(id)) {
      this._announce();
    }
  }

  /** Fetch a thing soon, because it has changed. */
  touch(id: string): void {
    this._stale.add(id);
    this._fetching.tell();
  }

  /** Forget everything. */
  clear(): void {
    this._turn += 1;
    this._things.clear();
    this._stale.clear();
    this._next = null;
    this._isLoaded = false;
    this._failure = null;
    this._reloading.done();
    this._refetching.done();
    this._announce();
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._reloading.dispose();
      this._refetching.dispose();
      this._fetching.dispose();
      this._announcing.dispose();
      Signal.clearData(this);
    }
  }

  private async _load(listing: IListing, take: (page: Page<T>) => void): Promise<void> {
    try {
      take(await this._options.page(listing));
      this._failure = null;
      this._reloading.done();
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this._failure = error;
    }
    this._announce();
  }

  private async _fetchStale(): Promise<void> {
    const ids = [...this._stale];
    this._stale.clear();
    if (ids.length > FEW) {
      await this.reload();
      return;
    }
    await Promise.all(ids.map(id => this._fetch(id)));
    if (this._stale.size === 0) {
      this._refetching.done();
    }
  }

  private async _fetch(id: string): Promise<void> {
    const turn = this._turn;
    try {
      const thing = await this._options.one(id);
      if (turn === this._turn) {
        this.put(thing);
      }
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      if (error.status === 404 || error.status === 403) {
        this.remove(id); // gone, or not for this account any more
      } else if (error.isPassing && turn === this._turn) {
        this._stale.add(id);
        this._refetching.later();
      }
    }
  }

  private _announce(): void {
    this._sorted = null;
    this._announcing.tell();
  }

  private _options: Collection.IOptions<T>;
  private _things = new Map<string, T>();
  private _sorted: readonly T[] | null = null;
  private _stale = new Set<string>();
  private _next: string | null = null;
  private _isLoaded = false;
  private _failure: ApiError | null = null;
  private _reloading = new Retry(() => this.reload());
  private _refetching = new Retry(() => this._fetchStale());
  private _turn = 0;
  private _fetching = new Pace(() => void this._fetchStale(), PAUSE, PAUSE);
  private _announcing = new Pace(() => this._changed.emit(), FRAME, BUSY);
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}

export namespace Collection {
  export interface IOptions<T> {
    page: (listing: IListing) => Promise<Page<T>>;
    one: (id: string) => Promise<T>;
  }
}

function compare(a: IThing, b: IThing): number {
  return Date.parse(a.created_at) - Date.parse(b.created_at) || (a.id < b.id ? -1 : 1);
}
