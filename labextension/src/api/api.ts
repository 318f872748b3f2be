// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { ServerConnection } from '@jupyterlab/services';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type {
  Advice,
  AnnouncementRead,
  BatchPredictRead,
  BatchPredictRequest,
  DashboardAddress,
  DatasetRead,
  DatasetUpdate,
  EventPage,
  Family,
  FixRequest,
  GrantLevel,
  GrantRead,
  InsightRead,
  JobRead,
  Leaderboard,
  Lineage,
  MaintenanceRead,
  ModelRead,
  ModelUpdate,
  NotificationCount,
  NotificationPage,
  Page,
  PersonRead,
  PolicyRead,
  PredictRead,
  PredictRequest,
  Profile,
  RescoreRequest,
  Results,
  RowsRead,
  RowsRequest,
  StatusRead,
  TableRead,
  ThresholdRequest,
  TicketRead,
  TrainRequest,
  VersionRead,
  VersionsRead,
  Visibility
} from '../schema';
import { ApiError } from './failure';
import { Feed } from './feed';
import { Session } from './session';
import { Transport } from './transport';
import type { ISend } from './transport';

/** Which part of a list. */
export interface IListing {
  search?: string;
  limit?: number;
  cursor?: string | null;
}

/** A file to upload. */
export interface IUpload {
  filename: string;
  file: Blob;
  visibility?: Visibility;
  signal?: AbortSignal;
  /** Called with the bytes that are sent. */
  onProgress?: (sent: number) => void;
}

/** A call that the server has answered with a yes. */
export interface ICall {
  method: string;
  path: string;
  body?: unknown;
}

/**
 * Every call to the server, typed. A call signs in by itself and renews the sign-in once when it is refused.
 */
export class Api {
  constructor(settings: ServerConnection.ISettings) {
    this._transport = new Transport(settings);
    this.session = new Session(this._transport);
    this.feed = new Feed({
      ticket: async () => (await this._post<TicketRead>('auth/ticket', { purpose: 'websocket' })).ticket,
      open: (after, protocols) =>
        new settings.WebSocket(this._transport.socketUrl('events/ws', { after }), protocols)
    });
  }

  readonly session: Session;
  readonly feed: Feed;

  /** Emitted after every call but those that only read, before its answer is used. */
  get done(): ISignal<this, ICall> {
    return this._done;
  }

  datasets(listing: IListing = {}): Promise<Page<DatasetRead>> {
    return this._get('datasets', listing);
  }

  dataset(ref: string): Promise<DatasetRead> {
    return this._get(`datasets/${segment(ref)}`);
  }

  updateDataset(ref: string, update: DatasetUpdate): Promise<DatasetRead> {
    return this._call(`datasets/${segment(ref)}`, { method: 'PATCH', body: update });
  }

  deleteDataset(ref: string): Promise<void> {
    return this._call(`datasets/${segment(ref)}`, { method: 'DELETE' });
  }

  profile(ref: string, version?: number): Promise<Profile> {
    return this._get(`datasets/${segment(ref)}/profile`, { version });
  }

  rows(ref: string, request: RowsRequest, signal?: AbortSignal): Promise<RowsRead> {
    return this._call(`datasets/${segment(ref)}/rows`, { method: 'POST', body: request, signal });
  }

  /** Send a file; answers when the server has all of it, while the reading goes on as a job. */
  async upload(upload: IUpload): Promise<DatasetRead> {
    const { filename, visibility, file, signal, onProgress } = upload;
    const made = await this._transport.sendFile<DatasetRead>('datasets', {
      query: { filename, visibility },
      token: await this.session.token(),
      file,
      signal,
      onProgress
    });
    this._done.emit({ method: 'POST', path: 'datasets', body: { filename, visibility } });
    return made;
  }

  datasetVersions(ref: string): Promise<Page<VersionRead>> {
    return this._get(`datasets/${segment(ref)}/versions`);
  }

