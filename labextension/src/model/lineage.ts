// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { ApiError } from '../api';
import type { Event, Lineage, LineageNode } from '../schema';
import { LoadedView } from './view';
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
export class LineageView extends LoadedView<Lineage> {
  constructor(
    workspace: Workspace,
    readonly id: string
  ) {
    super(workspace);
    this.follow();
  }

  get lineage(): Lineage | null {
    return this._lineage;
  }

  /** The name of the thing that was asked about. */
  get name(): string | undefined {
    return this._lineage?.nodes.find(each => each.here && each.kind !== 'file')?.name;
  }

  override dispose(): void {
    clearTimeout(this._timer);
    super.dispose();
  }

  protected get isLoaded(): boolean {
    return this._lineage !== null;
  }

  /** An id alone does not tell of what kind it is, and the lists may not be loaded yet. */
  protected async ask(): Promise<Lineage> {
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

  protected take(found: Lineage): void {
    this._lineage = found;
  }

  protected onEvent(event: Event): void {
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

  private _lineage: Lineage | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined;
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
