// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { Api, FeedState, SessionState } from '../api';
import { ApiError } from '../api';
import type {
  AccountRead,
  DatasetRead,
  Event,
  JobEvent,
  JobRead,
  ModelRead,
  TrialEvent,
  Visibility
} from '../schema';
import { BUDGETS, FINAL_JOB_STATUSES } from '../schema';
import { Activity } from './activity';
import { Bell } from './bell';
import { Collection } from './collection';
import { Steps } from './steps';
import { Uploads } from './uploads';

/** The token of the workspace that all plugins share. */
export const IWorkspace = new Token<Workspace>(
  'jupyter-dapp:IWorkspace',
  'The datasets, models and jobs of the DAPP workspace, live.'
);

/** What the user has set as the usual. */
export interface IPreferences {
  visibility: Visibility;
  /** Seconds. */
  timeBudget: number;
}

/**
 * Everything that is known of the shared workspace: who is signed in, what is there, and what happens.
 * It has no document: widgets show it, plugins act on it.
 */
export class Workspace implements IDisposable {
  constructor(readonly api: Api) {
    this.datasets = new Collection({ page: listing => api.datasets(listing), one: id => api.dataset(id) });
    this.models = new Collection({ page: listing => api.models(listing), one: id => api.model(id) });
    this.jobs = new Collection({
      // Jobs are not searched by the server: their subjects are.
      page: ({ limit, cursor }) => api.jobs({ limit, cursor }),
      one: id => api.job(id)
    });
    this.activity = new Activity(api);
    this.bell = new Bell(api);
    this.uploads = new Uploads(api, () => this.preferences.visibility);
    this.steps = new Steps({
      dataset: id => this.datasets.get(id)?.name ?? id,
      model: id => this._nameOfModel(id)
    });
    api.done.connect((_, call) => this.steps.note(call), this);
    this.uploads.sent.connect(this._onSent, this);
    api.session.changed.connect(this._onSession, this);
    api.feed.event.connect(this._onEvent, this);
    api.feed.reset.connect(this._onReset, this);
    api.feed.stateChanged.connect(this._onFeedState, this);
  }

  readonly preferences: IPreferences = { visibility: 'team', timeBudget: BUDGETS.quick };
  readonly datasets: Collection<DatasetRead>;
  readonly models: Collection<ModelRead>;
  readonly jobs: Collection<JobRead>;
  readonly activity: Activity;
  readonly bell: Bell;
  readonly uploads: Uploads;
  /** What was done here, as lines of Python. */
  readonly steps: Steps;

  /** Emitted when the account or the connection changes. */
  get stateChanged(): ISignal<this, void> {
    return this._stateChanged;
  }

  /** Every event, after the lists have taken notice of it. */
  get event(): ISignal<this, Event> {
    return this._event;
  }

  /** Emitted when everything that is shown has to be loaded anew. */
  get reset(): ISignal<this, void> {
    return this._reset;
  }

  get account(): AccountRead | null {
    return this.api.session.account;
  }

  get sessionState(): SessionState {
    return this.api.session.state;
  }

  get feedState(): FeedState {
    return this.api.feed.state;
  }

  /** Whether this account may upload and train. */
  get mayWrite(): boolean {
    const role = this.account?.role;
    return role === 'admin' || role === 'analyst';
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Sign in through Jupyter and follow the feed. Failures show in the state; a passing one is tried again. */
  async start(): Promise<void> {
    clearTimeout(this._again);
    try {
      await this.api.session.token();
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      if (this.sessionState === 'unreachable' && !this._isDisposed) {
        this._again = setTimeout(() => void this.start(), 5000);
      }
    }
  }

  /** Load all lists anew. */
  async refresh(): Promise<void> {
    if (this.sessionState !== 'signed-in') {
      await this.start();
      return;
    }
    this.api.feed.retryNow();
    this._reset.emit();
    await Promise.all([
      this.datasets.reload(),
      this.models.reload(),
      this.jobs.reload(),
      this.activity.reload(),
      this.bell.reload()
    ]);
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    clearTimeout(this._again);
    this.api.feed.dispose();
    const { datasets, models, jobs, activity, bell, uploads } = this;
    [datasets, models, jobs, activity, bell, uploads].forEach(each => each.dispose());
    Signal.clearData(this);
  }

  private _onSession(): void {
    if (this.sessionState === 'signed-in') {
      // Also when another account signed in: what it may see is not what the one before saw.
      this.api.feed.stop();
      this._clear();
      this.api.feed.start();
    } else {
      this.api.feed.stop();
      this._clear();
    }
    this._stateChanged.emit();
  }

  private _onReset(): void {
    void this.refresh();
  }

  private _onFeedState(_: unknown, state: FeedState): void {
    if ((state === 'reconnecting' || state === 'offline') && !this.datasets.isLoaded) {
      // No feed yet, perhaps because a proxy cuts it: the lists can be shown all the same.
      void Promise.all([
        this.datasets.reload(),
        this.models.reload(),
        this.jobs.reload(),
        this.activity.reload(),
        this.bell.reload()
      ]);
    } else if (state === 'connected') {
      // What failed while nothing answered need not wait for its own next try.
      [this.datasets, this.models, this.jobs]
        .filter(each => each.failure)
        .forEach(each => void each.reload());
    }
    this._stateChanged.emit();
  }

  private _onSent(_: Uploads, dataset: DatasetRead): void {
    this.datasets.put(dataset);
  }

  private _onEvent(_: unknown, event: Event): void {
    const { kind, id } = event.subject;
    if (event.type.startsWith('job.')) {
      this._noticeJob(id, event);
    } else if (event.type === 'model.trial') {
      this.models.patch(id, { trials: (event.data as unknown as TrialEvent).number });
    } else if (event.type === 'dataset.deleted') {
      this.datasets.remove(id);
    } else if (event.type === 'model.deleted') {
      this.models.remove(id);
    } else if (kind === 'dataset') {
      this.datasets.touch(id);
    } else if (kind === 'model' && event.type.startsWith('model.')) {
      this.models.touch(id);
    }
    this.activity.notice(event);
    this.bell.notice(event);
    this._event.emit(event);
  }

  private _noticeJob(id: string, event: Event): void {
    const data = event.data as unknown as JobEvent;
    const known = this.jobs.patch(id, {
      status: data.status,
      progress: data.progress,
      message: data.message ?? ''
    });
    if (!known || FINAL_JOB_STATUSES.includes(data.status)) {
      this.jobs.touch(id);
    }
  }

  private _clear(): void {
    this.datasets.clear();
    this.models.clear();
    this.jobs.clear();
    this.activity.clear();
    this.bell.clear();
    this.uploads.clear();
    this.steps.clear();
  }

  /** A name alone leads to the champion; any other version is named with its number. */
  private _nameOfModel(id: string): string {
    const model = this.models.get(id);
    return model
      ? model.version > 1 || !model.champion
        ? `${model.name}@${model.version}`
        : model.name
      : id;
  }

  private _again: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
  private _stateChanged = new Signal<this, void>(this);
  private _event = new Signal<this, Event>(this);
  private _reset = new Signal<this, void>(this);
}
