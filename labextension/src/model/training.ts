// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { ApiError } from '../api';
import type { Event, Guard, JobRead, Leaderboard, ModelRead, Results, TrainRequest } from '../schema';
import { FINAL_JOB_STATUSES } from '../schema';
import { CaseView } from './case';
import { Deciding } from './deciding';
import { LoadedView } from './view';
import type { Workspace } from './workspace';

/** Trials that come together are shown together after this pause, in milliseconds. */
const PAUSE = 250;

/** What is known of a model: its results when it is ready, else what its search has found so far. */
interface IFound {
  model: ModelRead;
  leaderboard: Leaderboard | null;
  results: Results | null;
}

/**
 * One model that is being looked at: how its search goes on, and what came out.
 */
export class ModelView extends LoadedView<IFound> {
  constructor(
    workspace: Workspace,
    readonly id: string
  ) {
    super(workspace);
    workspace.jobs.changed.connect(this._onJobs, this);
    this.follow();
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

  /** One row and why the model says what it says; there is one as soon as there are results. */
  get case(): CaseView | null {
    if (this._results && !this._case) {
      this._case = new CaseView(this.workspace.api, this._results);
    }
    return this._case;
  }

  /** Where the line between yes and no lies; only a model of two classes has one. */
  get deciding(): Deciding | null {
    if (this._results?.decisions && !this._deciding) {
      this._deciding = new Deciding(this.workspace.api, this._results, this._results.decisions);
    }
    return this._deciding;
  }

  /** Whether this account may change it. */
  get mayChange(): boolean {
    const access = this._model?.access;
    return this.workspace.mayWrite && (access === 'edit' || access === 'owner');
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

  /** End the search and keep the best model so far. */
  async stop(): Promise<void> {
    this._isStopping = true;
    this.announce();
    try {
      await this.workspace.api.stopTraining(this.id);
    } catch (error) {
      this._isStopping = false;
      throw error;
    } finally {
      this.announce();
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

  /** Ask for the score with the fix of a finding; it comes with the results, beside the finding. */
  async scoreAgain(guard: Guard): Promise<void> {
    const job = await this.workspace.api.rescoreModel(this.id, { guard: guard.code });
    this._rescores.set(guard.code, job.id);
    this.workspace.jobs.put(job);
    this.announce();
  }

  /** Whether a finding is being scored again. */
  isScoringAgain(guard: Guard): boolean {
    const job = this._rescores.get(guard.code);
    const status = job && this.workspace.jobs.get(job)?.status;
    return status !== undefined && status !== '' && !FINAL_JOB_STATUSES.includes(status);
  }

  override dispose(): void {
    clearTimeout(this._timer);
    this._case?.dispose();
    this._deciding?.dispose();
    super.dispose();
  }

  protected get isLoaded(): boolean {
    return this._model !== null;
  }

  protected async ask(): Promise<IFound> {
    const { api } = this.workspace;
    const model = await api.model(this.id);
    const isReady = model.status === 'ready';
    return {
      model,
      leaderboard: isReady ? null : await api.leaderboard(this.id),
      results: isReady ? await api.results(this.id) : null
    };
  }

  protected take({ model, leaderboard, results }: IFound): void {
    if (this._model && model.policy_version !== this._model.policy_version) {
      void this._deciding?.load();
    }
    this._model = model;
    this._results = results ?? this._results;
    if (leaderboard) {
      this._takeLeaderboard(leaderboard);
    }
  }

  protected onEvent(event: Event): void {
    if (event.subject.kind !== 'model' || event.subject.id !== this.id) {
      return;
    }
    if (event.type === 'model.trial') {
      this._timer ??= setTimeout(() => void this._onTrials(), PAUSE);
    } else {
      void this.load();
    }
  }

  private _takeLeaderboard(leaderboard: Leaderboard): void {
    this._leaderboard = leaderboard;
    const left = leaderboard.seconds_left;
    this._deadline = left === null ? null : Date.now() + left * 1000;
  }

  private async _onTrials(): Promise<void> {
    this._timer = undefined;
    if (this._model?.status === 'queued') {
      await this.load();
      return;
    }
    try {
      this._takeLeaderboard(await this.workspace.api.leaderboard(this.id));
    } catch (error) {
      // The next trial or the end of the search brings another occasion.
      if (!(error instanceof ApiError)) {
        throw error;
      }
    }
    this.announce();
  }

  private _onJobs(): void {
    if (this.isTraining || this._rescores.size > 0) {
      this.announce();
    }
  }

  private _model: ModelRead | null = null;
  private _leaderboard: Leaderboard | null = null;
  private _results: Results | null = null;
  private _case: CaseView | null = null;
  private _deciding: Deciding | null = null;
  /** The jobs that score again, by the code of the finding. */
  private readonly _rescores = new Map<string, string>();
  private _deadline: number | null = null;
  private _isStopping = false;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}
