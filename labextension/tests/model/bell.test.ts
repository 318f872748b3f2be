// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { ApiError } from '../../src/api';
import type { Api } from '../../src/api';
import { Bell } from '../../src/model';
import type { NotificationPage, NotificationRead } from '../../src/schema';
import { event } from '../server';

const line = (id: string, isRead = false): NotificationRead => ({
  id,
  type: 'dataset.ready',
  severity: 'info',
  title: `“${id}” is ready`,
  at: '2026-01-02T03:04:05Z',
  actor: null,
  link: { kind: 'dataset', id: 'd1' },
  is_read: isRead
});

/** The server's side of the bell. */
class Scene {
  page: NotificationPage = { items: [line('e2'), line('e1')], next: null, unread: 2 };
  asked = 0;
  marked: (string | null)[] = [];
  failure: ApiError | null = null;
  readonly bell = new Bell({
    notifications: async () => {
      this.asked += 1;
      if (this.failure) {
        throw this.failure;
      }
      return this.page;
    },
    markRead: async (id: string | null) => {
      this.marked.push(id);
      return { unread: id === null ? 0 : 1 };
    }
  } as unknown as Api);
}

const tick = (milliseconds: number): Promise<void> => jest.advanceTimersByTimeAsync(milliseconds);

describe('Bell', () => {
  let scene: Scene;
  beforeEach(() => {
    jest.useFakeTimers();
    scene = new Scene();
  });
  afterEach(() => {
    scene.bell.dispose();
    jest.useRealTimers();
  });

  it('asks once for many events, and not for those that tell nobody anything', async () => {
    for (let number = 0; number < 100; number++) {
      scene.bell.notice(event(`e${number}`, 'dataset.ready', 'dataset', 'd1'));
      scene.bell.notice(event(`p${number}`, 'job.progress', 'job', 'j1'));
    }
    await tick(500);
    expect(scene.asked).toBe(1);
    scene.bell.notice(event('e', 'model.trial', 'model', 'm1'));
    await tick(500);
    expect(scene.asked).toBe(1);
    expect(scene.bell.unread).toBe(2);
  });

  it('marks one line, and all', async () => {
    await scene.bell.reload();
    await scene.bell.mark('e1');
    expect(scene.bell.items.map(each => each.is_read)).toEqual([false, true]);
    expect(scene.bell.unread).toBe(1);
    await scene.bell.mark(null);
    expect(scene.bell.items.every(each => each.is_read)).toBe(true);
    expect(scene.marked).toEqual(['e1', null]);
  });

  it('hears of what was read at another door', async () => {
    await scene.bell.reload();
    scene.page = { items: [line('e2', true)], next: null, unread: 0 };
    scene.bell.notice(event('n', 'notification.read', 'notification', 'a1'));
    await tick(500);
    expect(scene.bell.unread).toBe(0);
  });

  it('asks again by itself when nothing answered', async () => {
    scene.failure = new ApiError('unreachable', 'Nothing answers.');
    await scene.bell.reload();
    expect(scene.bell.failure).not.toBeNull();
    scene.failure = null;
    await tick(1500);
    expect(scene.bell.failure).toBeNull();
    expect(scene.bell.items).toHaveLength(2);
  });

  it('shows nobody the lines of the account before', async () => {
    const asking = scene.bell.reload();
    scene.bell.isOpen = true;
    scene.bell.clear();
    await asking;
    expect(scene.bell.items).toEqual([]);
    expect(scene.bell.isOpen).toBe(false);
  });
});
