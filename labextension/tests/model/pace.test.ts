// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { Pace } from '../../src/model/pace';

/** How often something is done within a time, when it is told of a change every ten milliseconds. */
async function flooded(milliseconds: number): Promise<number> {
  let count = 0;
  const pace = new Pace(() => (count += 1), 16, 100);
  for (let at = 0; at < milliseconds; at += 10) {
    pace.tell();
    await jest.advanceTimersByTimeAsync(10);
  }
  pace.dispose();
  return count;
}

describe('Pace', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('follows single changes at once, for as long as they are single', async () => {
    let count = 0;
    const pace = new Pace(() => (count += 1), 16, 100);
    for (let change = 1; change <= 50; change++) {
      pace.tell();
      await jest.advanceTimersByTimeAsync(20);
      expect(count).toBe(change);
      await jest.advanceTimersByTimeAsync(280);
    }
  });

  it('follows a flood several times a second, and a long one only a few times', async () => {
    expect(await flooded(1000)).toBeGreaterThanOrEqual(8);
    const long = await flooded(20_000);
    expect(long).toBeGreaterThan(60);
    expect(long).toBeLessThan(110);
  });

  it('does the last one after the flood, and nothing once it is disposed of', async () => {
    let count = 0;
    const pace = new Pace(() => (count += 1), 16, 100);
    pace.tell();
    await jest.advanceTimersByTimeAsync(16);
    pace.tell();
    pace.tell();
    await jest.advanceTimersByTimeAsync(1000);
    expect(count).toBe(2);
    pace.tell();
    pace.dispose();
    await jest.advanceTimersByTimeAsync(1000);
    expect(count).toBe(2);
  });
});
