// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import { ApiError } from '../api';
import type { Event, Lineage, LineageNode } from '../schema';
import type { Workspace } from './workspace';

/** Changes that come together are answered by one look after this pause, in milliseconds. */
const PAUSE = 400;

/** A node with the column and the line in which it is drawn. */
export interface IPlaced {
  node: LineageNode;
  column: number;
  line: number;
}

/**
 * Where a dataset or a model came from, and what was made from it, kept up to date.
 */
export class LineageView implements IDisposable {
  constructor(
    readonly workspace: Workspace,
    readonly id: string
  ) {
    workspace.event.connect(this._onEvent, this);
    workspace.reset.connect(this._onReset, this);
    workspace.stateChanged.connect(this._onState, this);
    void this.load();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get lineage(): Lineage | null {
    return this._lineage;
  }

  get failure(): ApiError | null {
    return this._failure;
  }

  /** The name of the thing that was asked about. */
  get name(): string | undefined {
    return this._lineage?.nodes.find(each => each.here && each.kind !== 'file')?.name;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  async load(): Promise<void> {
    const { sessionState } = this.workspace;
    if (sessionState !== 'signed-in' && sessionState !== 'starting') {
      return;
    }
    const turn = ++this._turn;
    try {
      const found = await this._find();
      if (turn !== this._turn) {
        return;
      }
      this._lineage = found;
      this._failure = null;
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
      Signal.clearData(this);
    }
  }

  /** An id alone does not tell of what kind it is, and the lists may not be loaded yet. */
  private async _find(): Promise<Lineage> {
    const { api, models } = this.workspace;
    if (models.get(this.id)) {
      return api.lineage('models', this.id);
    }
    try {
      return await api.lineage('datasets', this.id);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) {
        throw error;
      }
      return api.lineage('models', this.id);
    }
  }

  private _onEvent(_: unknown, event: Event): void {
    const isMade = /^(dataset\.(ready|deleted|changed)|model\.(trained|deleted)|prediction\.)/.test(
      event.type
    );
    if (isMade) {
      this._timer ??= setTimeout(() => {
        this._timer = undefined;
        void this.load();
      }, PAUSE);
    }
  }

  private _onReset(): void {
    void this.load();
  }

  private _onState(): void {
    if (this.workspace.sessionState === 'signed-in' && this._lineage === null) {
      void this.load();
    }
  }

  private _lineage: Lineage | null = null;
  private _failure: ApiError | null = null;
  private _turn = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}

/** Every node one column right of the furthest thing that it was made from. */
export function placed(lineage: Lineage): Map<string, IPlaced> {
  const { nodes, edges } = lineage;
  const column = new Map(nodes.map(each => [each.id, 0]));
  for (let turn = 0; turn < nodes.length; turn++) {
    const before = [...column.values()].join();
    for (const { source, target } of edges) {
      const wanted = Math.min((column.get(source) ?? 0) + 1, nodes.length - 1);
      column.set(target, Math.max(column.get(target) ?? 0, wanted));
    }
    if ([...column.values()].join() === before) {
      break;
    }
  }
  const filled = new Map<number, number>();
  return new Map(
    nodes.map(node => {
      const at = column.get(node.id) ?? 0;
      const line = filled.get(at) ?? 0;
      filled.set(at, line + 1);
      return [node.id, { node, column: at, line }];
    })
  );
}
