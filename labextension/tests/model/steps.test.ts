// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { Api } from '../../src/api';
import { lineOf, literal, Steps, trainingLine } from '../../src/model';
import { Wire } from '../server';

const names = { dataset: (id: string) => `d ${id}`, model: (id: string) => `m ${id}@2` };

/** What asks, signs in or marks as read changes nothing that code could change. */
const WITHOUT_CODE = new Set([
  'rows',
  'advise',
  'predict',
  'markRead',
  'openDashboard',
  'file',
  'upload',
  'insightPicture'
]);

describe('lineOf', () => {
  it.each([
    ['PATCH', 'datasets/1', { name: 'new "one"' }, 'client.dataset("d 1").rename("new \\"one\\"")'],
    ['PATCH', 'datasets/1', { visibility: 'private' }, 'client.dataset("d 1").share("private")'],
    ['POST', 'datasets/1/restore', { version: 2 }, 'client.dataset("d 1").restore(2)'],
    [
      'POST',
      'datasets/1/fixes',
      { code: 'fill_missing', columns: ['a'], version: 1, options: { method: 'median', value: null } },
      'client.dataset("d 1").fix("fill_missing", ["a"], method="median")'
    ],
    ['POST', 'datasets/1/fixes/undo', {}, 'client.dataset("d 1").undo_fix()'],
    ['PUT', 'models/1/grants/7', { level: 'use' }, 'client.model("m 1@2").share_with("7", "use")'],
    ['DELETE', 'datasets/1/grants/7', undefined, 'client.dataset("d 1").share_with("7", None)'],
    ['POST', 'models/1/skip', { family: 'neural' }, 'client.model("m 1@2").skip("neural")'],
    ['POST', 'models/1/promote', { reason: 'newer' }, 'client.promote("m 1@2", "newer")'],
    ['POST', 'models/1/threshold', { value: 0.4 }, 'client.set_threshold("m 1@2", 0.4)'],
    ['POST', 'models/1/threshold', { capacity: 0.1 }, 'client.set_threshold("m 1@2", capacity=0.1)'],
    ['POST', 'models/1/rescore', { guard: 'leakage' }, 'client.model("m 1@2").score_again("leakage")'],
    ['POST', 'models/1/predictions', { dataset: '3' }, 'client.predict_dataset("m 1@2", "d 3")'],
    ['POST', 'datasets', { filename: 'a.csv', visibility: 'team' }, 'client.upload_file("a.csv")'],
    ['POST', 'models/advice', { dataset: '1' }, null],
    ['POST', 'auth/ticket', {}, null]
  ])('%s %s %j', (method, path, body, line) => {
    expect(lineOf({ method, path, body }, names)).toBe(line);
  });

  it('trains with all that was chosen', () => {
    const request = {
      dataset: '1',
      version: 3,
      target: 'y',
      name: null,
      time_budget: 30,
      families: ['linear'],
      exclude: [],
      missing: { a: [999] }
    };
    expect(trainingLine('d', request)).toBe(
      'model = client.train_model("d", target="y", time_budget=30, families=["linear"], missing={"a": [999]})'
    );
  });

  it('writes values as Python does', () => {
    expect(literal([true, null, 1.5, 'x', { a: false }])).toBe('[True, None, 1.5, "x", {"a": False}]');
  });
});

describe('Steps', () => {
  it('has a line for every call that changes something', async () => {
    const wire = new Wire();
    const api = new Api(wire.settings);
    jest.spyOn(api.session, 'token').mockResolvedValue('t');
    const changing: string[] = [];
    for (const name of Object.getOwnPropertyNames(Api.prototype)) {
      const member = Object.getOwnPropertyDescriptor(Api.prototype, name)?.value as unknown;
      if (typeof member !== 'function' || /^_|constructor/.test(name) || WITHOUT_CODE.has(name)) {
        continue;
      }
      const before = wire.seen.length;
      const isGrant = name === 'grant' || name === 'revoke';
      await (member as (...args: unknown[]) => Promise<unknown>)
        .call(
          api,
          ...(isGrant ? ['datasets', '1', '7', 'use'] : name === 'lineage' ? ['datasets', '1'] : ['1', {}])
        )
        .catch(() => null);
      const [call] = wire.seen.slice(before);
      if (call && call.method !== 'GET') {
        changing.push(name);
        expect([name, lineOf(call, names)]).toEqual([name, expect.stringContaining('client.')]);
      }
    }
    expect(changing.length).toBeGreaterThan(15);
  });

  it('keeps the latest first, once', () => {
    const steps = new Steps(names);
    steps.note({ method: 'POST', path: 'models/1/stop' });
    steps.note({ method: 'POST', path: 'datasets/1/fixes/undo' });
    steps.note({ method: 'POST', path: 'models/1/stop' });
    steps.note({ method: 'POST', path: 'datasets/1/rows', body: {} });
    expect(steps.items).toEqual(['client.model("m 1@2").stop()', 'client.dataset("d 1").undo_fix()']);
    steps.clear();
    expect(steps.items).toEqual([]);
  });
});
