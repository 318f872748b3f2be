// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import { ApiError } from '../api';
import type { Event, JobRead, Leaderboard, ModelRead, Results, TrainRequest } from '../schema';
import { CaseView } from './case';
import type { Workspace } from './workspace';

/** Trials that come together are shown together after this pause, in milliseconds. */
const PAUSE = 250;

/**
 * One model that is being looked at: how its search goes on, and what came out.
 */
export class ModelView implements IDisposable {
  constructor(
    readonly workspace: Workspace,
    readonly id: string
  ) {
    workspace.event.connect(this._onEvent, this);
    workspace.reset.connect(this._onReset, this);
    workspace.stateChanged.connect(this._onState, this);
    workspace.jobs.changed.connect(this._onJobs, this);
    void this.load();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get model(): ModelRead | null {
    return this._model;
  }

  get leaderboard(): Leaderboard | null {
    return this._leaderboard;
  }

  get results(): Results | null {
    return this._results;
  }

  get failure(): ApiError | null {
    return this._failure;
  }

  /** One row and why the model says what it says; there is one as soon as there are results. */
  get case(): CaseView | null {
    if (this._results && !this._case) {
      this._case = new CaseView(this.workspace.api, this._results);
    }
    return this._case;
  }

  /** The job that trains it. */
  get job(): JobRead | null {
    return (this._model?.job_id && this.workspace.jobs.get(this._model.job_id)) || null;
  }

  /** Whether a search made it, which can be made again; a registered pipeline was fitted elsewhere. */
  get isOfSearch(): boolean {
    return this._model?.origin === 'search';
  }

  get isTraining(): boolean {
    return this._model?.status === 'queued' || this._model?.status === 'training';
  }

  /** Whether the search was asked to stop and has not ended yet. */
  get isStopping(): boolean {
    return this._isStopping && this.isTraining;
  }

  /** Seconds until the search ends, at this moment; null while that is not known. */
  get secondsLeft(): number | null {
    return this._deadline === null ? null : Math.max(0, (this._deadline - Date.now()) / 1000);
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** End the search and keep the best model so far. */
  async stop(): Promise<void> {
    this._isStopping = true;
    this._changed.emit();
    try {
      await this.workspace.api.stopTraining(this.id);
    } catch (error) {
      this._isStopping = false;
      throw error;
    } finally {
      this._changed.emit();
    }
  }

  /**
   * Train once more on the same rows with a part of the recipe changed, as the next version of the same name.
   *
   * @returns The new version, or null where there is no recipe to go by.
   */
  async again(change: Partial<TrainRequest>): Promise<ModelRead | null> {
    const results = this._results;
    if (!results) {
      return null;
    }
    // How many cores there were is a fact of that training, not a wish.
    const { threads: _, ...recipe } = results.recipe;
    const { dataset, dataset_version: version, model } = results;
    return this.workspace.api.train({
      ...recipe,
      ...change,
      dataset: dataset.id,
      version,
      name: model.name
    });
  }

  async load(): Promise<void> {
    const { api, sessionState } = this.workspace;
    if (sessionState !== 'signed-in' && sessionState !== 'starting') {
      return;
    }
    try {
      this._model = await api.model(this.id);
      this._failure = null;
      if (this._model.status === 'ready') {
        this._results = await api.results(this.id);
      } else {
        await this._loadLeaderboard();
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
      clearTimeout(this._timer);
      this._case?.dispose();
      Signal.clearData(this);
    }
  }

  private async _loadLeaderboard(): Promise<void> {
    this._leaderboard = await this.workspace.api.leaderboard(this.id);
    const left = this._leaderboard.seconds_left;
    this._deadline = left === null ? null : Date.now() + left * 1000;
  }

  private _onEvent(_: unknown, event: Event): void {
    if (event.subject.kind !== 'model' || event.subject.id !== this.id) {
      return;
    }
    if (event.type === 'model.trial') {
      this._timer ??= setTimeout(() => void this._onTrials(), PAUSE);
    } else {
      void this.load();
    }
  }

  private async _onTrials(): Promise<void> {
    this._timer = undefined;
    if (this._model?.status === 'queued') {
      await this.load();
      return;
    }
    try {
      await this._loadLeaderboard();
    } catch (error) {
      // The next trial or the end of the search brings another occasion.
      if (!(error instanceof ApiError)) {
        throw error;
      }
    }
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private _onReset(): void {
    void this.load();
  }

  private _onState(): void {
    if (this.workspace.sessionState === 'signed-in' && this._model === null) {
      void this.load();
    }
  }

  private _onJobs(): void {
    if (this.isTraining) {
      this._changed.emit();
    }
  }

  private _model: ModelRead | null = null;
  private _leaderboard: Leaderboard | null = null;
  private _results: Results | null = null;
  private _case: CaseView | null = null;
  private _failure: ApiError | null = null;
  private _deadline: number | null = null;
  private _isStopping = false;
  private _isDisposed = false;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _changed = new Signal<this, void>(this);
}
