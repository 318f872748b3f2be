// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { Api } from '../api';
import { ApiError } from '../api';
import type { Column, PredictRead, Reason, Results } from '../schema';

/** The model is asked when nothing was typed for so long, in milliseconds. */
const PAUSE = 300;

/** A column of the case: what stands in it, and how far it moves the answer. */
export interface ICaseLine {
  column: Column;
  text: string;
  /** Whether a number is wanted and something else stands there. */
  isWrong: boolean;
  /** Null while nothing is known. */
  effect: number | null;
}

/**
 * One row of the dataset that a model learned from, what the model says about it and why. Values can be changed, to see
 * what it would say then.
 */
export class CaseView implements IDisposable {
  constructor(
    private readonly _api: Pick<Api, 'rows' | 'predict'>,
    readonly results: Results
  ) {
    const weight = new Map(results.importances.map(each => [each.column, each.value]));
    this._columns = [...results.features].sort(
      (a, b) => (weight.get(b.name) ?? 0) - (weight.get(a.name) ?? 0)
    );
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Number of the row, from 0. */
  get row(): number {
    return this._row;
  }

  /** Rows of the dataset; 0 while that is not known. */
  get total(): number {
    return this._total;
  }

  /** What the table says in the column that is predicted. */
  get actual(): unknown {
    return this._actual;
  }

  get answer(): PredictRead | null {
    return this._answer;
  }

  get failure(): ApiError | null {
    return this._failure;
  }

  get isAsking(): boolean {
    return this._isAsking;
  }

  /** Whether values differ from those of the row. */
  get isChanged(): boolean {
    return this._columns.some(({ name }) => this._texts.get(name) !== this._original.get(name));
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** The columns, those that move this answer most first; without reasons, the most important ones. */
  get lines(): ICaseLine[] {
    const reasons = new Map<string, Reason>(
      (this._answer?.predictions[0]?.reasons?.reasons ?? []).map(each => [each.column, each])
    );
    const order = [...this._columns].sort(
      (a, b) => Math.abs(reasons.get(b.name)?.effect ?? 0) - Math.abs(reasons.get(a.name)?.effect ?? 0)
    );
    // While somebody types, the lines stay where they are.
    const shown = this._order ?? order;
    return shown.map(column => {
      const text = this._texts.get(column.name) ?? '';
      return {
        column,
        text,
        isWrong: isNumber(column) && text.trim() !== '' && valueOf(column, text) === null,
        effect: reasons.get(column.name)?.effect ?? null
      };
    });
  }

  /** Look at another row. */
  async take(row: number): Promise<void> {
    const turn = ++this._turn;
    this._stop();
    this._isAsking = true;
    this._changed.emit();
    const { dataset, dataset_version: version, features, target } = this.results;
    try {
      const columns = [...new Set([...features.map(each => each.name), target])];
      const page = await this._api.rows(dataset.id, { offset: Math.max(0, row), limit: 1, version, columns });
      if (turn !== this._turn) {
        return;
      }
      this._total = page.total;
      const cells = new Map(page.columns.map((each, at) => [each.name, page.rows[0]?.[at] ?? null]));
      this._row = Math.max(0, Math.min(row, page.total - 1));
      this._actual = cells.get(target);
      this._original = new Map(features.map(({ name }) => [name, textOf(cells.get(name))]));
    } catch (error) {
      // Without the data (deleted, or not shared) the case begins empty.
      if (!(error instanceof ApiError) || (error.status !== 404 && error.status !== 403)) {
        this._end(turn, error);
        return;
      }
      this._original = new Map(features.map(({ name }) => [name, '']));
    }
    this._texts = new Map(this._original);
    this._order = null;
    await this._ask(turn);
  }

  /** Change one value; the model is asked again soon. */
  set(name: string, text: string): void {
    this._order ??= this.lines.map(each => each.column);
    this._texts.set(name, text);
    this._askSoon();
  }

  /** Put the values of the row back. */
  restore(): void {
    this._texts = new Map(this._original);
    this._askSoon();
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._stop();
      Signal.clearData(this);
    }
  }

  private _askSoon(): void {
    const turn = ++this._turn;
    this._stop();
    this._changed.emit();
    if (!this.lines.some(each => each.isWrong)) {
      this._timer = setTimeout(() => void this._ask(turn), PAUSE);
    }
  }

  private async _ask(turn: number): Promise<void> {
    this._isAsking = true;
    this._changed.emit();
    const row = Object.fromEntries(
      this._columns.map(column => [column.name, valueOf(column, this._texts.get(column.name) ?? '')])
    );
    const { id } = this.results.model;
    try {
      if (this._answer === null) {
        // The first answer does not wait for its reasons.
        const plain = await this._api.predict(id, { rows: [row] });
        if (turn !== this._turn) {
          return;
        }
        this._answer = plain;
        this._changed.emit();
      }
      const answer = await this._explain(id, row);
      if (turn === this._turn) {
        this._answer = answer;
        this._end(turn, null);
      }
    } catch (error) {
      this._end(turn, error);
    }
  }

  /** A model from before typical rows were kept gives answers without reasons. */
  private async _explain(id: string, row: Record<string, unknown>): Promise<PredictRead> {
    try {
      return await this._api.predict(id, { rows: [row], explain: true });
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'not_ready') {
        throw error;
      }
      return this._api.predict(id, { rows: [row] });
    }
  }

  private _end(turn: number, error: unknown): void {
    if (error !== null && !(error instanceof ApiError)) {
      throw error;
    }
    if (turn === this._turn && !this._isDisposed) {
      this._failure = error;
      this._isAsking = false;
      this._changed.emit();
    }
  }

  private _stop(): void {
    clearTimeout(this._timer);
    this._timer = undefined;
  }

  private readonly _columns: readonly Column[];
  private _order: readonly Column[] | null = null;
  private _row = 0;
  private _total = 0;
  private _actual: unknown = undefined;
  private _original = new Map<string, string>();
  private _texts = new Map<string, string>();
  private _answer: PredictRead | null = null;
  private _failure: ApiError | null = null;
  private _isAsking = false;
  private _turn = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}

function isNumber({ kind }: Column): boolean {
  return kind === 'integer' || kind === 'decimal';
}

function textOf(value: unknown): string {
  if (typeof value === 'boolean') {
    return value ? 'Yes' : 'No';
  }
  return value === null || value === undefined ? '' : String(value);
}

/** What the server is sent for a text; nothing typed means not known. */
function valueOf(column: Column, text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === '') {
    return null;
  }
  if (isNumber(column)) {
    const value = Number(trimmed);
    return Number.isFinite(value) ? value : null;
  }
  if (column.kind === 'boolean') {
    return /^(true|yes|1)$/i.test(trimmed);
  }
  return text;
}
