// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { Api } from '../api';
import { ApiError } from '../api';
import type { Advice, Fix, Guard, TrainRequest } from '../schema';

/** The server is asked when nothing has changed for so long, in milliseconds. */
const PAUSE = 250;

/**
 * What a training would do, asked again a moment after the wishes have changed.
 */
export class Advising implements IDisposable {
  constructor(private readonly _api: Pick<Api, 'advise'>) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get advice(): Advice | null {
    return this._advice;
  }

  get failure(): ApiError | null {
    return this._failure;
  }

  /** Whether what is shown belongs to wishes that have changed since. */
  get isAsking(): boolean {
    return this._isAsking;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Ask soon; an answer to an earlier question is not shown any more. */
  ask(request: TrainRequest): void {
    const turn = ++this._turn;
    clearTimeout(this._timer);
    this._timer = setTimeout(() => void this._ask(request, turn), PAUSE);
    if (!this._isAsking) {
      this._isAsking = true;
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

  private async _ask(request: TrainRequest, turn: number): Promise<void> {
    let advice = this._advice;
    let failure: ApiError | null = null;
    try {
      advice = await this._api.advise(request);
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      failure = error;
    }
    if (turn === this._turn && !this._isDisposed) {
      this._advice = advice;
      this._failure = failure;
      this._isAsking = false;
      this._changed.emit();
    }
  }

  private _advice: Advice | null = null;
  private _failure: ApiError | null = null;
  private _isAsking = false;
  private _turn = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}

/** What has been found, the gravest first; what has passed is left out. */
export function raised(guards: readonly Guard[]): Guard[] {
  const weight = (guard: Guard): number =>
    (guard.state === 'alerted' ? 0 : 10) + { alert: 0, warning: 1, info: 2 }[guard.severity];
  return guards.filter(each => each.state !== 'passed').sort((a, b) => weight(a) - weight(b));
}

/** One step of mending: what was pressed, and everything as it was before. */
export interface IApplied<T> {
  fix: Fix;
  before: T;
}

/** The steps that stay when one is taken back: later ones were found with it in place, so they go with it. */
export function withoutFix<T>(
  applied: readonly IApplied<T>[],
  fix: Fix
): { applied: readonly IApplied<T>[]; before: T | null } {
  const at = applied.findIndex(each => each.fix === fix);
  return at < 0 ? { applied, before: null } : { applied: applied.slice(0, at), before: applied[at].before };
}
