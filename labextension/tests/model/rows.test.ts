// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { ApiError } from '../../src/api';
import { RowsSource } from '../../src/model';
import type { IArrival } from '../../src/model';
import type { RowsRead, RowsRequest } from '../../src/schema';

const TOTAL = 10_000_000;

function make(total = TOTAL): {
  source: RowsSource;
  asked: RowsRequest[];
  arrivals: IArrival[];
  changes: () => number;
} {
  const asked: RowsRequest[] = [];
  const arrivals: IArrival[] = [];
  let changes = 0;
  const source = new RowsSource({
    fetch: async (request, signal): Promise<RowsRead> => {
      asked.push(request);
      await new Promise(resolve => setTimeout(resolve, 10));
      if (signal.aborted) {
        throw new ApiError('aborted', 'Cancelled.');
      }
      const { limit = 100, offset = 0 } = request;
      const rows = Array.from({ length: Math.max(0, Math.min(limit, total - offset)) }, (_, at) => [
        offset + at
      ]);
      return { version: 1, columns: [{ name: 'n', kind: 'integer', nullable: false }], rows, offset, total };
    }
  });
  source.arrived.connect((_, arrival) => arrivals.push(arrival));
  source.changed.connect(() => (changes += 1));
  return { source, asked, arrivals, changes: () => changes };
}

const tick = (milliseconds: number): Promise<void> => jest.advanceTimersByTimeAsync(milliseconds);

describe('RowsSource', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('knows the size and the first rows after one request', async () => {
    const { source, asked, changes } = make();
    void source.show({});
    await tick(20);
    expect(source.total).toBe(TOTAL);
    expect(source.cell(0, 0)).toBe(0);
    expect(asked).toHaveLength(1);
    expect(changes()).toBe(1);
  });

  it('asks for a page when it is looked at, once, and tells when it is there', async () => {
    const { source, asked, arrivals } = make();
    void source.show({});
    await tick(20);
    for (let row = 5_000_000; row < 5_000_040; row++) {
      expect(source.cell(row, 0)).toBeUndefined();
    }
    await tick(60);
    expect(asked.slice(1).map(each => each.offset)).toEqual([5_000_000]);
    expect(arrivals).toEqual([{ first: 5_000_000, count: 200 }]);
    expect(source.cell(5_000_039, 0)).toBe(5_000_039);
  });

  it('answers a jump without a pause, also where it meets the end of a page', async () => {
    const { source, asked } = make();
    void source.show({});
    await tick(20);
    await tick(1000);
    source.cell(5_000_199, 0);
    source.cell(5_000_200, 0);
    await tick(1);
    expect(asked.slice(1).map(each => each.offset)).toEqual([5_000_000, 5_000_200]);
  });

  it('does not put a page off because it is drawn again and again', async () => {
    const { source, asked } = make();
    void source.show({});
    await tick(20);
    for (let frame = 0; frame < 20; frame++) {
      source.cell(5_000_000, 0);
      await tick(4);
    }
    expect(asked.slice(1).map(each => each.offset)).toEqual([5_000_000]);
  });

  it('asks at once for where a dragged scroll bar begins, and then only for where it stops', async () => {
    const { source, asked } = make();
    void source.show({});
    await tick(20);
    for (let at = 1; at <= 200; at++) {
      source.cell(at * 40_000, 0);
      await tick(5);
    }
    await tick(100);
    expect(asked.slice(1).map(each => each.offset)).toEqual([40_000, 199 * 40_000, 200 * 40_000]);
  });

  it('keeps a bounded number of pages', async () => {
    const { source } = make();
    void source.show({});
    await tick(20);
    for (let page = 1; page <= 100; page++) {
      source.cell(page * 200, 0);
      await tick(60);
    }
    expect(source.cell(0, 0)).toBeUndefined();
    expect(source.cell(100 * 200, 0)).toBe(20_000);
  });

  it('takes no answer for an order that is not the present one', async () => {
    const { source, asked, changes } = make();
    void source.show({});
    void source.show({ sort: [{ column: 'n', descending: true }] });
    await tick(30);
    expect(asked.map(each => each.sort?.length)).toEqual([0, 1]);
    expect(changes()).toBe(1);
    expect(source.view.sort).toEqual([{ column: 'n', descending: true }]);
  });

  it('says why rows cannot be had, and gets over it', async () => {
    let isBroken = true;
    const source = new RowsSource({
      fetch: async () => {
        if (isBroken) {
          throw new ApiError('unavailable', 'Later.', 503);
        }
        return { version: 1, columns: [], rows: [], offset: 0, total: 0 };
      }
    });
    await source.show({});
    expect(source.failure?.message).toBe('Later.');
    isBroken = false;
    await source.show({});
    expect(source.failure).toBeNull();
  });
});
