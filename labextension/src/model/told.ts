// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import { ApiError } from '../api';
import type { AnnouncementRead, Event, MaintenanceRead } from '../schema';
import { Retry } from './retry';
import type { Workspace } from './workspace';

const TELLS = new Set(['system.announcement', 'system.maintenance']);

/**
 * What everybody is told at this moment: announcements, and maintenance with its countdown.
 */
export class Told implements IDisposable {
  constructor(private readonly _workspace: Workspace) {
    _workspace.event.connect(this._onEvent, this);
    _workspace.reset.connect(this._onReset, this);
    _workspace.stateChanged.connect(this._onState, this);
    this._onState();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Announcements that are to be shown and were not hidden here, the latest first. */
  get announcements(): readonly AnnouncementRead[] {
    return this._announcements.filter(each => !this._hidden.has(each.id));
  }

  /** Maintenance that is announced or under way. */
  get maintenance(): MaintenanceRead | null {
    return this._maintenance;
  }

  /** Seconds until announced maintenance begins; 0 once it is under way. */
  secondsLeft(now = Date.now()): number {
    const left = this._maintenance?.starts_in ?? 0;
    return Math.max(0, left - (now - this._readAt) / 1000);
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Show an announcement no more in this window. */
  hide(id: string): void {
    this._hidden.add(id);
    this._changed.emit();
  }

  async reload(): Promise<void> {
    const { account, api } = this._workspace;
    if (!account || this._isDisposed) {
      return;
    }
    const turn = ++this._turn;
    try {
      const [announced, maintenance] = await Promise.all([api.announcements(), api.maintenance()]);
      if (turn !== this._turn) {
        return;
      }
      this._announcements = announced.items;
      this._maintenance = maintenance.state === 'off' ? null : maintenance;
      this._readAt = Date.now();
      this._isLoaded = true;
      this._reloading.done();
      this._changed.emit();
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      if (error.isPassing && turn === this._turn) {
        this._reloading.later();
      }
    }
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._turn += 1;
      this._reloading.dispose();
      Signal.clearData(this);
    }
  }

  private _onEvent(_: unknown, event: Event): void {
    if (TELLS.has(event.type)) {
      void this.reload();
    }
  }

  private _onReset(): void {
    void this.reload();
  }

  private _onState(): void {
    if (!this._workspace.account) {
      this._turn += 1;
      this._reloading.done();
      this._announcements = [];
      this._maintenance = null;
      this._isLoaded = false;
      this._changed.emit();
    } else if (!this._isLoaded) {
      this._isLoaded = true;
      void this.reload();
    }
  }

  private _announcements: readonly AnnouncementRead[] = [];
  private _maintenance: MaintenanceRead | null = null;
  private _hidden = new Set<string>();
  private _readAt = 0;
  private _isLoaded = false;
  private _turn = 0;
  private _reloading = new Retry(() => this.reload());
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}
