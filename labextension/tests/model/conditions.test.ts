// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { nullTranslator } from '@jupyterlab/translation';

import { condition, conditionText, expression, operators, withCondition } from '../../src/model';
import type { Column, ColumnKind, Filter } from '../../src/schema';

const trans = nullTranslator.load('');
const column = (kind: ColumnKind, name = 'c'): Column => ({ name, kind, nullable: true });

describe('conditions', () => {
  it.each<[ColumnKind, Filter['op'], string[], unknown]>([
    ['integer', 'ge', ['30', ''], 30],
    ['decimal', 'between', ['1.5', '2'], [1.5, 2]],
    ['category', 'in', ['a, b ,c', ''], ['a', 'b', 'c']],
    ['boolean', 'eq', ['Yes', ''], true],
    ['date', 'le', ['2024-02-29', ''], '2024-02-29'],
    ['text', 'is_null', ['', ''], null]
  ])('reads a %s that is %s', (kind, op, texts, value) => {
    expect(condition(column(kind), op, texts)).toEqual({ column: 'c', op, value });
  });

  it.each<[ColumnKind, Filter['op'], string[]]>([
    ['integer', 'ge', ['thirty', '']],
    ['integer', 'ge', ['', '']],
    ['decimal', 'between', ['1', '']],
    ['boolean', 'eq', ['perhaps', '']],
    ['category', 'in', ['a,,b', '']]
  ])('waits for what is missing of a %s that is %s', (kind, op, texts) => {
    expect(condition(column(kind), op, texts)).toBeNull();
  });

  it('offers what fits the kind of the column', () => {
    expect(operators('integer')).toContain('between');
    expect(operators('integer')).not.toContain('contains');
    expect(operators('text')).toContain('contains');
    expect(operators('boolean')).not.toContain('ge');
  });

  it('replaces an equal condition on the same column', () => {
    const first: Filter = { column: 'a', op: 'eq', value: 1 };
    const other: Filter = { column: 'a', op: 'ge', value: 0 };
    expect(withCondition([first, other], { column: 'a', op: 'eq', value: 2 })).toEqual([
      other,
      { column: 'a', op: 'eq', value: 2 }
    ]);
  });

  it('says a condition in words', () => {
    expect(conditionText({ column: 'age', op: 'between', value: [3, 5] }, trans)).toBe('age from 3 to 5');
    expect(conditionText({ column: 'age', op: 'is_null', value: null }, trans)).toBe('age is missing');
  });

  it('writes the expression of the Python client', () => {
    expect(
      expression([
        { column: 'age', op: 'ge', value: 30 },
        { column: 'hours-per-week', op: 'between', value: [1, 2] },
        { column: 'in', op: 'eq', value: "it's" },
        { column: 'sex', op: 'in', value: ['Male', 'a\\b'] },
        { column: 'note', op: 'contains', value: 'x' },
        { column: 'ok', op: 'ne', value: true },
        { column: 'day', op: 'not_null', value: null }
      ])
    ).toBe(
      "age >= 30 and 1 <= `hours-per-week` <= 2 and `in` == 'it\\'s' and sex in ['Male', 'a\\\\b'] " +
        "and 'x' in note and ok != True and day is not None"
    );
  });
});
