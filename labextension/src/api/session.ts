// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { AccountRead, TokenPair } from '../schema';
import { ApiError } from './failure';
import type { Transport } from './transport';

/**
 * - `starting`: nothing is known yet.
 * - `signed-in`: there is an account.
 * - `signed-out`: Jupyter's identity is not mapped to an account, or the sign-in has ended.
 * - `missing`: the server part is not installed or not enabled.
 * - `unreachable`: nothing answered.
 */
export type SessionState = 'starting' | 'signed-in' | 'signed-out' | 'missing' | 'unreachable';

/** A token is renewed when it has less than this to live, in milliseconds. */
const MARGIN = 30_000;

/**
 * Who is signed in. The tokens stay in this object: never in storage, never in the page.
 */
export class Session {
  constructor(transport: Transport) {
    this._transport = transport;
  }

  /** Emitted when the state or the account changes. */
  get changed(): ISignal<this, SessionState> {
    return this._changed;
  }

  get state(): SessionState {
    return this._state;
  }

  /** Why nobody is signed in, in the server's words; empty when it was asked for. */
  get refusal(): string {
    return this._refusal;
  }

  get account(): AccountRead | null {
    return this._pair?.account ?? null;
  }

  /**
   * An access token that is good for the next call; signs in through Jupyter at the first time and renews by itself.
   */
  async token(): Promise<string> {
    if (this._pair && Date.now() < this._until - MARGIN) {
      return this._pair.access_token;
    }
    return this._once(() => this._obtain());
  }

  /**
   * A token other than the one that was just refused; callers that come together share one renewal.
   */
  async renewed(refused: string): Promise<string> {
    if (this._pair?.access_token === refused) {
      this._until = 0;
    }
    return this.token();
  }

  /** Sign in with an account of one's own. */
  async signIn(email: string, password: string): Promise<void> {
    this._accept(await this._post('auth/login', { email, password }), 'password');
  }

  /** Sign in as whoever Jupyter says this is, also after signing out. */
  async signInThroughJupyter(): Promise<void> {
    await this._once(() => this._exchange());
  }

  /** End the session here and at the server. */
  async signOut(): Promise<void> {
    const pair = this._pair;
    this._forget();
    if (pair) {
      await this._transport.send('auth/logout', { method: 'POST', token: pair.access_token });
    }
  }

  private async _obtain(): Promise<string> {
    if (this._pair) {
      try {
        return this._accept(
          await this._post('auth/refresh', { refresh_token: this._pair.refresh_token }),
          this._way
        );
      } catch (error) {
        if (!(error instanceof ApiError) || !error.asksForSignIn) {
          throw error;
        }
        // Someone who signed in with a password must not turn into Jupyter's account unasked.
        if (this._way === 'password') {
          this._forget();
          throw error;
        }
      }
    } else if (this._state === 'signed-out') {
      throw new ApiError('not_signed_in', 'You are not signed in.');
    }
    return this._exchange();
  }

  private async _exchange(): Promise<string> {
    try {
      return this._accept(await this._post('auth/jupyter'), 'jupyter');
    } catch (error) {
      const code = error instanceof ApiError ? error.code : 'unreachable';
      if (code === 'server_missing') {
        this._forget('missing');
      } else if (code === 'not_signed_in' || code === 'denied') {
        this._refusal = code === 'denied' ? (error as ApiError).message : '';
        this._forget();
      } else if (!this._pair) {
        this._forget('unreachable');
      }
      throw error;
    }
  }

  private _post(path: string, body: unknown = {}): Promise<TokenPair> {
    return this._transport.json<TokenPair>(path, { method: 'POST', body });
  }

  private _accept(pair: TokenPair, way: 'jupyter' | 'password'): string {
    const before = this._pair?.account;
    this._pair = pair;
    this._way = way;
    this._refusal = '';
    this._until = Date.now() + pair.expires_in * 1000;
    const { id, name, role } = pair.account;
    if (this._state !== 'signed-in' || before?.id !== id || before.role !== role || before.name !== name) {
      this._state = 'signed-in';
      this._changed.emit('signed-in');
    }
    return pair.access_token;
  }

  private _forget(state: SessionState = 'signed-out'): void {
    this._pair = null;
    if (this._state !== state) {
      this._state = state;
      this._changed.emit(state);
    }
  }

  private _once(work: () => Promise<string>): Promise<string> {
    this._pending ??= work().finally(() => {
      this._pending = null;
    });
    return this._pending;
  }

  private _transport: Transport;
  private _pair: TokenPair | null = null;
  private _way: 'jupyter' | 'password' = 'jupyter';
  private _refusal = '';
  private _until = 0;
  private _state: SessionState = 'starting';
  private _pending: Promise<string> | null = null;
  private _changed = new Signal<this, SessionState>(this);
}
