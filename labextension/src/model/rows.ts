// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import { ApiError } from '../api';
import type { Column, Filter, RowsRead, RowsRequest, Sort } from '../schema';

/** Rows of one page, pages that are kept, and the pause before more is fetched while it scrolls, in milliseconds. */
const PAGE = 200;
const KEPT = 60;
const PAUSE = 30;
/** So many pages can be on the screen at once. */
const ON_SCREEN = 2;

/** A stretch of rows that has arrived. */
export interface IArrival {
  first: number;
  count: number;
}

/** What the rows are: all of them, or those that fulfil conditions and contain a text, in some order. */
export interface IRowsView {
  sort: readonly Sort[];
  filters: readonly Filter[];
  search: string;
}

/**
 * The rows of one dataset version, fetched as they are looked at, however many there are.
 */
export class RowsSource implements IDisposable {
  constructor(options: RowsSource.IOptions) {
    this._options = options;
  }

  /** A page has arrived: these rows can be painted. */
  get arrived(): ISignal<this, IArrival> {
    return this._arrived;
  }

  /** Columns, number of rows or order are others now. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get columns(): readonly Column[] {
    return this._columns;
  }

  /** Rows that match the view. */
  get total(): number {
    return this._total;
  }

  get view(): IRowsView {
    return this._view;
  }

  /** Why the last page could not be had. */
  get failure(): ApiError | null {
    return this._failure;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Look at the rows in another way; the first page is fetched at once. */
  async show(view: Partial<IRowsView>): Promise<void> {
    this._view = { ...this._view, ...view };
    this._turn += 1;
    this._abort.abort();
    this._abort = new AbortController();
    this._pages.clear();
    this._wanted.clear();
    this._pending.clear();
    await this._fetch(0, true);
  }

  /**
   * The value of a cell, or undefined when it has still to be fetched, which this asks for.
   */
  cell(row: number, column: number): unknown {
    const page = Math.floor(row / PAGE);
    const rows = this._pages.get(page);
    if (rows === undefined) {
      this._want(page);
      return undefined;
    }
    return rows[row - page * PAGE]?.[column];
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._turn += 1;
      this._abort.abort();
      clearTimeout(this._timer);
      Signal.clearData(this);
    }
  }

  /** A jump is answered at once; a scroll bar that is dragged on asks only for where it stops. */
  private _want(page: number): void {
    // Drawn again while it waits, what is on the screen must not wait longer.
    if (this._pending.has(page) || (this._wanted.has(page) && this._wanted.size <= ON_SCREEN)) {
      return;
    }
    this._wanted.delete(page);
    this._wanted.add(page);
    const now = Date.now();
    if (this._timer === undefined) {
      this._wait = now - this._wantedAt < PAUSE ? PAUSE : 0;
    }
    this._wantedAt = now;
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._fetchWanted(), this._wait);
  }

  private _fetchWanted(): void {
    this._timer = undefined;
    // The last ones are on the screen now; the ones before have been scrolled past.
    const pages = [...this._wanted].slice(-ON_SCREEN);
    this._wanted.clear();
    pages.forEach(page => void this._fetch(page));
  }

  private async _fetch(page: number, isFirst = false): Promise<void> {
    const turn = this._turn;
    this._pending.add(page);
    try {
      const { filters, search, sort } = this._view;
      const request = {
        offset: page * PAGE,
        limit: PAGE,
        sort: [...sort],
        filters: [...filters],
        search: search || null
      };
      const read = await this._options.fetch(request, this._abort.signal);
      if (turn === this._turn) {
        this._take(page, read, isFirst);
      }
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      if (turn === this._turn && error.code !== 'aborted') {
        this._failure = error;
        this._changed.emit();
      }
    } finally {
      if (turn === this._turn) {
        this._pending.delete(page);
      }
    }
  }

  private _take(page: number, read: RowsRead, isFirst: boolean): void {
    const isNew = isFirst || this._failure !== null || read.total !== this._total;
    this._failure = null;
    this._columns = read.columns;
    this._total = read.total;
    this._pages.set(page, read.rows);
    const oldest = this._pages.keys().next();
    if (this._pages.size > KEPT && !oldest.done) {
      this._pages.delete(oldest.value);
    }
    if (isNew) {
      this._changed.emit();
    } else {
      this._arrived.emit({ first: page * PAGE, count: read.rows.length });
    }
  }

  private _options: RowsSource.IOptions;
  private _columns: readonly Column[] = [];
  private _total = 0;
  private _view: IRowsView = { sort: [], filters: [], search: '' };
  private _pages = new Map<number, unknown[][]>();
  private _wanted = new Set<number>();
  private _pending = new Set<number>();
  private _abort = new AbortController();
  private _failure: ApiError | null = null;
  private _turn = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _wait = 0;
  private _wantedAt = 0;
  private _isDisposed = false;
  private _arrived = new Signal<this, IArrival>(this);
  private _changed = new Signal<this, void>(this);
}

export namespace RowsSource {
  export interface IOptions {
    fetch: (request: RowsRequest, signal: AbortSignal) => Promise<RowsRead>;
  }
}
