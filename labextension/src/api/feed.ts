// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { Event } from '../schema';
import { ApiError } from './failure';

/** How the feed stands; `idle` means that nobody asked for it. */
export type FeedState = 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'offline';

/** The first wait before a new attempt and the longest, in milliseconds. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;
/** After so many attempts in a row it is called offline; the attempts go on. */
const OFFLINE_AFTER = 4;
/** The server says something every 15 seconds; a socket that is silent for this long is dead. */
const SILENCE = 40_000;
/** The server's word for a reader that was too slow: come back at once with the cursor. */
const TOO_SLOW = 4408;

type Frame = { type: 'hello' | 'heartbeat' | 'reset'; cursor: string } | { type: 'event'; event: Event };

/**
 * The ordered feed of what happens. It comes back by itself after every loss and goes on after the last event
 * that it has delivered, so that none is missed and none comes twice.
 */
export class Feed implements IDisposable {
  constructor(options: Feed.IOptions) {
    this._options = options;
  }

  /** Every event, once, in order. */
  get event(): ISignal<this, Event> {
    return this._event;
  }

  /** Emitted at the first connection and when the cursor is too old: load everything anew. */
  get reset(): ISignal<this, void> {
    return this._reset;
  }

  get stateChanged(): ISignal<this, FeedState> {
    return this._stateChanged;
  }

  get state(): FeedState {
    return this._state;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Start to follow; nothing happens when it already does. */
  start(): void {
    if (this._state === 'idle' && !this._isDisposed) {
      this._setState('connecting');
      void this._connect();
    }
  }

  /** Let go, and forget where it was. */
  stop(): void {
    this._drop();
    this._cursor = null;
    this._attempts = 0;
    this._setState('idle');
  }

  /** Do not wait any longer: the network is back or the page is looked at again. */
  retryNow(): void {
    if (this._state === 'reconnecting' || this._state === 'offline') {
      this._drop();
      void this._connect();
    }
  }

  dispose(): void {
    if (!this._isDisposed) {
      this.stop();
      this._isDisposed = true;
      Signal.clearData(this);
    }
  }

  private async _connect(): Promise<void> {
    const turn = this._turn;
    let ticket: string;
    try {
      ticket = await this._options.ticket();
    } catch (error) {
      if (turn === this._turn) {
        if (error instanceof ApiError && error.asksForSignIn) {
          this.stop();
        } else {
          this._retry();
        }
      }
      return;
    }
    if (turn !== this._turn) {
      return;
    }
    const socket = this._options.open(this._cursor, ['dapp.v1', `dapp.ticket.${ticket}`]);
    this._socket = socket;
    socket.onmessage = message => this._receive(String(message.data));
    socket.onclose = close => this._lost(close.code);
    this._watch();
  }

  private _receive(text: string): void {
    this._watch();
    const frame = JSON.parse(text) as Frame;
    switch (frame.type) {
      case 'hello':
        this._welcome(frame.cursor);
        break;
      case 'event':
        this._cursor = frame.event.id;
        this._event.emit(frame.event);
        break;
      case 'reset':
        this._cursor = frame.cursor;
        this._reset.emit();
        break;
      default:
        this._cursor = frame.cursor;
    }
  }

  private _welcome(cursor: string): void {
    const first = this._cursor === null;
    this._attempts = 0;
    this._setState('connected');
    if (first) {
      this._cursor = cursor;
      this._reset.emit();
    }
  }

  private _lost(code: number): void {
    this._drop();
    if (code === TOO_SLOW) {
      this._attempts = 0;
    }
    this._retry();
  }

  private _retry(): void {
    this._attempts += 1;
    this._setState(this._attempts >= OFFLINE_AFTER ? 'offline' : 'reconnecting');
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (this._attempts - 1));
    // A random share keeps many pages from coming back in the same instant.
    this._timer = setTimeout(() => void this._connect(), wait * (0.75 + Math.random() / 2));
  }

  private _watch(): void {
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._lost(0), SILENCE);
  }

  /** End the present attempt, wherever it is, so that nothing of it is heard any more. */
  private _drop(): void {
    this._turn += 1;
    clearTimeout(this._timer);
    const socket = this._socket;
    this._socket = null;
    if (socket) {
      socket.onmessage = null;
      socket.onclose = null;
      socket.close();
    }
  }

  private _setState(state: FeedState): void {
    if (this._state !== state) {
      this._state = state;
      this._stateChanged.emit(state);
    }
  }

  private _options: Feed.IOptions;
  private _socket: Feed.ISocket | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _turn = 0;
  private _attempts = 0;
  private _cursor: string | null = null;
  private _state: FeedState = 'idle';
  private _isDisposed = false;
  private _event = new Signal<this, Event>(this);
  private _reset = new Signal<this, void>(this);
  private _stateChanged = new Signal<this, FeedState>(this);
}

export namespace Feed {
  /** What is used of a WebSocket. */
  export interface ISocket {
    onmessage: ((message: MessageEvent) => void) | null;
    onclose: ((close: CloseEvent) => void) | null;
    close(): void;
  }

  export interface IOptions {
    /** A ticket for one connection. */
    ticket: () => Promise<string>;
    /** Open a socket that goes on after the cursor. */
    open: (after: string | null, protocols: string[]) => ISocket;
  }
}
