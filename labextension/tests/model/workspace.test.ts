// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { Feed } from '../../src/api';
import { Api } from '../../src/api';
import { Workspace } from '../../src/model';
import type { Event } from '../../src/schema';
import { account, dataset, event, failure, job, model, pair, settle, Wire } from '../server';

/** A socket that a test speaks through. */
class Line implements Feed.ISocket {
  static open: Line[] = [];
  onmessage: ((message: MessageEvent) => void) | null = null;
  onclose: ((close: CloseEvent) => void) | null = null;

  constructor(readonly url: string) {
    Line.open.push(this);
  }

  say(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) } as MessageEvent);
  }

  close(): void {
    Line.open = Line.open.filter(each => each !== this);
  }
}

const page = (...items: object[]): object => ({ items, next: null, total: items.length });

function make(): { wire: Wire; workspace: Workspace } {
  const wire = new Wire()
    .on('POST auth/jupyter', () => pair('1'))
    .on('POST auth/ticket', () => ({ ticket: 't', purpose: 'websocket', expires_at: '', url: null }))
    .on('GET datasets', () => page(dataset('d1')))
    .on('GET models', () => page(model('m1')))
    .on('GET jobs', () => page(job('j1')))
    .on('GET notifications', () => ({ items: [], next: null, unread: 0 }))
    .on('GET events', () => ({ items: [], next: 'e.4', more: false, reset: false }));
  const settings = { ...wire.settings, WebSocket: Line as unknown as typeof WebSocket };
  return { wire, workspace: new Workspace(new Api(settings)) };
}

async function live(): Promise<{
  wire: Wire;
  workspace: Workspace;
  happen: (event: Event) => Promise<void>;
}> {
  const { wire, workspace } = make();
  await workspace.start();
  await settle();
  Line.open[0].say({ type: 'hello', cursor: 'e.4' });
  await settle();
  const happen = async (each: Event): Promise<void> => {
    Line.open[0].say({ type: 'event', event: each });
    await new Promise(resolve => setTimeout(resolve, 120));
    await settle();
  };
  return { wire, workspace, happen };
}

describe('Workspace', () => {
  let workspace: Workspace | undefined;
  beforeEach(() => (Line.open = []));
  afterEach(() => workspace?.dispose());

  it('loads the lists when the feed has begun, so that nothing falls between', async () => {
    ({ workspace } = await live());
    expect(workspace.datasets.items.map(each => each.id)).toEqual(['d1']);
    expect(workspace.models.items.map(each => each.id)).toEqual(['m1']);
    expect(workspace.jobs.items.map(each => each.id)).toEqual(['j1']);
    expect(workspace.feedState).toBe('connected');
  });

  it('shows what another one uploads', async () => {
    const found = await live();
    workspace = found.workspace;
    found.wire.on('GET datasets/d2', () => dataset('d2', { status: 'processing' }));
    await found.happen(
      event('e.5', 'dataset.uploaded', 'dataset', 'd2', { name: 'new', status: 'processing' })
    );
    expect(workspace.datasets.get('d2')?.status).toBe('processing');
    expect(workspace.activity.items[0].id).toBe('e.5');
  });

  it('takes the progress of a job from the event, without a request', async () => {
    const found = await live();
    workspace = found.workspace;
    const before = found.wire.seen.length;
    const data = {
      kind: 'train',
      status: 'running',
      progress: 0.5,
      message: 'Tried 3',
      subject: {},
      subject_name: ''
    };
    await found.happen(event('e.5', 'job.progress', 'job', 'j1', data));
    expect(workspace.jobs.get('j1')).toMatchObject({ progress: 0.5, message: 'Tried 3' });
    await found.happen(event('e.6', 'model.trial', 'model', 'm1', { number: 7 }));
    expect(workspace.models.get('m1')?.trials).toBe(7);
    expect(found.wire.seen).toHaveLength(before);
  });

  it('fetches a job that has ended, because its reason is not in the event', async () => {
    const found = await live();
    workspace = found.workspace;
    found.wire.on('GET jobs/j1', () => job('j1', { status: 'failed', error: 'The column is constant.' }));
    const data = {
      kind: 'train',
      status: 'failed',
      progress: 0.5,
      subject: {},
      subject_name: '',
      error: 'target_unusable'
    };
    await found.happen(event('e.5', 'job.finished', 'job', 'j1', data));
    expect(workspace.jobs.get('j1')?.error).toBe('The column is constant.');
  });

  it('lets go of what is deleted and of what is not shared any more', async () => {
    const found = await live();
    workspace = found.workspace;
    await found.happen(event('e.5', 'dataset.deleted', 'dataset', 'd1', { name: 'x', status: 'ready' }));
    expect(workspace.datasets.items).toEqual([]);
    found.wire.on('GET models/m1', () => failure(404, 'model_not_found', 'Not shared with you.'));
    await found.happen(event('e.6', 'model.changed', 'model', 'm1', { name: 'x', status: 'ready' }));
    expect(workspace.models.items).toEqual([]);
  });

  it('loads everything anew after a restore', async () => {
    const found = await live();
    workspace = found.workspace;
    found.wire.on('GET datasets', () => page(dataset('d7')));
    Line.open[0].say({ type: 'reset', cursor: 'f.1' });
    await settle();
    expect(workspace.datasets.items.map(each => each.id)).toEqual(['d7']);
  });

  it('forgets everything when someone else signs in', async () => {
    const found = await live();
    workspace = found.workspace;
    found.wire.on('POST auth/login', () => pair('2', { account: account({ id: 'a2', role: 'viewer' }) }));
    found.wire.on('GET datasets', () => page());
    await workspace.api.session.signIn('eve@example.org', 'words');
    await settle();
    expect(workspace.datasets.items).toEqual([]);
    expect(workspace.mayWrite).toBe(false);
    expect(Line.open).toHaveLength(1);
    expect(Line.open[0].url).not.toContain('after=');
  });

  it('shows the lists also where a proxy cuts the feed', async () => {
    const { workspace: made } = make();
    workspace = made;
    await workspace.start();
    await settle();
    Line.open[0].onclose?.({ code: 1006 } as CloseEvent);
    await settle();
    expect(workspace.feedState).toBe('reconnecting');
    expect(workspace.datasets.items.map(each => each.id)).toEqual(['d1']);
  });

  it('keeps the activity to what a person wants to read', async () => {
    const found = await live();
    workspace = found.workspace;
    await found.happen(event('e.5', 'job.progress', 'job', 'j1', { status: 'running', progress: 0.1 }));
    await found.happen(event('e.6', 'user.signed_in', 'user', 'a1', { name: 'Ada' }));
    // The worker that begins is the second to say so; who asked for it was the first.
    await found.happen(event('e.7', 'model.training', 'model', 'm1', { name: 'm', status: 'training' }));
    expect(workspace.activity.items).toEqual([]);
  });
});
