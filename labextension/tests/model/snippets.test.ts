// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { execFileSync } from 'child_process';

import { lines, quoted, withRows } from '../../src/model';

describe('lines', () => {
  it('opens a dataset in a fresh notebook', () => {
    expect(lines({ kind: 'dataset', name: 'penguins' }).split('\n')).toEqual([
      'from dapp_ext.client import DAPPClient',
      '',
      'client = DAPPClient()',
      'df = client.get_processed_data("penguins")',
      'df.head()'
    ]);
  });

  it('does not say again what the notebook has said', () => {
    const known = 'from dapp_ext.client import DAPPClient\nclient = DAPPClient()\n';
    expect(lines({ kind: 'results', name: 'm' }, known)).toBe('results = client.get_results("m")\nresults');
    expect(lines({ kind: 'model', name: 'm' }, 'from dapp_ext.client import DAPPClient')).toMatch(
      /^client = /
    );
  });

  it.each([
    [{ value: 0.35 }, 'client.set_threshold("m", 0.35)'],
    [{ capacity: 0.1 }, 'client.set_threshold("m", capacity=0.1)'],
    [{ falseAlarm: 1, missed: 7.5 }, 'client.set_threshold("m", cost_false_alarm=1, cost_missed=7.5)']
  ])('decides as it was chosen: %j', (by, line) => {
    expect(lines({ kind: 'threshold', name: 'm', ...by }, 'client = DAPPClient()')).toBe(line);
  });

  it('trains with what was chosen', () => {
    const text = lines(
      { kind: 'train', name: 'd', target: 'income', timeBudget: 300 },
      'client = DAPPClient()'
    );
    expect(text).toBe('model = client.train_model("d", target="income", time_budget=300)\nmodel.wait()');
  });
});

describe('quoted', () => {
  it.each(['plain', 'a "b" \'c\'', 'back\\slash', 'line\nbreak', 'ünïcode 🐧', '\u2028', '"; import os; "'])(
    'is a literal that Python reads as the same text: %j',
    text => {
      const script = 'import ast, sys; sys.stdout.buffer.write(ast.literal_eval(sys.argv[1]).encode())';
      expect(execFileSync(process.env.PYTHON ?? 'python3', ['-c', script, quoted(text)]).toString()).toBe(
        text
      );
    }
  );
});

describe('withRows', () => {
  it('gets the version that the model learned from before anything reads it', () => {
    const notebook = { cells: [{ cell_type: 'markdown' }, { cell_type: 'code' }], nbformat: 4 };
    const made = withRows(notebook, { dataset: { id: '1', name: 'my "first" file' }, dataset_version: 3 });
    const cells = made['cells'] as { cell_type: string; source?: string }[];
    expect(cells.map(each => each.cell_type)).toEqual(['markdown', 'code', 'code']);
    expect(cells[1].source?.split('\n')[2]).toBe(
      'DAPPClient().dataset("my \\"first\\" file").export("table.parquet", version=3)'
    );
    expect(notebook.cells).toHaveLength(2);
  });
});
