// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { ModelRead } from '../schema';

/** What the lines do. */
export type SnippetKind =
  'dataset' | 'profile' | 'train' | 'model' | 'results' | 'threshold' | 'insight' | 'code';

/** What the lines are about. */
export interface ISnippet {
  kind: SnippetKind;
  /** Name of the dataset or model; names are unique in a workspace and read better than ids. */
  name: string;
  target?: string | null;
  timeBudget?: number;
  /** Lines as they are. */
  code?: string;
  /** From which probability on it is yes: by one of these. */
  value?: number;
  capacity?: number;
  falseAlarm?: number;
  missed?: number;
  /** The rows that are meant, as an expression of the client. */
  filter?: string;
}

const IMPORT = 'from dapp_ext.client import DAPPClient';
const CLIENT = 'client = DAPPClient()';

/**
 * The Python lines that open a thing in a notebook.
 *
 * @param snippet - What they are about.
 * @param known - Source that runs before them; what it has already is not said again.
 */
export function lines(snippet: ISnippet, known = ''): string {
  const body = bodyOf(snippet);
  const head: string[] = [];
  if (!/^\s*client\s*=\s*DAPPClient\(/m.test(known)) {
    if (!known.includes(IMPORT)) {
      head.push(IMPORT, '');
    }
    head.push(CLIENT);
  }
  return [...head, ...body].join('\n');
}

/**
 * A Python string literal.
 */
export function quoted(text: string): string {
  // JSON's escapes are Python's too; a lone line separator is the one that JSON leaves as it is.
  return JSON.stringify(text).replace(/[\u2028\u2029]/g, each => `\\u${each.charCodeAt(0).toString(16)}`);
}

/**
 * A training notebook that gets its rows by itself: the version of the dataset that the model learned from.
 *
 * @param notebook - As the server writes it: it reads a file beside it, and knows nothing of this platform.
 */
export function withRows(
  notebook: Record<string, unknown>,
  model: Pick<ModelRead, 'dataset' | 'dataset_version'>
): Record<string, unknown> {
  const cells = notebook['cells'] as { cell_type: string }[];
  const first = cells.findIndex(each => each.cell_type === 'code');
  const { dataset, dataset_version: version } = model;
  const source = [
    IMPORT,
    '',
    `DAPPClient().dataset(${quoted(dataset.name)}).export("table.parquet", version=${version})`
  ].join('\n');
  const fetching = {
    cell_type: 'code',
    execution_count: null,
    id: 'rows',
    metadata: {},
    outputs: [],
    source
  };
  return { ...notebook, cells: [...cells.slice(0, first), fetching, ...cells.slice(first)] };
}

function bodyOf(snippet: ISnippet): string[] {
  const name = quoted(snippet.name);
  switch (snippet.kind) {
    case 'dataset':
      return snippet.filter
        ? [`df = client.get_processed_data(${name}, filter=${quoted(snippet.filter)})`, 'df.head()']
        : [`df = client.get_processed_data(${name})`, 'df.head()'];
    case 'profile':
      return [`client.profile(${name})`];
    case 'train': {
      const target = snippet.target ? `, target=${quoted(snippet.target)}` : '';
      const budget = `, time_budget=${snippet.timeBudget ?? 60}`;
      return [`model = client.train_model(${name}${target}${budget})`, 'model.wait()'];
    }
    case 'model':
      return [`predictions = client.predict(${name}, df)`, 'predictions.head()'];
    case 'threshold':
      return [`client.set_threshold(${name}, ${chosen(snippet)})`];
    case 'code':
      return (snippet.code ?? '').split('\n');
    case 'insight':
      return [`client.insight(${name})`];
    case 'results':
      return [`results = client.get_results(${name})`, 'results'];
  }
}

function chosen({ capacity, falseAlarm = 1, missed = 1, value }: ISnippet): string {
  if (value !== undefined) {
    return String(value);
  }
  return capacity === undefined
    ? `cost_false_alarm=${falseAlarm}, cost_missed=${missed}`
    : `capacity=${capacity}`;
}
