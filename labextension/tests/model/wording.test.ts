// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { nullTranslator } from '@jupyterlab/translation';

import { ApiError } from '../../src/api';
import { wording } from '../../src/model';
import { event } from '../server';

const trans = nullTranslator.load('jupyter_dapp');
const ada = { id: 'a1', name: 'Ada' };

describe('wording', () => {
  it('says yes and no for columns of that kind only, and leaves the words of texts', () => {
    const trans = nullTranslator.load('jupyterlab');
    expect([true, 'False', 'maybe'].map(each => wording.answer(each, 'boolean', trans))).toEqual([
      'Yes',
      'No',
      'maybe'
    ]);
    expect(wording.answer('True', 'category', trans)).toBe('True');
    expect(wording.answers('Of 9 called “True”, 8 are.', 'boolean', trans)).toBe('Of 9 called “Yes”, 8 are.');
    expect(wording.answers('Of 9 called “True”, 8 are.', 'category', trans)).toBe(
      'Of 9 called “True”, 8 are.'
    );
  });

  it('names a column with what its numbers are counted in', () => {
    expect(wording.columnLabel('price', '€')).toBe('price (€)');
    expect(wording.columnLabel('price', null)).toBe('price');
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 KB'],
    [3_974_305, '4.0 MB'],
    [25_000_000_000, '25 GB']
  ])('says %i bytes as %s', (value, text) => expect(wording.bytes(value)).toBe(text));

  it.each([
    [0.93421, '0.934'],
    [0, '0'],
    [-2.2e-16, '0'],
    [-0.0003, '0.000'],
    [12.3456, '12.35'],
    [345.678, '345.7'],
    [12_345.6, '12,346'],
    [0.00001234, '1.23e-5'],
    [NaN, '–']
  ])('shows the figure %d as %s', (value, text) => expect(wording.figure(value)).toBe(text));

  it.each([
    [0.5, 0.987, '0.500'],
    [1, 0.987, '1.000'],
    [12, 12.34, '12.00'],
    [0, 0, '0'],
    [51_514_698, 51_514_698, '51.51 million'],
    [661_024_866, 51_514_698, '661.02 million'],
    [2_345_493_915_673, 2_345_493_915_673, '2.35 trillion'],
    [2e-7, 3e-6, '2.00e-7']
  ])('shows the figure %d beside %d as %s', (value, beside, text) =>
    expect(wording.figure(value, beside)).toBe(text)
  );

  it.each([
    [[0.7, 'a', null, -12.5, 0.04], 0.7],
    [[3, 5, null], undefined],
    [[1.5, 2e9, 3e9], 99_999]
  ])('finds what is typical of %j', (values, size) => expect(wording.typical(values)).toBe(size));

  it.each([
    [42.4, '42 s'],
    [300, '5 min'],
    [185, '3:05 min'],
    [3600, '1 h'],
    [5430, '1:30 h']
  ])('says %d seconds as %s', (seconds, text) => expect(wording.duration(seconds, trans)).toBe(text));

  it('lets a time grow old', () => {
    const at = '2026-01-02T03:00:00Z';
    const later = (minutes: number): string => wording.ago(at, trans, Date.parse(at) + minutes * 60_000);
    expect([later(0.5), later(5), later(125)]).toEqual(['now', '5 min', '2 h']);
    expect(later(3000)).toMatch(/2/);
  });

  it.each([
    ['dataset.uploaded', { name: 'penguins' }, 'Ada uploaded penguins'],
    [
      'dataset.ready',
      { name: 'penguins', rows: 1344, columns: 7 },
      'penguins is ready: 1,344 rows × 7 columns'
    ],
    ['dataset.failed', { name: 'penguins' }, 'penguins could not be read'],
    ['model.training', { name: 'm', dataset: { name: 'd' } }, 'Ada started to train m on d'],
    ['model.trained', { name: 'm' }, 'm is trained'],
    ['prediction.ready', { model: { name: 'm' }, dataset: { name: 'd' } }, 'm has scored d'],
    ['system.announcement', { message: 'Back at noon.' }, 'Back at noon.'],
    ['user.created', { name: 'Eve' }, 'Ada added Eve']
  ])('tells %s', (type, data, text) => {
    expect(wording.eventText({ ...event('e.1', type, 'x', 'y', data), actor: ada }, trans)).toBe(text);
  });

  it('has words of its own for what the server cannot say, and the words of the server for the rest', () => {
    expect(wording.failureText(new ApiError('server_missing', 'raw'), trans)).toContain(
      'jupyter server extension enable'
    );
    expect(wording.failureText(new ApiError('name_taken', 'That name is taken.'), trans)).toBe(
      'That name is taken.'
    );
  });
});