  /** Make an older version the one that is used. */
  restoreDataset(ref: string, version: number): Promise<DatasetRead> {
    return this._post(`datasets/${segment(ref)}/restore`, { version });
  }

  /** Mend a dataset by a new version of it. */
  fixDataset(ref: string, request: FixRequest): Promise<DatasetRead> {
    return this._post(`datasets/${segment(ref)}/fixes`, request);
  }

  /** Take the last fix back. */
  undoFix(ref: string): Promise<DatasetRead> {
    return this._post(`datasets/${segment(ref)}/fixes/undo`);
  }

  /** Where a thing came from, and what was made from it. */
  lineage(kind: 'datasets' | 'models', ref: string): Promise<Lineage> {
    return this._get(`${kind}/${segment(ref)}/lineage`);
  }

  /** Whom one can share with. */
  people(): Promise<Page<PersonRead>> {
    return this._get('people');
  }

  grant(
    kind: 'datasets' | 'models',
    ref: string,
    person: string,
    level: GrantLevel
  ): Promise<Page<GrantRead>> {
    const path = `${kind}/${segment(ref)}/grants/${segment(person)}`;
    return this._call(path, { method: 'PUT', body: { level } });
  }

  revoke(kind: 'datasets' | 'models', ref: string, person: string): Promise<Page<GrantRead>> {
    const path = `${kind}/${segment(ref)}/grants/${segment(person)}`;
    return this._call(path, { method: 'DELETE' });
  }

  models(listing: IListing = {}): Promise<Page<ModelRead>> {
    return this._get('models', listing);
  }

  model(ref: string): Promise<ModelRead> {
    return this._get(`models/${segment(ref)}`);
  }

  train(request: TrainRequest): Promise<ModelRead> {
    return this._post('models', request);
  }

  /** What a training would do, before it starts. */
  advise(request: TrainRequest): Promise<Advice> {
    return this._post('models/advice', request);
  }

  updateModel(ref: string, update: ModelUpdate): Promise<ModelRead> {
    return this._call(`models/${segment(ref)}`, { method: 'PATCH', body: update });
  }

  deleteModel(ref: string): Promise<void> {
    return this._call(`models/${segment(ref)}`, { method: 'DELETE' });
  }

  leaderboard(ref: string): Promise<Leaderboard> {
    return this._get(`models/${segment(ref)}/leaderboard`);
  }

  results(ref: string): Promise<Results> {
    return this._get(`models/${segment(ref)}/results`);
  }

  /** End the search; the best model so far is kept. */
  stopTraining(ref: string): Promise<ModelRead> {
    return this._post(`models/${segment(ref)}/stop`);
  }

  /** Give a search that goes on more time. */
  extendTraining(ref: string, seconds: number): Promise<ModelRead> {
    return this._post(`models/${segment(ref)}/extend`, { seconds });
  }

  /** Leave a kind of model out of the rest of a search. */
  skipFamily(ref: string, family: Family): Promise<ModelRead> {
    return this._post(`models/${segment(ref)}/skip`, { family });
  }

  modelVersions(ref: string): Promise<VersionsRead> {
    return this._get(`models/${segment(ref)}/versions`);
  }

  /** Make a version the one that predictions by name go to. */
  promoteModel(ref: string, reason: string): Promise<ModelRead> {
    return this._post(`models/${segment(ref)}/promote`, { reason });
  }

  /** From which probability on a model of two classes says yes, the decision that counts first. */
  policies(ref: string): Promise<Page<PolicyRead>> {
    return this._get(`models/${segment(ref)}/threshold`);
  }

  /** Decide like this from now on. */
  setThreshold(ref: string, request: ThresholdRequest): Promise<PolicyRead> {
    return this._post(`models/${segment(ref)}/threshold`, request);
  }

  /** What the score is with a finding's fix; it is kept in the results. */
  rescoreModel(ref: string, request: RescoreRequest): Promise<JobRead> {
    return this._post(`models/${segment(ref)}/rescore`, request);
  }

