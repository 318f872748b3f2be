// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import { ApiError } from '../api';
import type { JobRead } from '../schema';
import { FINAL_JOB_STATUSES } from '../schema';
import type { Uploads } from './uploads';
import { failureText, jobTitle, shape } from './wording';
import type { Workspace } from './workspace';

/** So many notices move at the same time; the jobs beyond them tell only how they ended. */
const AT_ONCE = 3;
/** How long the notice of a file that has arrived waits for the job that reads it, in milliseconds. */
const PATIENCE = 2000;
/** Longer texts are cut, because a notice is a line. */
const LONGEST = 140;

/** One notice, as JupyterLab shows it. */
export interface INotice {
  message: string;
  state: 'in-progress' | 'success' | 'error';
  /** From 0 to 1. */
  progress?: number;
  /** What it opens. */
  opens?: { kind: 'dataset' | 'model'; id: string };
}

/** Where notices are shown. */
export interface INoticeBoard {
  /** Show a notice; the answer names it. */
  post(notice: INotice): string;
  /** Change a notice; false when it has been put away. */
  change(id: string, notice: INotice): boolean;
  dismiss(id: string): void;
}

/**
 * One notice for each piece of work of one's own: it moves while the file is sent and while the job runs, and turns
 * into its end. What others do is in the activity, not here.
 */
export class Notices implements IDisposable {
  constructor(
    private readonly _workspace: Workspace,
    private readonly _board: INoticeBoard,
    private readonly _trans: TranslationBundle
  ) {
    _workspace.uploads.changed.connect(this._onUpload, this);
    _workspace.jobs.changed.connect(this._onJobs, this);
    _workspace.stateChanged.connect(this._onState, this);
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._leaving.forEach(clearTimeout);
      Signal.clearData(this);
    }
  }

  /** Whoever has signed out does not see how it goes on. */
  private _onState(): void {
    if (this._workspace.account === null) {
      this._posted.forEach(id => this._board.dismiss(id));
      this._posted.clear();
      this._said.clear();
      this._running.clear();
    }
  }

  private _onUpload(uploads: Uploads, key: number): void {
    const item = uploads.get(key);
    const name = `upload:${key}`;
    if (!item) {
      this._leave(name);
      return;
    }
    if (item.state === 'failed' && item.failure) {
      const why = failureText(item.failure, this._trans);
      this._end(name, {
        state: 'error',
        message: this._trans.__('%1 was not uploaded: %2', item.filename, why)
      });
    } else if (item.state === 'sending') {
      const progress = item.size ? item.sent / item.size : 0;
      this._move(name, {
        state: 'in-progress',
        message: this._trans.__('Uploading %1', item.filename),
        progress
      });
    }
  }

  private _onJobs(): void {
    for (const job of this._workspace.jobs.items) {
      if (job.owner.id !== this._workspace.account?.id) {
        continue;
      }
      if (!FINAL_JOB_STATUSES.includes(job.status)) {
        this._follow(job);
      } else if (this._takesOver(job)) {
        this._follow(job);
        this._running.delete(job.id);
        void this._finish(job);
      } else if (this._running.delete(job.id)) {
        void this._finish(job);
      }
    }
  }

  /** Whether the file of this job was sent a moment ago, and the job ended before it was seen to run. */
  private _takesOver(job: JobRead): boolean {
    return (
      job.kind === 'ingest' && this._posted.has(`upload:${this._workspace.uploads.keyOf(job.subject.id)}`)
    );
  }

  private _follow(job: JobRead): void {
    const name = `job:${job.id}`;
    if (!this._running.has(job.id)) {
      this._running.add(job.id);
      // The notice of the upload goes on as the notice of the job that reads the file.
      const key = job.kind === 'ingest' ? this._workspace.uploads.keyOf(job.subject.id) : undefined;
      const before = this._posted.get(`upload:${key}`);
      if (before !== undefined) {
        this._posted.delete(`upload:${key}`);
        this._posted.set(name, before);
      }
    }
    this._move(name, {
      state: 'in-progress',
      message: jobTitle(job.kind, job.subject.name, this._trans),
      progress: job.progress
    });
  }

  private async _finish(job: JobRead): Promise<void> {
    const name = `job:${job.id}`;
    if (job.status === 'cancelled') {
      this._leave(name);
      return;
    }
    if (job.subject.kind === 'batch') {
      this._leave(name); // each of its trainings tells of itself
      return;
    }
    const opens = { kind: job.subject.kind, id: job.subject.id };
    const state = job.status === 'succeeded' ? 'success' : 'error';
    this._end(name, { state, message: await this._outcome(job), opens });
  }

  /** The sentence of an end comes from the thing itself; where it cannot be had, a plain one does. */
  private async _outcome(job: JobRead): Promise<string> {
    const { api } = this._workspace;
    const { name, id } = job.subject;
    try {
      if (job.status !== 'succeeded') {
        const reason = job.error ?? (await api.job(job.id)).error ?? '';
        return this._trans.__('%1: %2', jobTitle(job.kind, name, this._trans), reason);
      }
      if (job.kind === 'ingest') {
        return this._trans.__('%1 is ready: %2', name, shape(await api.dataset(id), this._trans));
      }
      if (job.kind === 'train') {
        const { sentence } = await api.model(id);
        return sentence ?? this._trans.__('%1 is trained', name);
      }
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
    }
    const title = jobTitle(job.kind, name, this._trans);
    return job.status === 'succeeded'
      ? this._trans.__('%1: done', title)
      : this._trans.__('%1: failed', title);
  }

  private _move(name: string, notice: INotice): void {
    const id = this._posted.get(name);
    const text = cut(notice);
    const said = `${text.message} ${Math.round((text.progress ?? 0) * 50)}`;
    if (this._said.get(name) === said) {
      return;
    }
    this._said.set(name, said);
    if (id !== undefined) {
      this._board.change(id, text);
    } else if (this._posted.size < AT_ONCE) {
      this._posted.set(name, this._board.post(text));
    }
  }

  private _end(name: string, notice: INotice): void {
    const id = this._posted.get(name);
    this._posted.delete(name);
    this._said.delete(name);
    // A notice that was put away by hand stays away unless something went wrong.
    const isKept = id !== undefined && this._board.change(id, cut(notice));
    if (!isKept && (id === undefined || notice.state === 'error')) {
      this._board.post(cut(notice));
    }
  }

  /** An upload that has arrived lets go of its notice only when no job takes it over. */
  private _leave(name: string): void {
    const id = this._posted.get(name);
    if (id === undefined) {
      return;
    }
    const timer = setTimeout(() => {
      this._leaving.delete(timer);
      if (this._posted.get(name) === id) {
        this._posted.delete(name);
        this._said.delete(name);
        this._board.dismiss(id);
      }
    }, PATIENCE);
    this._leaving.add(timer);
  }

  /** Jobs of one's own that were seen before they ended. */
  private _running = new Set<string>();
  private _posted = new Map<string, string>();
  private _said = new Map<string, string>();
  private _leaving = new Set<ReturnType<typeof setTimeout>>();
  private _isDisposed = false;
}

function cut(notice: INotice): INotice {
  const { message } = notice;
  return message.length > LONGEST ? { ...notice, message: `${message.slice(0, LONGEST - 1)}…` } : notice;
}
