// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { IDisposable } from '@lumino/disposable';

/** The first wait and the longest, in milliseconds. */
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 15_000;

/**
 * Something that is tried again after a pause that grows from failure to failure, until it went well.
 */
export class Retry implements IDisposable {
  constructor(private readonly _act: () => Promise<void>) {}

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** It failed for the moment: try again later. */
  later(): void {
    if (this._isDisposed || this._timer !== undefined) {
      return;
    }
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this._failures);
    this._failures += 1;
    this._timer = setTimeout(() => {
      this._timer = undefined;
      void this._act();
    }, wait);
  }

  /** It went well, or does not matter any more. */
  done(): void {
    clearTimeout(this._timer);
    this._timer = undefined;
    this._failures = 0;
  }

  dispose(): void {
    this.done();
    this._isDisposed = true;
  }

  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _failures = 0;
  private _isDisposed = false;
}
