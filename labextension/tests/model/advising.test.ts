// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { ApiError } from '../../src/api';
import { Advising, raised, withoutFix } from '../../src/model';
import type { Advice, Fix, Guard, TrainRequest } from '../../src/schema';

const guard = (code: string, state: Guard['state'], severity: Guard['severity']): Guard => ({
  code,
  state,
  severity,
  sentence: code,
  columns: [],
  rows: [],
  rows_count: 0,
  values: {},
  fixes: [],
  second: null
});
const fix = (label: string): Fix => ({ code: 'drop_columns', label, change: { exclude: [label] } });
const tick = (milliseconds: number): Promise<void> => jest.advanceTimersByTimeAsync(milliseconds);

describe('Advising', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('asks for the last wish only, and never shows an answer to an earlier one', async () => {
    const answers = new Map<string, (advice: Advice) => void>();
    const asked: string[] = [];
    const advising = new Advising({
      advise: (request: TrainRequest) =>
        new Promise<Advice>(resolve => {
          asked.push(request.target ?? '');
          answers.set(request.target ?? '', resolve);
        })
    });
    advising.ask({ dataset: 'd1', target: 'a' });
    advising.ask({ dataset: 'd1', target: 'b' });
    await tick(300);
    expect(asked).toEqual(['b']);
    advising.ask({ dataset: 'd1', target: 'c' });
    await tick(300);
    answers.get('c')?.({ sentence: 'c' } as Advice);
    await tick(0);
    answers.get('b')?.({ sentence: 'b' } as Advice);
    await tick(0);
    expect(advising.advice?.sentence).toBe('c');
    expect(advising.isAsking).toBe(false);
    advising.dispose();
  });

  it('says why nothing can be said', async () => {
    const advising = new Advising({
      advise: async () => {
        throw new ApiError('target_unusable', 'The column is constant.', 422);
      }
    });
    advising.ask({ dataset: 'd1', target: 'a' });
    await tick(300);
    expect(advising.failure?.message).toBe('The column is constant.');
    advising.dispose();
  });

  it('puts the gravest first and leaves out what has passed', () => {
    const found = raised([
      guard('done', 'done', 'alert'),
      guard('passed', 'passed', 'alert'),
      guard('light', 'alerted', 'info'),
      guard('grave', 'alerted', 'alert')
    ]);
    expect(found.map(each => each.code)).toEqual(['grave', 'light', 'done']);
  });

  it('takes later fixes back with an earlier one', () => {
    const [first, second, third] = [fix('a'), fix('b'), fix('c')];
    const applied = [first, second, third].map((each, at) => ({ fix: each, before: at }));
    const left = withoutFix(applied, second);
    expect(left.applied.map(each => each.fix)).toEqual([first]);
    expect(left.before).toBe(1);
    expect(withoutFix(left.applied, third).before).toBeNull();
  });
});
