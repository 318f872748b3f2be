// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { ApiError } from '../../src/api';
import type { IListing } from '../../src/api';
import { Collection } from '../../src/model';
import type { DatasetRead, Page } from '../../src/schema';
import { dataset } from '../server';

function make(
  items: DatasetRead[],
  size = 50
): { list: Collection<DatasetRead>; asked: string[]; changes: () => number } {
  const asked: string[] = [];
  let changes = 0;
  const list = new Collection<DatasetRead>({
    page: async ({ cursor, search }: IListing): Promise<Page<DatasetRead>> => {
      asked.push(`page ${cursor ?? ''}${search ?? ''}`.trim());
      const found = items.filter(each => !search || each.name.includes(search));
      const from = Number(cursor ?? 0);
      const next = from + size < found.length ? String(from + size) : null;
      return { items: found.slice(from, from + size), next, total: found.length };
    },
    one: async id => {
      asked.push(id);
      const found = items.find(each => each.id === id);
      if (!found) {
        throw new ApiError('dataset_not_found', 'Gone.', 404);
      }
      return found;
    }
  });
  list.changed.connect(() => (changes += 1));
  return { list, asked, changes: () => changes };
}

const day = (number: number): string => `2026-01-${String(number).padStart(2, '0')}T00:00:00Z`;
const tick = (milliseconds: number): Promise<void> => jest.advanceTimersByTimeAsync(milliseconds);

describe('Collection', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('has the newest first, page by page', async () => {
    const items = [3, 2, 1].map(number => dataset(`d${number}`, { created_at: day(number) }));
    const { list } = make(items, 2);
    await list.reload();
    expect(list.items.map(each => each.id)).toEqual(['d3', 'd2']);
    expect(list.hasMore).toBe(true);
    await list.more();
    expect(list.items.map(each => each.id)).toEqual(['d3', 'd2', 'd1']);
    expect(list.hasMore).toBe(false);
  });

  it('fetches what changed once, however often it is told', async () => {
    const { list, asked } = make([dataset('d1', { name: 'new name' })]);
    list.put(dataset('d1'));
    for (let number = 0; number < 100; number++) {
      list.touch('d1');
    }
    await tick(200);
    expect(asked).toEqual(['d1']);
    expect(list.get('d1')?.name).toBe('new name');
  });

  it('asks again by itself, later and later, while nothing answers', async () => {
    let down = true;
    const asked: number[] = [];
    const list = new Collection<DatasetRead>({
      page: async () => {
        asked.push(Date.now());
        if (down) {
          throw new ApiError('unreachable', 'Nothing.');
        }
        return { items: [dataset('d1')], next: null, total: 1 };
      },
      one: async () => dataset('d1')
    });
    await list.reload();
    expect(list.failure?.code).toBe('unreachable');
    await tick(3100);
    expect(asked).toHaveLength(3);
    down = false;
    await tick(4100);
    expect(list.failure).toBeNull();
    expect(list.items.map(each => each.id)).toEqual(['d1']);
    await tick(60_000);
    expect(asked).toHaveLength(4);
  });

  it('does not lose a change because the server was away for a moment', async () => {
    let tries = 0;
    const list = new Collection<DatasetRead>({
      page: async () => ({ items: [], next: null, total: 0 }),
      one: async id => {
        tries += 1;
        if (tries < 3) {
          throw new ApiError('unavailable', 'Not now.', 503);
        }
        return dataset(id, { name: 'made in the dark' });
      }
    });
    list.touch('d1');
    await tick(10_000);
    expect(tries).toBe(3);
    expect(list.get('d1')?.name).toBe('made in the dark');
  });

  it('loads the list instead of hundreds of things one by one', async () => {
    const { list, asked } = make([dataset('d1')]);
    for (let number = 0; number < 300; number++) {
      list.touch(`x${number}`);
    }
    await tick(200);
    expect(asked).toEqual(['page']);
  });

  it('drops what is gone or not to be seen any more', async () => {
    const { list } = make([]);
    list.put(dataset('d1'));
    list.touch('d1');
    await tick(200);
    expect(list.items).toEqual([]);
  });

  it('tells of a burst of changes once a frame', async () => {
    const { list, changes } = make([]);
    for (let number = 0; number < 20_000; number++) {
      list.put(dataset('d1', { rows: number }));
    }
    await tick(20);
    expect(changes()).toBe(1);
    expect(list.get('d1')?.rows).toBe(19_999);
  });

  it('keeps what it has when a reload fails, and says why', async () => {
    const list = new Collection<DatasetRead>({
      page: () => Promise.reject(new ApiError('unreachable', 'No answer.')),
      one: () => Promise.reject(new ApiError('unreachable', 'No answer.'))
    });
    list.put(dataset('d1'));
    await list.reload();
    list.touch('d1');
    await tick(200);
    expect(list.items).toHaveLength(1);
    expect(list.failure?.code).toBe('unreachable');
  });

  it('does not mix the answer for one account into the list of the next', async () => {
    const { list } = make([dataset('d1')]);
    const loading = list.reload();
    list.clear();
    await loading;
    expect(list.items).toEqual([]);
  });

  it('asks the server for a text only when it has not everything', async () => {
    const items = [1, 2, 3].map(number => dataset(`d${number}`, { created_at: day(number) }));
    const all = make(items);
    await all.list.reload();
    await all.list.search('d3');
    expect(all.asked).toEqual(['page']);
    const some = make(items, 1);
    await some.list.reload();
    await some.list.search('d3');
    expect(some.list.items.map(each => each.id)).toEqual(['d3', 'd1']);
  });
});
