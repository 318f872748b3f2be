// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { Api } from '../api';
import { ApiError } from '../api';
import type { DatasetRead, Visibility } from '../schema';

/** Files that are sent at the same time; the others wait. */
const AT_ONCE = 2;

/** A file on its way. What has arrived is a dataset and leaves this list. */
export interface IUploadItem {
  readonly key: number;
  readonly filename: string;
  /** Bytes; 0 while the file is still being read. */
  readonly size: number;
  readonly sent: number;
  readonly state: 'waiting' | 'sending' | 'failed';
  readonly failure: ApiError | null;
}

/** Where the bytes come from: a file of the desktop at once, one of the file browser when it is its turn. */
export interface IUploadSource {
  filename: string;
  size?: number;
  read: () => Promise<Blob>;
}

/**
 * The files that are being sent to the workspace.
 */
export class Uploads implements IDisposable {
  constructor(
    private readonly _api: Api,
    private readonly _visibility: () => Visibility = () => 'team'
  ) {}

  /** Emitted when a file starts, moves on, fails or leaves; with its key. */
  get changed(): ISignal<this, number> {
    return this._changed;
  }

  /** Emitted with the dataset that a file has become. */
  get sent(): ISignal<this, DatasetRead> {
    return this._sent;
  }

  get items(): readonly IUploadItem[] {
    return [...this._items.values()];
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  get(key: number): IUploadItem | undefined {
    return this._items.get(key);
  }

  /** The key that a dataset had while it was sent. */
  keyOf(dataset: string): number | undefined {
    return this._keys.get(dataset);
  }

  /** Send files, two at a time. */
  add(sources: readonly IUploadSource[]): void {
    for (const source of sources) {
      const key = ++this._lastKey;
      this._sources.set(key, source);
      const { filename, size = 0 } = source;
      this._set({ key, filename, size, sent: 0, state: 'waiting', failure: null });
    }
    this._next();
  }

  /** Try a failed file once more. */
  retry(key: number): void {
    const item = this._items.get(key);
    if (item?.state === 'failed') {
      this._set({ ...item, sent: 0, state: 'waiting', failure: null });
      this._next();
    }
  }

  /** Stop sending a file, or put a failed one away. */
  drop(key: number): void {
    this._aborts.get(key)?.abort();
    this._aborts.delete(key);
    this._sources.delete(key);
    if (this._items.delete(key)) {
      this._changed.emit(key);
    }
  }

  clear(): void {
    [...this._items.keys()].forEach(key => this.drop(key));
    this._keys.clear();
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this.clear();
      Signal.clearData(this);
    }
  }

  private _next(): void {
    for (const item of this._items.values()) {
      if (this._aborts.size >= AT_ONCE) {
        return;
      }
      if (item.state === 'waiting') {
        void this._send(item.key);
      }
    }
  }

  private async _send(key: number): Promise<void> {
    const abort = new AbortController();
    this._aborts.set(key, abort);
    this._update(key, { state: 'sending' });
    try {
      const source = this._sources.get(key)!;
      const file = await source.read();
      this._update(key, { size: file.size });
      const dataset = await this._api.upload({
        filename: source.filename,
        visibility: this._visibility(),
        file,
        signal: abort.signal,
        onProgress: sent => this._update(key, { sent: Math.min(sent, file.size) })
      });
      this._keys.set(dataset.id, key);
      this._sent.emit(dataset);
      this.drop(key);
    } catch (error) {
      this._fail(key, error);
    } finally {
      this._aborts.delete(key);
      this._next();
    }
  }

  private _fail(key: number, error: unknown): void {
    const failure =
      error instanceof ApiError
        ? error
        : new ApiError('invalid', error instanceof Error ? error.message : String(error));
    if (failure.code === 'aborted') {
      this.drop(key);
    } else {
      this._update(key, { state: 'failed', failure });
    }
  }

  private _update(key: number, change: Partial<IUploadItem>): void {
    const item = this._items.get(key);
    if (item) {
      this._set({ ...item, ...change });
    }
  }

  private _set(item: IUploadItem): void {
    this._items.set(item.key, item);
    this._changed.emit(item.key);
  }

  private _items = new Map<number, IUploadItem>();
  private _sources = new Map<number, IUploadSource>();
  private _aborts = new Map<number, AbortController>();
  private _keys = new Map<string, number>();
  private _lastKey = 0;
  private _isDisposed = false;
  private _changed = new Signal<this, number>(this);
  private _sent = new Signal<this, DatasetRead>(this);
}
