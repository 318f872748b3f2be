// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { Api } from '../api';
import { ApiError } from '../api';
import type { Decisions, PolicyBasis, PolicyRead, Results, ThresholdRequest } from '../schema';

/** What one threshold does, in cases of 1,000. */
export interface IEffect {
  threshold: number;
  named: number;
  right: number;
  wrong: number;
  missed: number;
  /** Right of those named; null where none is. */
  precision: number | null;
  /** Found of all there are; null where there is none. */
  recall: number | null;
}

/** What can be typed. */
export type DecidingField = 'falseAlarm' | 'missed' | 'capacity' | 'threshold';

/**
 * What each threshold does, falling, from one that names nobody on.
 */
export function effects(of: Decisions): IEffect[] {
  const all = Math.max(1, of.positives + of.negatives);
  const per = 1000 / all;
  const nobody = Math.max(1, (of.thresholds[0] ?? 0) + 1e-9);
  return [nobody, ...of.thresholds].map((threshold, at) => {
    const right = at === 0 ? 0 : of.true_positives[at - 1];
    const wrong = at === 0 ? 0 : of.false_positives[at - 1];
    const named = right + wrong;
    return {
      threshold: Math.min(1, threshold),
      named: named * per,
      right: right * per,
      wrong: wrong * per,
      missed: (of.positives - right) * per,
      precision: named ? right / named : null,
      recall: of.positives ? right / of.positives : null
    };
  });
}

/**
 * From which probability on a model of two classes says yes: chosen by what mistakes cost, by how many cases can be looked
 * at, or by hand; seen at once, and kept for everybody who predicts.
 */
export class Deciding implements IDisposable {
  constructor(
    private readonly _api: Pick<Api, 'policies' | 'setThreshold'>,
    readonly results: Results,
    readonly decisions: Decisions
  ) {
    this.effects = effects(decisions);
    this._texts.threshold = String(Math.round((results.threshold ?? 0.5) * 100));
  }

  /** What each threshold does; the first names nobody. */
  readonly effects: readonly IEffect[];

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get basis(): PolicyBasis {
    return this._basis;
  }

  /** The decision that counts now; null while there is none, or none is known. */
  get policy(): PolicyRead | null {
    return this._policy;
  }

  /** What the server said when the decision was kept last. */
  get kept(): PolicyRead | null {
    return this._kept;
  }

  get failure(): ApiError | null {
    return this._failure;
  }

  get isKeeping(): boolean {
    return this._isKeeping;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** What the choice does. */
  get chosen(): IEffect {
    return this.effects[this._at()];
  }

  /** The probability from which on it is yes. */
  get threshold(): number {
    return this._basis === 'value' ? (this.number('threshold') ?? 0) : this.chosen.threshold;
  }

  /** Whether what the choice needs is given. */
  get isGiven(): boolean {
    const needed: Record<PolicyBasis, DecidingField[]> = {
      cost: ['falseAlarm', 'missed'],
      capacity: ['capacity'],
      value: ['threshold']
    };
    const numbers = needed[this._basis].map(each => this.number(each));
    return (
      numbers.every(each => each !== null) &&
      !(this._basis === 'cost' && numbers[0] === numbers[1] && !numbers[0])
    );
  }

  text(field: DecidingField): string {
    return this._texts[field];
  }

  /** What is typed as a number, shares from 0 to 1; null where it cannot be used. */
  number(field: DecidingField): number | null {
    const text = this._texts[field].trim().replace(',', '.');
    const value = text === '' ? NaN : Number(text);
    if (!Number.isFinite(value) || value < 0) {
      return null;
    }
    if (field === 'falseAlarm' || field === 'missed') {
      return value;
    }
    return value > 100 || (field === 'capacity' && value === 0) ? null : value / 100;
  }

  /** What a thousand cases cost where a threshold lies. */
  cost(effect: IEffect): number {
    return effect.wrong * (this.number('falseAlarm') ?? 0) + effect.missed * (this.number('missed') ?? 0);
  }

  /** What a thousand cases cost without a model: nobody is named, or everybody. */
  get costWithout(): number {
    const { negatives, positives } = this.decisions;
    const per = 1000 / Math.max(1, positives + negatives);
    return Math.min(
      positives * per * (this.number('missed') ?? 0),
      negatives * per * (this.number('falseAlarm') ?? 0)
    );
  }

  /** Ask for the decision that counts now. */
  async load(): Promise<void> {
    try {
      const { items } = await this._api.policies(this.results.model.id);
      this._policy = items[0] ?? null;
    } catch (error) {
      this._fail(error);
    }
    this._announce();
  }

  /** Choose in another way. */
  choose(basis: PolicyBasis): void {
    this._basis = basis;
    this._change();
  }

  type(field: DecidingField, text: string): void {
    this._texts[field] = text;
    this._change();
  }

  /** Decide like this from now on, whoever predicts and at whichever door. */
  async keep(): Promise<void> {
    this._isKeeping = true;
    this._failure = null;
    this._announce();
    try {
      this._kept = await this._api.setThreshold(this.results.model.id, this._request());
      this._policy = this._kept;
    } catch (error) {
      this._fail(error);
    } finally {
      this._isKeeping = false;
      this._announce();
    }
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      Signal.clearData(this);
    }
  }

  private _request(): ThresholdRequest {
    switch (this._basis) {
      case 'cost':
        return {
          by: 'cost',
          cost_false_alarm: this.number('falseAlarm'),
          cost_missed: this.number('missed')
        };
      case 'capacity':
        return { by: 'capacity', capacity: this.number('capacity') };
      case 'value':
        return { by: 'value', value: this.number('threshold') };
    }
  }

  /** The same choice that the server makes: the first of equally cheap ones, the last that can be looked at. */
  private _at(): number {
    const all = this.effects;
    if (this._basis === 'cost') {
      return all.reduce((best, each, at) => (this.cost(each) < this.cost(all[best]) ? at : best), 0);
    }
    const capacity = 1000 * (this.number('capacity') ?? 0) + 1e-9;
    const value = (this.number('threshold') ?? 0) - 1e-12;
    const fits = (each: IEffect): boolean =>
      this._basis === 'capacity' ? each.named <= capacity : each.threshold >= value;
    return all.reduce((last, each, at) => (fits(each) ? at : last), 0);
  }

  private _change(): void {
    this._kept = null;
    this._failure = null;
    this._announce();
  }

  private _fail(error: unknown): void {
    if (!(error instanceof ApiError)) {
      throw error;
    }
    this._failure = error;
  }

  private _announce(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private _basis: PolicyBasis = 'cost';
  private _texts: Record<DecidingField, string> = {
    falseAlarm: '1',
    missed: '5',
    capacity: '10',
    threshold: '50'
  };
  private _policy: PolicyRead | null = null;
  private _kept: PolicyRead | null = null;
  private _failure: ApiError | null = null;
  private _isKeeping = false;
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}