  /** The training as a notebook document. */
  trainingNotebook(ref: string): Promise<Record<string, unknown>> {
    return this._get(`models/${segment(ref)}/export`, { format: 'notebook' });
  }

  predict(ref: string, request: PredictRequest): Promise<PredictRead> {
    return this._post(`models/${segment(ref)}/predict`, request);
  }

  predictDataset(ref: string, request: BatchPredictRequest): Promise<BatchPredictRead> {
    return this._post(`models/${segment(ref)}/predictions`, request);
  }

  insights(listing: IListing = {}): Promise<Page<InsightRead>> {
    return this._get('insights', listing);
  }

  insight(id: string): Promise<InsightRead> {
    return this._get(`insights/${segment(id)}`);
  }

  insightTable(id: string): Promise<TableRead> {
    return this._get(`insights/${segment(id)}/table`);
  }

  /** The PNG of an insight. */
  async insightPicture(id: string): Promise<Blob> {
    const path = `insights/${segment(id)}/picture`;
    const response = await this._signed(token => this._transport.send(path, { token }));
    return response.blob();
  }

  deleteInsight(id: string): Promise<void> {
    return this._call(`insights/${segment(id)}`, { method: 'DELETE' });
  }

  jobs(listing: IListing = {}): Promise<Page<JobRead>> {
    return this._get('jobs', listing);
  }

  job(id: string): Promise<JobRead> {
    return this._get(`jobs/${segment(id)}`);
  }

  cancelJob(id: string): Promise<JobRead> {
    return this._post(`jobs/${segment(id)}/cancel`);
  }

  /** What happened last, oldest first. */
  recentEvents(limit: number): Promise<EventPage> {
    return this._get('events', { recent: 'true', limit });
  }

  /** The lines behind the bell, newest first. */
  notifications(listing: IListing = {}): Promise<NotificationPage> {
    return this._get('notifications', listing);
  }

  /** Mark one line as read, or all. */
  markRead(id: string | null): Promise<NotificationCount> {
    return this._post('notifications/read', { id });
  }

  announcements(): Promise<Page<AnnouncementRead>> {
    return this._get('announcements');
  }

  maintenance(): Promise<MaintenanceRead> {
    return this._get('maintenance');
  }

  status(): Promise<StatusRead> {
    return this._get('system');
  }

  /** The dashboard's address with a sign-in that is good once; starts it where none answers. */
  openDashboard(): Promise<DashboardAddress> {
    return this._post('system/dashboard');
  }

  /** The hybrid workflow as a notebook document. */
  template(): Promise<Record<string, unknown>> {
    return this._get('system/template');
  }

  /** The bytes of a file that JupyterLab's contents service gives a download address for. */
  file(downloadUrl: string): Promise<Blob> {
    return this._transport.download(downloadUrl);
  }

  private _get<T>(
    path: string,
    query: IListing | Record<string, string | number | null | undefined> = {}
  ): Promise<T> {
    return this._call(path, { query: { ...query } });
  }

  private _post<T>(path: string, body: unknown = {}): Promise<T> {
    return this._call(path, { method: 'POST', body });
  }

  private async _call<T>(path: string, send: ISend): Promise<T> {
    const answer = await this._signed(token => this._transport.json<T>(path, { ...send, token }));
    const { method = 'GET', body } = send;
    if (method !== 'GET') {
      this._done.emit({ method, path, body });
    }
    return answer;
  }

  private async _signed<T>(work: (token: string) => Promise<T>): Promise<T> {
    const token = await this.session.token();
    try {
      return await work(token);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'not_signed_in') {
        throw error;
      }
      return work(await this.session.renewed(token));
    }
  }

  private _transport: Transport;
  private _done = new Signal<this, ICall>(this);
}

function segment(ref: string): string {
  return encodeURIComponent(ref);
}
