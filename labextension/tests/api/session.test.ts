// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { ApiError } from '../../src/api';
import { Session } from '../../src/api/session';
import { Transport } from '../../src/api/transport';
import { account, failure, pair, Wire } from '../server';

function make(): { wire: Wire; session: Session; states: string[] } {
  const wire = new Wire();
  const session = new Session(new Transport(wire.settings));
  const states: string[] = [];
  session.changed.connect((_, state) => states.push(state));
  return { wire, session, states };
}

describe('Session', () => {
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'], now: 0 }));
  afterEach(() => jest.useRealTimers());

  it('signs in through Jupyter once, however many calls wait for it', async () => {
    const { wire, session, states } = make();
    wire.on('POST auth/jupyter', () => pair('1'));
    const tokens = await Promise.all([session.token(), session.token(), session.token()]);
    expect(tokens).toEqual(['access-1', 'access-1', 'access-1']);
    expect(wire.asked('POST auth/jupyter')).toHaveLength(1);
    expect(states).toEqual(['signed-in']);
    expect(session.account?.name).toBe('Ada');
  });

  it('renews shortly before the end, with the newest refresh token, and says nothing of it', async () => {
    const { wire, session, states } = make();
    wire.on('POST auth/jupyter', () => pair('1'));
    let number = 1;
    wire.on('POST auth/refresh', () => pair(String(++number)));
    await session.token();
    jest.setSystemTime(569_000);
    expect(await session.token()).toBe('access-1');
    jest.setSystemTime(571_000);
    expect(await session.token()).toBe('access-2');
    jest.setSystemTime(1_200_000);
    expect(await session.token()).toBe('access-3');
    expect(wire.asked('POST auth/refresh').map(each => each.body)).toEqual([
      { refresh_token: 'refresh-1' },
      { refresh_token: 'refresh-2' }
    ]);
    expect(states).toEqual(['signed-in']);
  });

  it('goes back to Jupyter when the session behind the refresh token has ended', async () => {
    const { wire, session } = make();
    wire.on('POST auth/jupyter', () => pair('1'));
    wire.on('POST auth/refresh', () => failure(401, 'not_signed_in', 'Ended.'));
    await session.token();
    wire.on('POST auth/jupyter', () => pair('again'));
    expect(await session.renewed('access-1')).toBe('access-again');
  });

  it('goes on after a reload with the sign-in that the browser keeps, and renews it there', async () => {
    const { wire, session, states } = make();
    let number = 0;
    wire.on('POST auth/resume', () => pair(String(++number), { refresh_token: '' }));
    expect(await session.token()).toBe('access-1');
    expect(await session.renewed('access-1')).toBe('access-2');
    expect(wire.asked('POST auth/jupyter')).toHaveLength(0);
    expect(wire.asked('POST auth/refresh')).toHaveLength(0);
    expect(states).toEqual(['signed-in']);
  });

  it('has the browser keep a sign-in with a password, and take it away again', async () => {
    const { wire, session } = make();
    wire.on('POST auth/login', () => pair('1'));
    wire.on('POST auth/resume', () => pair('2', { refresh_token: '' }));
    wire.on('POST auth/logout', () => undefined).on('DELETE auth/resume', () => undefined);
    await session.signIn('ada@example.org', 'words');
    expect(wire.asked('POST auth/resume')[0].body).toEqual({ refresh_token: 'refresh-1' });
    expect(await session.token()).toBe('access-2');
    await session.signOut();
    expect(wire.asked('POST auth/logout')[0].headers.get('X-DAPP-Authorization')).toBe('Bearer access-2');
    expect(wire.asked('DELETE auth/resume')).toHaveLength(1);
  });

  it('is signed out too when another tab has signed out', async () => {
    const { wire, session, states } = make();
    wire.on('POST auth/resume', () => pair('1', { refresh_token: '' }));
    await session.token();
    wire.on('POST auth/resume', () => undefined);
    await expect(session.renewed('access-1')).rejects.toMatchObject({ code: 'not_signed_in' });
    expect(wire.asked('POST auth/jupyter')).toHaveLength(0);
    expect(states).toEqual(['signed-in', 'signed-out']);
  });

  it.each([
    ['has ended', () => failure(401, 'not_signed_in', 'Ended.'), 'signed-out', 'Ended.'],
    ['cannot be asked for', () => new Response('', { status: 502 }), 'unreachable', '']
  ])('does not take Jupyter’s account when the kept sign-in %s', async (_, answer, state, refusal) => {
    const { wire, session } = make();
    wire.on('POST auth/resume', answer).on('POST auth/jupyter', () => pair('owner'));
    await expect(session.token()).rejects.toBeInstanceOf(ApiError);
    expect(session.state).toBe(state);
    expect(session.refusal).toBe(refusal);
    expect(wire.asked('POST auth/jupyter')).toHaveLength(0);
  });

  it('takes Jupyter’s account where the server keeps no sign-ins', async () => {
    const { wire, session } = make();
    wire.on('POST auth/resume', () => failure(403, 'denied', 'The request comes from another site.'));
    wire.on('POST auth/jupyter', () => pair('1'));
    expect(await session.token()).toBe('access-1');
  });

  it('never turns someone with a password into the account of Jupyter', async () => {
    const { wire, session, states } = make();
    wire.on('POST auth/login', () => pair('1'));
    wire.on('POST auth/resume', () => failure(403, 'denied', 'No cookies here.'));
    wire.on('POST auth/refresh', () => failure(401, 'not_signed_in', 'Ended.'));
    wire.on('POST auth/jupyter', () => pair('owner', { account: account({ id: 'owner', role: 'admin' }) }));
    await session.signIn('ada@example.org', 'words');
    await expect(session.renewed('access-1')).rejects.toMatchObject({ code: 'not_signed_in' });
    await expect(session.token()).rejects.toMatchObject({ code: 'not_signed_in' });
    expect(wire.asked('POST auth/jupyter')).toHaveLength(0);
    expect(states).toEqual(['signed-in', 'signed-out']);
  });

  it('keeps the session when the renewal only cannot be reached', async () => {
    const { wire, session } = make();
    wire.on('POST auth/jupyter', () => pair('1'));
    wire.on('POST auth/refresh', () => new Response('', { status: 503 }));
    await session.token();
    await expect(session.renewed('access-1')).rejects.toMatchObject({ code: 'unreachable' });
    expect(session.state).toBe('signed-in');
    wire.on('POST auth/refresh', () => pair('2'));
    expect(await session.token()).toBe('access-2');
  });

  it('asks for a sign-in, in the words of the server, where Jupyter is not mapped to an account', async () => {
    const { wire, session, states } = make();
    wire.on('POST auth/jupyter', () => failure(403, 'denied', 'This server knows people by another login.'));
    await expect(session.token()).rejects.toBeInstanceOf(ApiError);
    expect(states).toEqual(['signed-out']);
    expect(session.refusal).toBe('This server knows people by another login.');
  });

  it('tells when the server part is missing: a 404 that is not ours', async () => {
    const { wire, session, states } = make();
    wire.on('POST auth/jupyter', () => new Response('<html>404</html>', { status: 404 }));
    await expect(session.token()).rejects.toMatchObject({ code: 'server_missing' });
    expect(states).toEqual(['missing']);
  });

  it('stays signed out after signing out, until it is asked', async () => {
    const { wire, session, states } = make();
    wire.on('POST auth/jupyter', () => pair('1')).on('POST auth/logout', () => undefined);
    await session.token();
    await session.signOut();
    expect(wire.asked('POST auth/logout')[0].headers.get('X-DAPP-Authorization')).toBe('Bearer access-1');
    await expect(session.token()).rejects.toMatchObject({ code: 'not_signed_in' });
    await session.signInThroughJupyter();
    expect(states).toEqual(['signed-in', 'signed-out', 'signed-in']);
  });
});
