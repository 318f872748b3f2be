// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { ApiError } from '../../src/api';
import { CaseView } from '../../src/model';
import type { Column, PredictRead, PredictRequest, Results, RowsRead, RowsRequest } from '../../src/schema';

const LABEL = 'Probability of male';
const column = (name: string, kind: Column['kind']): Column => ({ name, kind }) as Column;
const results = {
  model: { id: 'm1', name: 'm' },
  dataset: { id: 'd1', name: 'd' },
  dataset_version: 2,
  target: 'sex',
  task: 'binary',
  features: [column('island', 'category'), column('mass', 'integer')],
  importances: [{ column: 'mass', value: 0.3, std: 0.01 }]
} as unknown as Results;

/** A table of three rows and a model that explains itself. */
class Scene {
  asked: RowsRequest[] = [];
  sent: PredictRequest[] = [];
  rowsFailure: ApiError | null = null;
  predictFailure: ApiError | null = null;
  readonly view = new CaseView(
    {
      rows: async (_: string, request: RowsRequest): Promise<RowsRead> => {
        this.asked.push(request);
        if (this.rowsFailure) {
          throw this.rowsFailure;
        }
        const rows = [
          ['Dream', 4000, 'male'],
          ['Biscoe', null, 'female'],
          ['Dream', 3000, 'female']
        ];
        const at = request.offset ?? 0;
        const columns = [column('island', 'category'), column('mass', 'integer'), column('sex', 'category')];
        return { version: 2, columns, rows: rows.slice(at, at + 1), offset: at, total: 3 };
      },
      predict: async (_: string, request: PredictRequest): Promise<PredictRead> => {
        this.sent.push(request);
        if (this.predictFailure && request.explain) {
          throw this.predictFailure;
        }
        const reasons = {
          base: 0.5,
          output: 0.9,
          label: LABEL,
          method: '',
          reasons: [
            { column: 'island', value: 'Dream', effect: -0.3 },
            { column: 'mass', value: 1, effect: 0.1 }
          ]
        };
        const prediction = { prediction: 'male', probabilities: { male: 0.9 } };
        const predictions = [{ ...prediction, reasons: request.explain ? reasons : null }];
        return { predictions, notes: [] } as unknown as PredictRead;
      }
    },
    results
  );
}

const tick = (milliseconds: number): Promise<void> => jest.advanceTimersByTimeAsync(milliseconds);

describe('CaseView', () => {
  let scene: Scene;
  beforeEach(() => {
    jest.useFakeTimers();
    scene = new Scene();
  });
  afterEach(() => {
    scene.view.dispose();
    jest.useRealTimers();
  });

  it('asks for one row of the version that was learned from, and why', async () => {
    await scene.view.take(1);
    expect(scene.asked[0]).toMatchObject({ offset: 1, limit: 1, version: 2 });
    const rows = [{ island: 'Biscoe', mass: null }];
    expect(scene.sent).toEqual([{ rows }, { rows, explain: true }]);
    expect(scene.view).toMatchObject({ row: 1, total: 3, actual: 'female', failure: null });
    expect(scene.view.lines.map(each => [each.column.name, each.effect])).toEqual([
      ['island', -0.3],
      ['mass', 0.1]
    ]);
  });

  it('asks again when values change, with the lines where they were', async () => {
    await scene.view.take(0);
    scene.view.set('mass', '500');
    scene.view.set('mass', '5000');
    await tick(400);
    expect(scene.sent.slice(2)).toEqual([{ rows: [{ island: 'Dream', mass: 5000 }], explain: true }]);
    expect(scene.view.isChanged).toBe(true);
    scene.view.restore();
    await tick(400);
    expect(scene.view.isChanged).toBe(false);
    expect(scene.sent[3].rows).toEqual([{ island: 'Dream', mass: 4000 }]);
  });

  it('does not ask with something that is no number', async () => {
    await scene.view.take(0);
    scene.view.set('mass', 'heavy');
    await tick(400);
    expect(scene.sent).toHaveLength(2);
    expect(scene.view.lines.find(each => each.column.name === 'mass')?.isWrong).toBe(true);
  });

  it('begins empty where the rows are gone', async () => {
    scene.rowsFailure = new ApiError('dataset_not_found', 'There is no such dataset.', 404);
    await scene.view.take(0);
    expect(scene.sent[0].rows).toEqual([{ island: null, mass: null }]);
    expect(scene.view.failure).toBeNull();
  });

  it('answers without reasons where the model is older than they are', async () => {
    scene.predictFailure = new ApiError('not_ready', 'It keeps no typical rows.', 409);
    await scene.view.take(0);
    expect(scene.sent.map(each => each.explain)).toEqual([undefined, true, undefined]);
    expect(scene.view.answer?.predictions[0].reasons).toBeNull();
  });

  it('shows only the last row that was asked for', async () => {
    const first = scene.view.take(0);
    await scene.view.take(2);
    await first;
    expect(scene.view.row).toBe(2);
    expect(scene.sent).toHaveLength(2);
  });
});
