// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import { ApiError } from '../api';
import type { Event } from '../schema';
import type { Workspace } from './workspace';

/**
 * Something of the server that is looked at in a tab: loaded when the tab opens and after every change, while somebody is
 * signed in. Of two loads that overtake each other the one that began last counts.
 *
 * A subclass calls `follow` when it is ready to be loaded.
 */
export abstract class LoadedView<T> implements IDisposable {
  constructor(readonly workspace: Workspace) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Why the last load failed. */
  get failure(): ApiError | null {
    return this._failure;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  async load(): Promise<void> {
    const { sessionState } = this.workspace;
    if (this._isDisposed || (sessionState !== 'signed-in' && sessionState !== 'starting')) {
      return;
    }
    const turn = ++this._turn;
    try {
      const found = await this.ask();
      if (turn === this._turn) {
        this._failure = null;
        this.take(found);
        this.announce();
      }
    } catch (error) {
      if (turn === this._turn) {
        this.fail(error);
      }
    }
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._turn += 1;
      Signal.clearData(this);
    }
  }

  /** Whether there is something to show. */
  protected abstract get isLoaded(): boolean;

  /** Ask the server. */
  protected abstract ask(): Promise<T>;

  /** Keep what it answered. */
  protected abstract take(found: T): void;

  /** What an event means for the thing. */
  protected abstract onEvent(event: Event): void;

  /** Load it for the first time, and go along with the workspace from now on. */
  protected follow(): void {
    const { event, reset, stateChanged } = this.workspace;
    event.connect(this._onEvent, this);
    reset.connect(this._onReset, this);
    stateChanged.connect(this._onState, this);
    void this.load();
  }

  /** Tell whoever shows it. */
  protected announce(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  /** Keep a failure of the server to be shown; anything else is a mistake of ours. */
  protected fail(error: unknown): void {
    if (!(error instanceof ApiError)) {
      throw error;
    }
    this._failure = error;
    this.announce();
  }

  private _onEvent(_: unknown, event: Event): void {
    this.onEvent(event);
  }

  private _onReset(): void {
    void this.load();
  }

  private _onState(): void {
    if (this.workspace.sessionState === 'signed-in' && !this.isLoaded) {
      void this.load();
    }
  }

  private _failure: ApiError | null = null;
  private _turn = 0;
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}
