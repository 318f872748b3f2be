// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { ApiError } from '../api';
import type { DatasetRead, Event, Finding, Profile, VersionRead } from '../schema';
import { RowsSource } from './rows';
import { LoadedView } from './view';
import type { Workspace } from './workspace';

/**
 * One dataset that is being looked at: its facts, its profile and its rows, kept up to date.
 */
export class DatasetView extends LoadedView<DatasetRead> {
  constructor(
    workspace: Workspace,
    readonly id: string
  ) {
    super(workspace);
    this.rows = new RowsSource({
      fetch: (request, signal) =>
        workspace.api.rows(id, { ...request, version: this._dataset?.version, text_limit: 2000 }, signal)
    });
    workspace.jobs.changed.connect(this._onJobs, this);
    // Its rows need not wait for what the list tells already.
    const known = workspace.datasets.get(id);
    if (known) {
      this.take(known);
    }
    this.follow();
  }

  readonly rows: RowsSource;

  get dataset(): DatasetRead | null {
    return this._dataset;
  }

  get profile(): Profile | null {
    return this._profile;
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

  override dispose(): void {
    this.rows.dispose();
    super.dispose();
  }

  protected get isLoaded(): boolean {
    return this._dataset !== null;
  }

  protected ask(): Promise<DatasetRead> {
    return this.workspace.api.dataset(this.id);
  }

  protected take(dataset: DatasetRead): void {
    const before = this._dataset;
    const { status, version } = dataset;
    this._dataset = dataset;
    if (version !== this._mendedFrom) {
      this._mendedFrom = null;
    }
    if (status === 'ready' && (before?.status !== 'ready' || before.version !== version)) {
      void this._show(version);
    }
  }

  protected onEvent(event: Event): void {
    if (event.subject.kind === 'dataset' && event.subject.id === this.id) {
      void this.load();
      if (event.type === 'dataset.failed' && this._mendedFrom !== null) {
        void this._tellFailure();
      }
    }
  }

  /** The rows first: they are what is looked at. */
  private async _show(version: number): Promise<void> {
    await this.rows.show({});
    try {
      const [profile, lastFix] = await Promise.all([
        this.workspace.api.profile(this.id, version),
        this._findFix(version)
      ]);
      if (version === this._dataset?.version) {
        this._profile = profile;
        this._lastFix = lastFix;
        this.announce();
      }
    } catch (error) {
      if (version === this._dataset?.version) {
        this.fail(error);
      }
    }
  }

  private async _mend(work: () => Promise<void>): Promise<void> {
    this._mendedFrom = this._dataset?.version ?? null;
    this._mendFailure = null;
    this.announce();
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
    this.announce();
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
  private async _findFix(version: number): Promise<VersionRead | null> {
    const { items } = version > 1 ? await this.workspace.api.datasetVersions(this.id) : { items: [] };
    const latest = items.find(each => each.latest);
    return latest?.origin === 'fix' && latest.status === 'ready' ? latest : null;
  }

  private _onJobs(): void {
    if (this._dataset?.status === 'processing') {
      this.announce();
    }
  }

  private _dataset: DatasetRead | null = null;
  private _profile: Profile | null = null;
  private _lastFix: VersionRead | null = null;
  /** The version that a fix on its way began with. */
  private _mendedFrom: number | null = null;
  private _mendFailure: ApiError | null = null;
}
