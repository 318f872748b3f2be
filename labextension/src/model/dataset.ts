// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import { ApiError } from '../api';
import type { DatasetRead, Event, Profile } from '../schema';
import { RowsSource } from './rows';
import type { Workspace } from './workspace';

/**
 * One dataset that is being looked at: its facts, its profile and its rows, kept up to date.
 */
export class DatasetView implements IDisposable {
  constructor(
    readonly workspace: Workspace,
    readonly id: string
  ) {
    this.rows = new RowsSource({
      fetch: (request, signal) =>
        workspace.api.rows(id, { ...request, version: this._dataset?.version }, signal)
    });
    workspace.event.connect(this._onEvent, this);
    workspace.reset.connect(this._onReset, this);
    workspace.stateChanged.connect(this._onState, this);
    workspace.jobs.changed.connect(this._onJobs, this);
    void this.load();
  }

  readonly rows: RowsSource;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get dataset(): DatasetRead | null {
    return this._dataset;
  }

  get profile(): Profile | null {
    return this._profile;
  }

  get failure(): ApiError | null {
    return this._failure;
  }

  /** How far the reading of the file is, from 0 to 1, while it goes on. */
  get progress(): number | null {
    const job = this._dataset?.job_id ? this.workspace.jobs.get(this._dataset.job_id) : undefined;
    return this._dataset?.status === 'processing' ? (job?.progress ?? 0) : null;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  async load(): Promise<void> {
    const { api, sessionState } = this.workspace;
    if (sessionState !== 'signed-in' && sessionState !== 'starting') {
      return;
    }
    try {
      const before = this._dataset;
      this._dataset = await api.dataset(this.id);
      this._failure = null;
      this._changed.emit();
      const { status, version } = this._dataset;
      if (status === 'ready' && (before?.status !== 'ready' || before.version !== version)) {
        void this.rows.show({});
        this._profile = await api.profile(this.id, version);
      }
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this._failure = error;
    }
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this.rows.dispose();
      Signal.clearData(this);
    }
  }

  private _onEvent(_: unknown, event: Event): void {
    if (event.subject.kind === 'dataset' && event.subject.id === this.id) {
      void this.load();
    }
  }

  private _onReset(): void {
    void this.load();
  }

  private _onState(): void {
    if (this.workspace.sessionState === 'signed-in' && this._dataset === null) {
      void this.load();
    }
  }

  private _onJobs(): void {
    if (this._dataset?.status === 'processing') {
      this._changed.emit();
    }
  }

  private _dataset: DatasetRead | null = null;
  private _profile: Profile | null = null;
  private _failure: ApiError | null = null;
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}
