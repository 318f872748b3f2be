// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { TranslationBundle } from '@jupyterlab/translation';

import type { ApiError, FailureCode } from '../api';
import type {
  ColumnKind,
  DatasetEvent,
  DatasetRead,
  Event,
  Family,
  InsightEvent,
  JobKind,
  JobRead,
  ModelEvent,
  PredictionEvent,
  Role,
  SystemEvent,
  Task,
  UserEvent
} from '../schema';

const NUMBERS = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });

/** A count with the separators of the reader's language. */
export function count(value: number): string {
  return NUMBERS.format(value);
}

/**
 * A figure with about four significant digits, as tables and cards show it.
 *
 * With another figure that it stands beside, both are even: the same decimals, and millions in words.
 */
export function figure(value: number, beside?: number): string {
  if (!Number.isFinite(value)) {
    return '–';
  }
  if (beside !== undefined && (beside || value) && Number.isFinite(beside)) {
    return even(value, Math.abs(beside || value));
  }
  const size = Math.abs(value);
  // Far below what any table here can tell apart from nothing: what is left of rounding.
  if (size < 1e-12) {
    return '0';
  }
  if (size < 1e-4 || size >= 1e12) {
    return even(value, size);
  }
  const digits = decimals(size);
  return new Intl.NumberFormat(undefined, {
    maximumFractionDigits: digits,
    minimumFractionDigits: digits > 2 ? 3 : 0
  }).format(Number(value.toFixed(digits)) || 0);
}

/** The size that tells how many decimals a column of values needs; nothing where they are whole, or no numbers. */
export function typical(values: readonly unknown[]): number | undefined {
  const numbers = values.filter((each): each is number => typeof each === 'number' && Number.isFinite(each));
  const sizes = numbers.filter(Boolean).map(Math.abs);
  if (numbers.every(Number.isInteger) || sizes.length === 0) {
    return undefined;
  }
  sizes.sort((a, b) => a - b);
  // Rows of data are shown with all their digits before the point.
  return Math.min(sizes[Math.floor(sizes.length / 2)], 99_999);
}

function decimals(size: number): number {
  return size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 3;
}

function even(value: number, size: number): string {
  if (size < 1e-4 || size >= 1e15) {
    return Math.abs(value) < 1e-12 ? '0' : value.toExponential(2);
  }
  const isWorded = size >= 1e6;
  const digits = isWorded ? 2 : decimals(size);
  return new Intl.NumberFormat(undefined, {
    notation: isWorded ? 'compact' : 'standard',
    compactDisplay: 'long',
    minimumFractionDigits: digits,
    maximumFractionDigits: digits
  }).format(Number(value.toFixed(digits)) || 0);
}

/** A share as a percentage; what is not quite none or all is told as such. */
export function percent(share: number): string {
  const value = share * 100;
  if (value > 0 && value < 0.1) {
    return '< 0.1 %';
  }
  if (value < 100 && value > 99.9) {
    return '> 99.9 %';
  }
  return `${value.toFixed(value > 0 && value < 10 ? 1 : 0)} %`;
}

/** A number of bytes for people. */
export function bytes(value: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  const step = Math.min(units.length - 1, value > 0 ? Math.floor(Math.log10(value) / 3) : 0);
  const amount = value / 1000 ** step;
  return `${amount.toFixed(step > 0 && amount < 10 ? 1 : 0)} ${units[step]}`;
}

/** How long ago, in one short word; full minutes up to a day, then the date. */
export function ago(at: string, trans: TranslationBundle, now = Date.now()): string {
  const seconds = (now - Date.parse(at)) / 1000;
  if (seconds < 60) {
    return trans.__('now');
  }
  if (seconds < 3600) {
    return trans.__('%1 min', Math.floor(seconds / 60));
  }
  if (seconds < 86_400) {
    return trans.__('%1 h', Math.floor(seconds / 3600));
  }
  return new Date(at).toLocaleDateString(undefined, { day: 'numeric', month: 'short' });
}

