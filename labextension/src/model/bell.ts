// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { Api } from '../api';
import { ApiError } from '../api';
import type { Event, NotificationRead } from '../schema';
import { Retry } from './retry';

/** How many lines are asked for. */
const SHOWN = 50;
/** Events that come together are answered by one look after this pause, in milliseconds. */
const PAUSE = 400;
/** What may be worth a line, and what was read at another door. */
const RINGS =
  /^(dataset\.(ready|failed|uploaded|shared)|model\.(trained|failed|shared|promoted)|prediction\.|monitor\.|system\.|insight\.published|notification\.)/;

/**
 * What concerns the account, read or not; the same at every door.
 */
export class Bell implements IDisposable {
  constructor(private readonly _api: Api) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Newest first. */
  get items(): readonly NotificationRead[] {
    return this._items;
  }

  /** How many are not read; 100 stands for that many or more. */
  get unread(): number {
    return this._unread;
  }

  get isLoaded(): boolean {
    return this._isLoaded;
  }

  get failure(): ApiError | null {
    return this._failure;
  }

  /** Whether the lines are looked at. */
  get isOpen(): boolean {
    return this._isOpen;
  }

  set isOpen(value: boolean) {
    if (value !== this._isOpen) {
      this._isOpen = value;
      this._changed.emit();
    }
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  async reload(): Promise<void> {
    this._stop();
    const turn = ++this._turn;
    try {
      const page = await this._api.notifications({ limit: SHOWN });
      if (turn !== this._turn) {
        return;
      }
      this._items = page.items;
      this._unread = page.unread;
      this._isLoaded = true;
      this._failure = null;
      this._reloading.done();
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      if (turn !== this._turn) {
        return;
      }
      this._failure = error;
      if (error.isPassing) {
        this._reloading.later();
      }
    }
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  /** Mark one line as read, or all. */
  async mark(id: string | null): Promise<void> {
    const { unread } = await this._api.markRead(id);
    this._items = this._items.map(each =>
      id === null || each.id === id ? { ...each, is_read: true } : each
    );
    this._unread = unread;
    this._changed.emit();
  }

  /** Take an event of the feed. */
  notice(event: Event): void {
    if (RINGS.test(event.type)) {
      this._timer ??= setTimeout(() => void this.reload(), PAUSE);
    }
  }

  clear(): void {
    this._stop();
    this._turn += 1;
    this._reloading.done();
    this._items = [];
    this._unread = 0;
    this._isLoaded = false;
    this._isOpen = false;
    this._failure = null;
    this._changed.emit();
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._stop();
      this._reloading.dispose();
      Signal.clearData(this);
    }
  }

  private _stop(): void {
    clearTimeout(this._timer);
    this._timer = undefined;
  }

  private _items: readonly NotificationRead[] = [];
  private _unread = 0;
  private _isLoaded = false;
  private _isOpen = false;
  private _failure: ApiError | null = null;
  private _turn = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _reloading = new Retry(() => this.reload());
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}
