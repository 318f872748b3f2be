// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import { ApiError } from '../api';
import type { Event, InsightRead, TableRead } from '../schema';
import { Collection } from './collection';
import type { Workspace } from './workspace';

/** What stands in one insight; a picture is an address that the browser can show. */
export interface IInsightContent {
  picture?: string;
  table?: TableRead;
  failure?: ApiError;
}

/**
 * What was published from notebooks, with the pictures and tables that have been looked at.
 */
export class InsightsView implements IDisposable {
  constructor(readonly workspace: Workspace) {
    const { api } = workspace;
    this.insights = new Collection<InsightRead>({
      page: ({ limit, cursor }) => api.insights({ limit, cursor }),
      one: id => api.insight(id)
    });
    this.insights.changed.connect(this._announce, this);
    workspace.event.connect(this._onEvent, this);
    workspace.reset.connect(this._onReset, this);
    workspace.stateChanged.connect(this._onState, this);
    void this.load();
  }

  readonly insights: Collection<InsightRead>;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  async load(): Promise<void> {
    if (this.workspace.account) {
      await this.insights.reload();
    }
  }

  /** Picture or table of an insight; undefined while it is on its way, which this asks for. */
  content(insight: InsightRead): IInsightContent | undefined {
    const known = this._contents.get(insight.id);
    if (known === undefined) {
      this._contents.set(insight.id, null);
      void this._fetch(insight);
    }
    return known ?? undefined;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._forget();
      this.insights.dispose();
      Signal.clearData(this);
    }
  }

  private async _fetch(insight: InsightRead): Promise<void> {
    const { api } = this.workspace;
    let content: IInsightContent;
    try {
      content = insight.has_picture
        ? { picture: URL.createObjectURL(await api.insightPicture(insight.id)) }
        : { table: await api.insightTable(insight.id) };
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      content = { failure: error };
    }
    if (this._isDisposed || this._contents.get(insight.id) !== null) {
      release(content);
      return;
    }
    this._contents.set(insight.id, content);
    this._announce();
  }

  private _onEvent(_: unknown, { subject, type }: Event): void {
    if (subject.kind !== 'insight') {
      return;
    }
    if (type === 'insight.deleted') {
      release(this._contents.get(subject.id));
      this._contents.delete(subject.id);
      this.insights.remove(subject.id);
    } else {
      this.insights.touch(subject.id);
    }
  }

  private _onReset(): void {
    void this.load();
  }

  private _onState(): void {
    if (!this.workspace.account) {
      this._forget();
      this.insights.clear();
    } else if (!this.insights.isLoaded) {
      void this.load();
    }
  }

  private _forget(): void {
    this._contents.forEach(release);
    this._contents.clear();
  }

  private _announce(): void {
    this._changed.emit();
  }

  private _contents = new Map<string, IInsightContent | null>();
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}

/** Give the bytes of a picture back. */
function release(content: IInsightContent | null | undefined): void {
  if (content?.picture) {
    URL.revokeObjectURL(content.picture);
  }
}