/** A stretch of time: 42 s, 3:05 min. */
export function duration(seconds: number, trans: TranslationBundle): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) {
    return trans.__('%1 s', whole);
  }
  if (whole < 3600) {
    return trans.__('%1 min', parted(Math.floor(whole / 60), whole % 60));
  }
  return trans.__('%1 h', parted(Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)));
}

/** Whole units, and sixtieths where there are any. */
function parted(whole: number, sixtieths: number): string {
  return sixtieths ? `${whole}:${String(sixtieths).padStart(2, '0')}` : String(whole);
}

/** Rows and columns, or where the dataset stands. */
export function shape(dataset: DatasetRead, trans: TranslationBundle): string {
  if (dataset.status === 'processing') {
    return trans.__('Reading…');
  }
  if (dataset.status === 'failed') {
    return trans.__('Could not be read');
  }
  return trans.__('%1 rows × %2 columns', count(dataset.rows ?? 0), count(dataset.column_count ?? 0));
}

export function roleName(role: Role, trans: TranslationBundle): string {
  const names: Record<Role, string> = {
    admin: trans.__('Admin'),
    analyst: trans.__('Analyst'),
    viewer: trans.__('Viewer')
  };
  return names[role] ?? role;
}

export function taskName(task: Task, trans: TranslationBundle): string {
  const names: Record<Task, string> = {
    binary: trans.__('Yes or no'),
    multiclass: trans.__('One of several classes'),
    regression: trans.__('A number')
  };
  return names[task] ?? task;
}

export function familyName(family: string, trans: TranslationBundle): string {
  const names: Record<Family, string> = {
    linear: trans.__('Linear model'),
    lightgbm: trans.__('Boosted trees'),
    forest: trans.__('Random forest'),
    neighbours: trans.__('Nearest rows'),
    neural: trans.__('Neural network')
  };
  return names[family as Family] ?? family;
}

/** A column’s name, or kind, with what its numbers are counted in. */
export function columnLabel(column: string, unit: string | null | undefined): string {
  return unit ? `${column} (${unit})` : column;
}

/** The name of a value for people: a column of kind boolean is yes and no, whatever its file said; texts keep their words. */
export function answer(
  value: unknown,
  kind: ColumnKind | null | undefined,
  trans: TranslationBundle
): string {
  const text = String(value);
  if (kind === 'boolean' && /^true$/i.test(text)) {
    return trans.__('Yes');
  }
  return kind === 'boolean' && /^false$/i.test(text) ? trans.__('No') : text;
}

/** A sentence of the server, with the names of its answers as they are shown. */
export function answers(said: string, kind: ColumnKind | null | undefined, trans: TranslationBundle): string {
  return said.replace(/“(True|False)”/g, (_, name: string) => `“${answer(name, kind, trans)}”`);
}

/** The kind of a column, for people. */
export function kindName(kind: ColumnKind, trans: TranslationBundle): string {
  const names: Record<ColumnKind, string> = {
    integer: trans.__('whole number'),
    decimal: trans.__('number'),
    boolean: trans.__('yes/no'),
    category: trans.__('category'),
    text: trans.__('text'),
    date: trans.__('date'),
    datetime: trans.__('date and time'),
    time: trans.__('time'),
    duration: trans.__('duration')
  };
  return names[kind] ?? kind;
}

/** What a job does, as a heading. */
export function jobTitle(kind: JobKind, name: string, trans: TranslationBundle): string {
  switch (kind) {
    case 'ingest':
      return trans.__('Reading %1', name);
    case 'train':
      return trans.__('Training %1', name);
    case 'predict':
      return trans.__('Scoring with %1', name);
    default:
      return name;
  }
}

/** Where a job stands. */
export function jobState(job: JobRead, trans: TranslationBundle): string {
  switch (job.status) {
    case 'queued':
      return trans.__('Waiting for a worker');
    case 'running':
      return job.message || trans.__('Running');
    case 'succeeded':
      return trans.__('Done');
    case 'cancelled':
      return trans.__('Cancelled');
    default:
      return job.error ?? trans.__('Failed');
  }
}

