// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { Api, ApiError } from '../../src/api';
import { Transport } from '../../src/api/transport';
import { dataset, failure, pair, Wire } from '../server';

function make(): { wire: Wire; api: Api } {
  const wire = new Wire().on('POST auth/jupyter', () => pair('1'));
  return { wire, api: new Api(wire.settings) };
}

describe('Api', () => {
  it('sends its own credential beside the one of Jupyter, below the base URL', async () => {
    const { wire, api } = make();
    wire.on('GET datasets', () => ({ items: [dataset('d1')], next: null, total: 1 }));
    const page = await api.datasets({ search: 'pen', limit: 50, cursor: null });
    expect(page.items[0].name).toBe('table d1');
    const [{ headers, query }] = wire.asked('GET datasets');
    expect(headers.get('X-DAPP-Authorization')).toBe('Bearer access-1');
    expect(headers.get('Authorization')).toBe('token jupyter-token');
    expect([...query.entries()]).toEqual([
      ['search', 'pen'],
      ['limit', '50']
    ]);
  });

  it('takes a name with any characters into the address', async () => {
    const { wire, api } = make();
    wire.on('GET datasets/a%2Fb%20%23c', () => dataset('d1'));
    expect((await api.dataset('a/b #c')).id).toBe('d1');
  });

  it('renews the sign-in once when a call is refused, and gives up when it is refused again', async () => {
    const { wire, api } = make();
    wire.on('POST auth/refresh', () => pair('2'));
    wire.on('GET models/m1', seen =>
      seen.headers.get('X-DAPP-Authorization') === 'Bearer access-2'
        ? { id: 'm1' }
        : failure(401, 'not_signed_in', 'Ended.')
    );
    expect(await api.model('m1')).toEqual({ id: 'm1' });
    wire.on('GET models/m1', () => failure(401, 'not_signed_in', 'Ended.'));
    wire.on('POST auth/refresh', () => pair('3'));
    await expect(api.model('m1')).rejects.toMatchObject({ code: 'not_signed_in' });
    expect(wire.asked('GET models/m1')).toHaveLength(4);
  });

  it('gives the failure of the server as it is', async () => {
    const { wire, api } = make();
    wire.on('POST models', () => failure(422, 'target_unusable', 'This column cannot be predicted.'));
    const error = await api.train({ dataset: 'd1', target: 'x' }).catch((each: ApiError) => each);
    expect(error).toMatchObject({
      code: 'target_unusable',
      message: 'This column cannot be predicted.',
      status: 422,
      requestId: 'r1'
    });
  });

  it('does not mistake a thing that is not there for a server part that is missing', async () => {
    const { wire, api } = make();
    wire.on('GET datasets/d9', () => failure(404, 'dataset_not_found', 'There is no such dataset.'));
    await expect(api.dataset('d9')).rejects.toMatchObject({ code: 'dataset_not_found' });
  });

  it.each([
    [502, 'unreachable'],
    [403, 'not_signed_in'],
    [418, 'bad_answer']
  ])('reads a foreign %i as %s', async (status, code) => {
    const { wire, api } = make();
    wire.on('POST auth/refresh', () => pair('2'));
    wire.on('GET system', () => new Response('<html>', { status }));
    await expect(api.status()).rejects.toMatchObject({ code });
  });

  it('has no content where there is none', async () => {
    const { wire, api } = make();
    wire.on('DELETE datasets/d1', () => undefined);
    await expect(api.deleteDataset('d1')).resolves.toBeUndefined();
  });

  it('calls a dead network unreachable', async () => {
    const { wire, api } = make();
    wire.on('GET system', () => Promise.reject(new TypeError('Failed to fetch')));
    await expect(api.status()).rejects.toMatchObject({ code: 'unreachable', isPassing: true });
  });
});

describe('Transport', () => {
  it('appends the token of Jupyter to the socket only where JupyterLab would', () => {
    const { settings } = new Wire();
    const plain = new Transport(settings);
    expect(plain.socketUrl('events/ws', { after: null })).toBe('ws://lab.test/a%40b/dapp/api/v1/events/ws');
    expect(plain.socketUrl('events/ws', { after: 'e.7' })).toBe(
      'ws://lab.test/a%40b/dapp/api/v1/events/ws?after=e.7'
    );
    const appending = new Transport({ ...settings, appendToken: true });
    expect(appending.socketUrl('events/ws', {})).toMatch(/\?token=jupyter-token$/);
  });
});
