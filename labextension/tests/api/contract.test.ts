// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { Api } from '../../src/api';
import { failure, pair, Wire } from '../server';

/** Each call that is new beside the basic ones, and what it must ask of the server. */
const CALLS: [string, (api: Api) => Promise<unknown>, string, unknown][] = [
  ['extend', api => api.extendTraining('m 1', 60), 'POST models/m%201/extend', { seconds: 60 }],
  ['skip', api => api.skipFamily('m1', 'forest'), 'POST models/m1/skip', { family: 'forest' }],
  ['versions', api => api.modelVersions('m1'), 'GET models/m1/versions', undefined],
  ['promote', api => api.promoteModel('m1', 'better'), 'POST models/m1/promote', { reason: 'better' }],
  ['decisions', api => api.policies('m1'), 'GET models/m1/threshold', undefined],
  [
    'decide',
    api => api.setThreshold('m1', { by: 'value', value: 0.4 }),
    'POST models/m1/threshold',
    { by: 'value', value: 0.4 }
  ],
  ['notebook', api => api.trainingNotebook('m1'), 'GET models/m1/export', undefined],
  ['insights', api => api.insights(), 'GET insights', undefined],
  ['table', api => api.insightTable('i/1'), 'GET insights/i%2F1/table', undefined],
  ['take back', api => api.deleteInsight('i1'), 'DELETE insights/i1', undefined],
  ['dataset versions', api => api.datasetVersions('d1'), 'GET datasets/d1/versions', undefined],
  ['restore', api => api.restoreDataset('d1', 2), 'POST datasets/d1/restore', { version: 2 }],
  ['fix', api => api.fixDataset('d1', { code: 'clip' }), 'POST datasets/d1/fixes', { code: 'clip' }],
  ['undo a fix', api => api.undoFix('d1'), 'POST datasets/d1/fixes/undo', {}],
  ['lineage', api => api.lineage('models', 'm1'), 'GET models/m1/lineage', undefined],
  ['advice', api => api.advise({ dataset: 'd1' }), 'POST models/advice', { dataset: 'd1' }],
  ['predict', api => api.predict('m1', { rows: [{}] }), 'POST models/m1/predict', { rows: [{}] }],
  ['the bell', api => api.notifications({ limit: 9 }), 'GET notifications', undefined],
  ['read', api => api.markRead('e1'), 'POST notifications/read', { id: 'e1' }],
  ['all read', api => api.markRead(null), 'POST notifications/read', { id: null }],
  ['people', api => api.people(), 'GET people', undefined],
  ['grant', api => api.grant('models', 'm1', 'p1', 'use'), 'PUT models/m1/grants/p1', { level: 'use' }],
  ['revoke', api => api.revoke('datasets', 'd1', 'p1'), 'DELETE datasets/d1/grants/p1', undefined]
];

describe('Api', () => {
  it.each(CALLS)('asks to %s', async (_, call, route, body) => {
    const wire = new Wire();
    wire.on('POST auth/jupyter', () => pair('1'));
    wire.on(route, () => ({ items: [] }));
    await call(new Api(wire.settings));
    expect(wire.asked(route)).toHaveLength(1);
    expect(wire.asked(route)[0].body).toEqual(body);
  });

  it('renews the sign-in once for a picture too', async () => {
    const wire = new Wire();
    wire.on('POST auth/jupyter', () => pair('1'));
    wire.on('POST auth/refresh', () => pair('2'));
    let refusals = 0;
    wire.on('GET insights/i1/picture', () =>
      refusals++ === 0 ? failure(401, 'not_signed_in', 'Ended.') : new Response('png')
    );
    const picture = await new Api(wire.settings).insightPicture('i1');
    expect(picture.size).toBe(3);
    expect(wire.asked('GET insights/i1/picture')).toHaveLength(2);
  });
});