/** What happened and what to do, in the reader's language where the words are ours. */
export function failureText(failure: ApiError, trans: TranslationBundle): string {
  const own: Partial<Record<FailureCode, string>> = {
    server_missing: trans.__(
      'The server part of DAPP does not answer. Enable it with “jupyter server extension enable dapp_ext” and restart JupyterLab.'
    ),
    unreachable: trans.__('The server does not answer. It is tried again by itself.')
  };
  return own[failure.code] ?? failure.message;
}

/** One event as a sentence. */
export function eventText(event: Event, trans: TranslationBundle): string {
  const who = event.actor?.name || trans.__('Someone');
  const [kind] = event.type.split('.');
  switch (kind) {
    case 'dataset':
      return datasetText(event, who, trans);
    case 'model':
      return modelText(event, who, trans);
    case 'prediction':
      return predictionText(event, trans);
    case 'insight':
      return insightText(event, who, trans);
    case 'monitor':
      return trans.__('The predictions of %1 are not what they were', named(event));
    case 'user':
      return userText(event, who, trans);
    default:
      return (event.data as unknown as SystemEvent).message ?? event.type;
  }
}

function datasetText(event: Event, who: string, trans: TranslationBundle): string {
  const data = event.data as unknown as DatasetEvent;
  switch (event.type) {
    case 'dataset.uploaded':
      return trans.__('%1 uploaded %2', who, data.name);
    case 'dataset.ready':
      return data.rows === null || data.rows === undefined
        ? trans.__('%1 is ready', data.name)
        : trans.__(
            '%1 is ready: %2 rows × %3 columns',
            data.name,
            count(data.rows),
            count(data.columns ?? 0)
          );
    case 'dataset.failed':
      return trans.__('%1 could not be read', data.name);
    case 'dataset.deleted':
      return trans.__('%1 deleted %2', who, data.name);
    default:
      return trans.__('%1 changed %2', who, data.name);
  }
}

function modelText(event: Event, who: string, trans: TranslationBundle): string {
  const data = event.data as unknown as ModelEvent;
  switch (event.type) {
    case 'model.training':
      return data.dataset
        ? trans.__('%1 started to train %2 on %3', who, data.name, data.dataset.name)
        : trans.__('%1 started to train %2', who, data.name);
    case 'model.trained':
      return trans.__('%1 is trained', data.name);
    case 'model.failed':
      return trans.__('%1 could not be trained', data.name);
    case 'model.cancelled':
      return trans.__('The training of %1 was cancelled', data.name);
    case 'model.promoted':
      return trans.__('%1 made %2 the champion', who, data.name);
    case 'model.deleted':
      return trans.__('%1 deleted %2', who, data.name);
    default:
      return trans.__('%1 changed %2', who, data.name);
  }
}

function predictionText(event: Event, trans: TranslationBundle): string {
  const data = event.data as unknown as PredictionEvent;
  return event.type === 'prediction.ready'
    ? trans.__('%1 has scored %2', data.model.name, data.dataset?.name ?? '')
    : trans.__('%1 could not score a dataset', data.model.name);
}

function insightText(event: Event, who: string, trans: TranslationBundle): string {
  const data = event.data as unknown as InsightEvent;
  const about = data.dataset?.name ?? data.model?.name;
  if (event.type === 'insight.deleted') {
    return trans.__('%1 took an insight back', who);
  }
  return about
    ? trans.__('%1 published an insight about %2', who, about)
    : trans.__('%1 published an insight', who);
}

/** The name in an event, whatever it is about. */
function named(event: Event): string {
  const data = event.data as { name?: string; model?: { name: string } };
  return data.name ?? data.model?.name ?? '';
}

function userText(event: Event, who: string, trans: TranslationBundle): string {
  const data = event.data as unknown as UserEvent;
  if (event.type !== 'user.created') {
    return trans.__('The account of %1 was changed', data.name);
  }
  return event.actor ? trans.__('%1 added %2', who, data.name) : trans.__('%1 has an account now', data.name);
}
