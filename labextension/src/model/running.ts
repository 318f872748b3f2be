// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import type { IDisposable } from '@lumino/disposable';

import type { FeedState } from '../api';
import type { JobRead } from '../schema';
import { FINAL_JOB_STATUSES } from '../schema';
import { jobTitle } from './wording';
import type { Workspace } from './workspace';

/** What stands in the status bar. */
export interface IStatus {
  text: string;
  caption: string;
  /** From 0 to 1; null while nothing runs. */
  progress: number | null;
}

/**
 * The work that runs now, in a line: for the status bar and for the panel of what is running.
 */
export class Running implements IDisposable {
  constructor(private readonly _workspace: Workspace) {
    _workspace.jobs.changed.connect(this._onJobs, this);
    _workspace.stateChanged.connect(this._onState, this);
    this._read();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The jobs that have not ended, the newest first. */
  get jobs(): readonly JobRead[] {
    return this._jobs;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Whether there is something to say: work of one's own, or a lost line. */
  get isWorthShowing(): boolean {
    return this._workspace.account !== null && (this._jobs.length > 0 || this._isLost);
  }

  status(trans: TranslationBundle): IStatus {
    const { account, feedState } = this._workspace;
    const words: Partial<Record<FeedState, string>> = {
      reconnecting: trans.__('DAPP: reconnecting'),
      offline: trans.__('DAPP: offline')
    };
    const lost = account && words[feedState];
    if (lost) {
      return { text: lost, caption: trans.__('The line was lost; nothing will be missed'), progress: null };
    }
    if (this._jobs.length === 0) {
      return { text: trans.__('DAPP'), caption: trans.__('No job runs'), progress: null };
    }
    const share = this._jobs.reduce((sum, each) => sum + each.progress, 0) / this._jobs.length;
    const [only] = this._jobs;
    const text =
      this._jobs.length === 1
        ? jobTitle(only.kind, only.subject.name, trans)
        : trans._n('%1 job', '%1 jobs', this._jobs.length);
    const caption = this._jobs
      .map(each =>
        trans.__('%1: %2 %', jobTitle(each.kind, each.subject.name, trans), Math.round(each.progress * 100))
      )
      .join('\n');
    return { text, caption, progress: share };
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      Signal.clearData(this);
    }
  }

  private get _isLost(): boolean {
    return this._workspace.feedState === 'reconnecting' || this._workspace.feedState === 'offline';
  }

  private _onJobs(): void {
    const before = this._jobs.length;
    this._read();
    if (before > 0 || this._jobs.length > 0) {
      this._changed.emit();
    }
  }

  private _onState(): void {
    this._read();
    this._changed.emit();
  }

  private _read(): void {
    this._jobs = this._workspace.jobs.items.filter(each => !FINAL_JOB_STATUSES.includes(each.status));
  }

  private _jobs: readonly JobRead[] = [];
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}
