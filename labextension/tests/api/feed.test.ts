// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { ApiError, Feed } from '../../src/api';
import { event } from '../server';

class Socket implements Feed.ISocket {
  onmessage: ((message: MessageEvent) => void) | null = null;
  onclose: ((close: CloseEvent) => void) | null = null;
  closed = false;

  constructor(
    readonly after: string | null,
    readonly protocols: string[]
  ) {}

  say(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) } as MessageEvent);
  }

  end(code = 1006): void {
    this.onclose?.({ code } as CloseEvent);
  }

  close(): void {
    this.closed = true;
  }
}

function make(): { feed: Feed; sockets: Socket[]; log: string[]; tickets: { next: () => Promise<string> } } {
  const sockets: Socket[] = [];
  const log: string[] = [];
  let number = 0;
  const tickets = { next: () => Promise.resolve(`t${++number}`) };
  const feed = new Feed({
    ticket: () => tickets.next(),
    open: (after, protocols) => {
      const socket = new Socket(after, protocols);
      sockets.push(socket);
      return socket;
    }
  });
  feed.event.connect((_, each) => log.push(each.id));
  feed.reset.connect(() => log.push('reset'));
  feed.stateChanged.connect((_, state) => log.push(state));
  return { feed, sockets, log, tickets };
}

const tick = (milliseconds: number): Promise<void> => jest.advanceTimersByTimeAsync(milliseconds);

describe('Feed', () => {
  beforeEach(() => {
    jest.useFakeTimers();
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
  });
  afterEach(() => {
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  it('signs in by a ticket, loads once, and delivers in order', async () => {
    const { feed, sockets, log } = make();
    feed.start();
    await tick(0);
    expect(sockets[0].protocols).toEqual(['dapp.v1', 'dapp.ticket.t1']);
    expect(sockets[0].after).toBeNull();
    sockets[0].say({ type: 'hello', cursor: 'e.4' });
    sockets[0].say({ type: 'event', event: event('e.5', 'dataset.ready', 'dataset', 'd1') });
    sockets[0].say({ type: 'event', event: event('e.6', 'dataset.ready', 'dataset', 'd2') });
    expect(log).toEqual(['connecting', 'connected', 'reset', 'e.5', 'e.6']);
  });

  it('comes back behind the last event, with a new ticket, and does not load anew', async () => {
    const { feed, sockets, log } = make();
    feed.start();
    await tick(0);
    sockets[0].say({ type: 'hello', cursor: 'e.4' });
    sockets[0].say({ type: 'event', event: event('e.5', 'dataset.ready', 'dataset', 'd1') });
    sockets[0].end();
    expect(feed.state).toBe('reconnecting');
    await tick(600);
    expect(sockets[1].after).toBe('e.5');
    expect(sockets[1].protocols[1]).toBe('dapp.ticket.t2');
    sockets[1].say({ type: 'hello', cursor: 'e.5' });
    expect(log.filter(each => each === 'reset')).toHaveLength(1);
    expect(feed.state).toBe('connected');
  });

  it('goes on from the cursor of a heartbeat, which passes what this account may not see', async () => {
    const { feed, sockets } = make();
    feed.start();
    await tick(0);
    sockets[0].say({ type: 'hello', cursor: 'e.4' });
    sockets[0].say({ type: 'heartbeat', cursor: 'e.90' });
    sockets[0].end();
    await tick(600);
    expect(sockets[1].after).toBe('e.90');
  });

  it('loads anew when its cursor is from before a restore', async () => {
    const { feed, sockets, log } = make();
    feed.start();
    await tick(0);
    sockets[0].say({ type: 'hello', cursor: 'e.4' });
    sockets[0].end();
    await tick(600);
    sockets[1].say({ type: 'hello', cursor: 'f.1' });
    sockets[1].say({ type: 'reset', cursor: 'f.1' });
    expect(log.filter(each => each === 'reset')).toHaveLength(2);
  });

  it('waits longer and longer, calls it offline, and goes on trying', async () => {
    const { feed, sockets } = make();
    feed.start();
    await tick(0);
    const waits = [500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000];
    for (const [number, wait] of waits.entries()) {
      sockets[number].end();
      expect(feed.state).toBe(number < 3 ? 'reconnecting' : 'offline');
      await tick(wait - 1);
      expect(sockets).toHaveLength(number + 1);
      await tick(1);
      expect(sockets).toHaveLength(number + 2);
    }
  });

  it('does not wait when the network comes back', async () => {
    const { feed, sockets } = make();
    feed.start();
    await tick(0);
    sockets[0].end();
    feed.retryNow();
    await tick(0);
    expect(sockets).toHaveLength(2);
    await tick(60_000);
    expect(sockets[0].closed).toBe(true);
  });

  it('gives up a line that has gone silent', async () => {
    const { feed, sockets } = make();
    feed.start();
    await tick(0);
    sockets[0].say({ type: 'hello', cursor: 'e.4' });
    await tick(39_000);
    sockets[0].say({ type: 'heartbeat', cursor: 'e.4' });
    await tick(39_000);
    expect(feed.state).toBe('connected');
    await tick(1_500);
    expect(sockets[0].closed).toBe(true);
    expect(feed.state).toBe('reconnecting');
  });

  it('comes back at once when it was too slow', async () => {
    const { feed, sockets } = make();
    feed.start();
    await tick(0);
    sockets[0].say({ type: 'hello', cursor: 'e.4' });
    sockets[0].end(4408);
    await tick(500);
    expect(sockets[1].after).toBe('e.4');
  });

  it('stops when the sign-in has ended', async () => {
    const { feed, sockets, tickets } = make();
    tickets.next = () => Promise.reject(new ApiError('not_signed_in', 'Ended.', 401));
    feed.start();
    await tick(60_000);
    expect(sockets).toHaveLength(0);
    expect(feed.state).toBe('idle');
  });

  it('hears nothing of a line that it has let go', async () => {
    const { feed, sockets, log } = make();
    feed.start();
    await tick(0);
    const [socket] = sockets;
    socket.say({ type: 'hello', cursor: 'e.4' });
    feed.dispose();
    socket.say({ type: 'event', event: event('e.5', 'dataset.ready', 'dataset', 'd1') });
    socket.end();
    await tick(60_000);
    expect(sockets).toHaveLength(1);
    expect(log).not.toContain('e.5');
    expect(jest.getTimerCount()).toBe(0);
  });
});
