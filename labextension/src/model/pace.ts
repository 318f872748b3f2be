// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { IDisposable } from '@lumino/disposable';

/** In a flood something is done so often, in milliseconds; before, it may be done so many times in a row at full speed. */
const SELDOM = 250;
const AT_SPEED = 8;

/**
 * Something that follows changes: soon after a single one, after a pause when it was done just before, and only a few times
 * a second in a flood, however long that lasts.
 */
export class Pace implements IDisposable {
  /**
   * @param _act What is done.
   * @param _soon The wait after a single change, in milliseconds.
   * @param _again The wait when it was done just before, in milliseconds.
   */
  constructor(
    private readonly _act: () => void,
    private readonly _soon: number,
    private readonly _again: number
  ) {}

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Something has changed. */
  tell(): void {
    if (this._timer !== undefined || this._isDisposed) {
      return;
    }
    const isJustBefore = Date.now() - this._at < this._again;
    const wait = this._heatNow() > AT_SPEED ? 2 * SELDOM : isJustBefore ? this._again : this._soon;
    this._timer = setTimeout(() => {
      this._timer = undefined;
      this._heat = this._heatNow() + 1;
      this._at = Date.now();
      this._act();
    }, wait);
  }

  dispose(): void {
    this._isDisposed = true;
    clearTimeout(this._timer);
  }

  /** How often it was done lately: one more each time, one less each time that it might have been done seldom. */
  private _heatNow(): number {
    return Math.max(0, this._heat - (Date.now() - this._at) / SELDOM);
  }

  private _at = 0;
  private _heat = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}
