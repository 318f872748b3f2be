// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { TranslationBundle } from '@jupyterlab/translation';

import type { Column, ColumnKind, Filter, FilterOperator } from '../schema';

const NUMERIC: ReadonlySet<ColumnKind> = new Set<ColumnKind>(['integer', 'decimal', 'duration']);
const DATED: ReadonlySet<ColumnKind> = new Set<ColumnKind>(['date', 'datetime', 'time']);
const EMPTY: readonly FilterOperator[] = ['is_null', 'not_null'];

/** What can be asked of a column, the most usual first. */
export function operators(kind: ColumnKind): readonly FilterOperator[] {
  if (NUMERIC.has(kind) || DATED.has(kind)) {
    return ['ge', 'le', 'gt', 'lt', 'eq', 'ne', 'between', ...EMPTY];
  }
  return kind === 'boolean' ? ['eq', 'ne', ...EMPTY] : ['eq', 'contains', 'ne', 'in', ...EMPTY];
}

/** Whether there is something to compare with. */
export function takesValue(op: FilterOperator): boolean {
  return !EMPTY.includes(op);
}

/**
 * A condition out of what was typed.
 *
 * @returns Null while it is not complete, or a number is not one.
 */
export function condition(column: Column, op: FilterOperator, texts: readonly string[]): Filter | null {
  if (!takesValue(op)) {
    return { column: column.name, op, value: null };
  }
  const typed = op === 'in' ? (texts[0] ?? '').split(',') : texts.slice(0, op === 'between' ? 2 : 1);
  const values = typed.map(text => valueOf(column.kind, text.trim()));
  if (values.length === 0 || values.includes(null) || (op === 'between' && values.length < 2)) {
    return null;
  }
  return { column: column.name, op, value: op === 'in' || op === 'between' ? values : values[0] };
}

/** The same conditions with one more, in the place of an equal one on the same column. */
export function withCondition(filters: readonly Filter[], added: Filter): Filter[] {
  const isSame = (each: Filter): boolean => each.column === added.column && each.op === added.op;
  return [...filters.filter(each => !isSame(each)), added];
}

/** A condition in words. */
export function conditionText(filter: Filter, trans: TranslationBundle): string {
  const { column, op, value } = filter;
  const [first, second] = Array.isArray(value) ? value.map(String) : [String(value), ''];
  const texts: Record<FilterOperator, string> = {
    eq: trans.__('%1 is %2', column, first),
    ne: trans.__('%1 is not %2', column, first),
    lt: trans.__('%1 < %2', column, first),
    le: trans.__('%1 ≤ %2', column, first),
    gt: trans.__('%1 > %2', column, first),
    ge: trans.__('%1 ≥ %2', column, first),
    in: trans.__('%1 is one of %2', column, Array.isArray(value) ? value.join(', ') : first),
    between: trans.__('%1 from %2 to %3', column, first, second),
    contains: trans.__('%1 contains %2', column, first),
    is_null: trans.__('%1 is missing', column),
    not_null: trans.__('%1 is there', column)
  };
  return texts[op];
}

export function operatorName(op: FilterOperator, trans: TranslationBundle): string {
  const names: Record<FilterOperator, string> = {
    eq: trans.__('is'),
    ne: trans.__('is not'),
    lt: trans.__('less than'),
    le: trans.__('at most'),
    gt: trans.__('more than'),
    ge: trans.__('at least'),
    in: trans.__('is one of'),
    between: trans.__('between'),
    contains: trans.__('contains'),
    is_null: trans.__('is missing'),
    not_null: trans.__('is there')
  };
  return names[op];
}

/** The conditions in the words of the Python client: `age > 30 and sex == "Male"`. */
export function expression(filters: readonly Filter[]): string {
  return filters.map(one).join(' and ');
}

function one({ column, op, value }: Filter): string {
  const name = /^[A-Za-z_]\w*$/.test(column) && !RESERVED.has(column) ? column : `\`${column}\``;
  const signs: Partial<Record<FilterOperator, string>> = {
    eq: '==',
    ne: '!=',
    lt: '<',
    le: '<=',
    gt: '>',
    ge: '>='
  };
  switch (op) {
    case 'is_null':
      return `${name} is None`;
    case 'not_null':
      return `${name} is not None`;
    case 'contains':
      return `${literal(value)} in ${name}`;
    case 'in':
      return `${name} in [${(value as unknown[]).map(literal).join(', ')}]`;
    case 'between': {
      const [low, high] = value as unknown[];
      return `${literal(low)} <= ${name} <= ${literal(high)}`;
    }
    default:
      return `${name} ${signs[op]} ${literal(value)}`;
  }
}

/** Words of the expression's own, which a column of that name has to be told apart from. */
const RESERVED = new Set('and or not in is None True False if else for lambda'.split(' '));

function literal(value: unknown): string {
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  // The expression stands in a Python string with double quotes, so its own are single.
  return typeof value === 'number'
    ? String(value)
    : `'${String(value).replace(/\\/g, '\\\\').replace(/'/g, "\\'").replace(/\n/g, '\\n')}'`;
}

function valueOf(kind: ColumnKind, text: string): unknown {
  if (text === '') {
    return null;
  }
  if (NUMERIC.has(kind)) {
    const number = Number(text);
    return Number.isFinite(number) ? number : null;
  }
  if (kind === 'boolean') {
    return /^(true|yes|1)$/i.test(text) ? true : /^(false|no|0)$/i.test(text) ? false : null;
  }
  return text;
}
