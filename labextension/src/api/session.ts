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

/** Where the browser sends the sign-in that it keeps. */
const RESUME = 'auth/resume';
/** What a server says that keeps no sign-ins for this page: Jupyter's own is asked for then, and says what there is to say. */
const NOTHING_KEPT = new Set(['denied', 'server_missing', 'route_not_found', 'method_not_allowed']);

/** A token is renewed when it has less than this to live, in milliseconds. */
const MARGIN = 30_000;

/** By which sign-in the tokens came, and so how they are renewed. */
type Way = 'jupyter' | 'password' | 'kept';

/**
 * Who is signed in. The tokens stay in this object: never in storage, never in the page. What outlives a reload is in a
 * cookie that no script can read.
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
    const pair = await this._post('auth/login', { email, password });
    this._accept(await this._kept(pair), this._keeps ? 'kept' : 'password');
  }

  /** Sign in as whoever Jupyter says this is, also after signing out. */
  async signInThroughJupyter(): Promise<void> {
    await this._once(() => this._exchange());
  }

  /** End the session here and at the server. */
  async signOut(): Promise<void> {
    const [pair, way] = [this._pair, this._way];
    this._forget();
    if (pair) {
      await this._transport.send('auth/logout', { method: 'POST', token: pair.access_token });
    }
    if (way === 'kept') {
      await this._transport.send(RESUME, { method: 'DELETE' });
    }
  }

  private async _obtain(): Promise<string> {
    if (this._pair) {
      try {
        return this._accept(await this._renew(this._pair), this._way);
      } catch (error) {
        if (!(error instanceof ApiError) || !error.asksForSignIn) {
          throw error;
        }
        // Someone who signed in with a password must not turn into Jupyter's account unasked.
        if (this._way !== 'jupyter') {
          this._forget();
          throw error;
        }
      }
    } else if (this._state === 'signed-out') {
      throw new ApiError('not_signed_in', 'You are not signed in.');
    }
    return (await this._resume()) ?? this._exchange();
  }

  private async _renew(pair: TokenPair): Promise<TokenPair> {
    if (this._way !== 'kept') {
      return this._post('auth/refresh', { refresh_token: pair.refresh_token });
    }
    const resumed = await this._post<TokenPair | undefined>(RESUME);
    if (!resumed) {
      throw new ApiError('not_signed_in', 'You are not signed in.', 401); // signed out in another tab
    }
    return resumed;
  }

  /** Go on with the sign-in that the browser keeps from before a reload; null where it keeps none. */
  private async _resume(): Promise<string | null> {
    try {
      const pair = await this._post<TokenPair | undefined>(RESUME);
      return pair ? this._accept(pair, 'kept') : null;
    } catch (error) {
      const code = error instanceof ApiError ? error.code : 'unreachable';
      if (NOTHING_KEPT.has(code)) {
        return null;
      }
      // Whoever has a sign-in that cannot be asked for at this moment must not turn into Jupyter's account either.
      const ended = error instanceof ApiError && error.asksForSignIn;
      this._refusal = ended ? error.message : '';
      this._forget(ended ? 'signed-out' : 'unreachable');
      throw error;
    }
  }

  /** Have the browser keep a new sign-in; it counts also where that cannot be, until the page goes. */
  private async _kept(pair: TokenPair): Promise<TokenPair> {
    try {
      const kept = await this._post<TokenPair | undefined>(RESUME, { refresh_token: pair.refresh_token });
      this._keeps = kept !== undefined;
      return kept ?? pair;
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      this._keeps = false;
      return pair;
    }
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

  private _post<T = TokenPair>(path: string, body: unknown = {}): Promise<T> {
    return this._transport.json<T>(path, { method: 'POST', body });
  }

  private _accept(pair: TokenPair, way: Way): string {
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
  private _way: Way = 'jupyter';
  private _keeps = false;
  private _refusal = '';
  private _until = 0;
  private _state: SessionState = 'starting';
  private _pending: Promise<string> | null = null;
  private _changed = new Signal<this, SessionState>(this);
}
