// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import { ApiError } from '../api';
import type { DatasetRead, Event, Finding, Profile, VersionRead } from '../schema';
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

  /** The fix that the latest version rests on, and that can be taken back. */
  get lastFix(): VersionRead | null {
    return this._lastFix;
  }

  /** Whether a fix is on its way: a further version is made while the one before stays in use. */
  get isMending(): boolean {
    return this._mendedFrom !== null;
  }

  /** Why the last fix was refused. */
  get mendFailure(): ApiError | null {
    return this._mendFailure;
  }

  /** Whether this account may make a new version of it. */
  get mayMend(): boolean {
    const access = this._dataset?.access;
    return this.workspace.mayWrite && (access === 'edit' || access === 'owner');
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
      const { status, version } = this._dataset;
      if (version !== this._mendedFrom) {
        this._mendedFrom = null;
      }
      this._changed.emit();
      if (status === 'ready' && (before?.status !== 'ready' || before.version !== version)) {
        void this.rows.show({});
        [this._profile] = await Promise.all([api.profile(this.id, version), this._findFix(version)]);
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

  /** Do what a finding offers, by a new version. */
  mend(finding: Finding): Promise<void> {
    const { fix, columns } = finding;
    const version = this._dataset?.version;
    return this._mend(async () => {
      if (fix) {
        const { code, options } = fix;
        await this.workspace.api.fixDataset(this.id, { code, columns, version, options });
      }
    });
  }

  /** Take the last fix back. */
  undo(): Promise<void> {
    return this._mend(async () => {
      await this.workspace.api.undoFix(this.id);
    });
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this.rows.dispose();
      Signal.clearData(this);
    }
  }

  private async _mend(work: () => Promise<void>): Promise<void> {
    this._mendedFrom = this._dataset?.version ?? null;
    this._mendFailure = null;
    this._changed.emit();
    try {
      await work();
      await this.load();
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this._endMending(error);
    }
  }

  private _endMending(failure: ApiError | null): void {
    this._mendedFrom = null;
    this._mendFailure = failure;
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  /** The event of a failure holds no sentence; the version that failed does. */
  private async _tellFailure(): Promise<void> {
    try {
      const { items } = await this.workspace.api.datasetVersions(this.id);
      const failed = items.find(each => each.status === 'failed' && each.origin === 'fix');
      this._endMending(failed?.error ? new ApiError('job_failed', failed.error) : null);
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this._endMending(error);
    }
  }

  /** A version that was made by a fix can be taken back; one that was brought back is no fix. */
  private async _findFix(version: number): Promise<void> {
    const { items } = version > 1 ? await this.workspace.api.datasetVersions(this.id) : { items: [] };
    const latest = items.find(each => each.latest);
    this._lastFix = latest?.origin === 'fix' && latest.status === 'ready' ? latest : null;
  }

  private _onEvent(_: unknown, event: Event): void {
    if (event.subject.kind === 'dataset' && event.subject.id === this.id) {
      void this.load();
      if (event.type === 'dataset.failed' && this._mendedFrom !== null) {
        void this._tellFailure();
      }
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
  private _lastFix: VersionRead | null = null;
  /** The version that a fix on its way began with. */
  private _mendedFrom: number | null = null;
  private _mendFailure: ApiError | null = null;
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}
