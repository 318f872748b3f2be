// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { ApiError } from '../../src/api';
import { Deciding, effects } from '../../src/model';
import type { Decisions, PolicyRead, Results, ThresholdRequest } from '../../src/schema';

/** A hundred rows, twenty of them cases. */
const DECISIONS: Decisions = {
  positive: 'yes',
  thresholds: [0.9, 0.6, 0.3, 0.1],
  true_positives: [8, 14, 18, 20],
  false_positives: [0, 4, 22, 80],
  positives: 20,
  negatives: 80
};

function scene(change: Partial<Decisions> = {}): {
  view: Deciding;
  asked: ThresholdRequest[];
  refuse: (error: ApiError) => void;
} {
  const asked: ThresholdRequest[] = [];
  let refusal: ApiError | null = null;
  const api = {
    policies: async () => ({ items: [], next: null, total: 0 }),
    setThreshold: async (_: string, request: ThresholdRequest): Promise<PolicyRead> => {
      asked.push(request);
      if (refusal) {
        throw refusal;
      }
      return { sentence: 'Kept.', threshold: 0.3 } as PolicyRead;
    }
  };
  const results = { model: { id: 'm1', name: 'm' }, threshold: 0.42 } as Results;
  const view = new Deciding(api, results, { ...DECISIONS, ...change });
  return { view, asked, refuse: error => (refusal = error) };
}

describe('effects', () => {
  it('begin with one that names nobody, and count in cases of a thousand', () => {
    const [nobody, first] = effects(DECISIONS);
    expect(nobody).toMatchObject({ threshold: 1, named: 0, missed: 200, precision: null, recall: 0 });
    expect(first).toEqual({
      threshold: 0.9,
      named: 80,
      right: 80,
      wrong: 0,
      missed: 120,
      precision: 1,
      recall: 0.4
    });
  });
});

describe('Deciding', () => {
  it('takes the cheapest threshold', () => {
    const { view } = scene();
    // 1 and 5: nobody 100, 0.9 60, 0.6 34, 0.3 32, 0.1 80, each for a hundred rows.
    expect(view.chosen.threshold).toBe(0.3);
    expect(view.cost(view.chosen)).toBeCloseTo(320);
    expect(view.costWithout).toBeCloseTo(800);
    view.type('missed', '1,5');
    expect(view.chosen.threshold).toBe(0.6);
  });

  it('names nobody where naming costs more than it brings', () => {
    const { view } = scene({ thresholds: [0.9], true_positives: [8], false_positives: [70] });
    view.type('missed', '1');
    expect(view.chosen.named).toBe(0);
  });

  it('names as many as can be looked at', async () => {
    const { view, asked } = scene();
    view.choose('capacity');
    view.type('capacity', '18');
    expect(view.chosen.threshold).toBe(0.6);
    view.type('capacity', '17.9');
    expect(view.chosen.threshold).toBe(0.9);
    await view.keep();
    expect(asked).toEqual([{ by: 'capacity', capacity: 0.179 }]);
  });

  it('begins by hand where the model lies, and says what is named from there on', async () => {
    const { view, asked } = scene();
    view.choose('value');
    expect(view.threshold).toBe(0.42);
    expect(view.chosen.named).toBe(180);
    await view.keep();
    expect(asked).toEqual([{ by: 'value', value: 0.42 }]);
    expect(view.kept?.sentence).toBe('Kept.');
    expect(view.policy?.threshold).toBe(0.3);
  });

  it.each(['', 'many', '-1', '1e999'])('does not count with %j', text => {
    const { view } = scene();
    view.type('missed', text);
    expect(view.number('missed')).toBeNull();
    expect(view.isGiven).toBe(false);
  });

  it('wants one of the two costs to be more than nothing, and a capacity that somebody can be looked at with', () => {
    const { view } = scene();
    view.type('missed', '0');
    expect(view.isGiven).toBe(true);
    view.type('falseAlarm', '0');
    expect(view.isGiven).toBe(false);
    view.choose('capacity');
    view.type('capacity', '0');
    expect(view.isGiven).toBe(false);
    view.type('capacity', '101');
    expect(view.isGiven).toBe(false);
  });

  it('says why it was not kept, until something is changed', async () => {
    const { view, refuse } = scene();
    refuse(new ApiError('denied', 'Not yours.', 403));
    await view.keep();
    expect(view.failure?.message).toBe('Not yours.');
    expect(view.isKeeping).toBe(false);
    view.type('missed', '7');
    expect(view.failure).toBeNull();
  });
});
