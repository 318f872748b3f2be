// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { nullTranslator } from '@jupyterlab/translation';

import { Api } from '../../src/api';
import { fits, InsightsView, narrowed, Running, wording, Workspace } from '../../src/model';
import type { InsightRead } from '../../src/schema';
import { event, failure, job, pair, settle, Wire } from '../server';

const trans = nullTranslator.load('');
const AT = '2026-01-02T03:04:05Z';

function insight(id: string, change: Partial<InsightRead> = {}): InsightRead {
  return {
    id,
    title: `figure ${id}`,
    note: null,
    owner: { id: 'a1', name: 'Ada' },
    visibility: 'team',
    dataset: null,
    dataset_version: null,
    model: null,
    has_picture: true,
    width: 640,
    height: 480,
    has_table: false,
    rows: null,
    source: 'matplotlib',
    created_at: AT,
    updated_at: AT,
    ...change
  };
}

async function opened(): Promise<{ wire: Wire; workspace: Workspace }> {
  const wire = new Wire();
  wire.on('POST auth/jupyter', () => pair('1'));
  wire.on('POST auth/ticket', () => failure(503, 'unavailable', 'Not now.'));
  for (const list of ['datasets', 'models', 'jobs']) {
    wire.on(`GET ${list}`, () => ({ items: [], next: null, total: null }));
  }
  wire.on('GET events', () => ({ items: [], next: 'e.1', more: false, reset: false }));
  const workspace = new Workspace(new Api(wire.settings));
  await workspace.api.session.token();
  return { wire, workspace };
}

describe('InsightsView', () => {
  const made: string[] = [];
  const released: string[] = [];

  beforeEach(() => {
    made.length = released.length = 0;
    URL.createObjectURL = () => {
      made.push(`blob:${made.length}`);
      return made[made.length - 1];
    };
    URL.revokeObjectURL = url => void released.push(url);
  });

  it('fetches a picture once, with the credential, and gives it back', async () => {
    const { wire, workspace } = await opened();
    wire.on('GET insights', () => ({ items: [insight('i1')], next: null, total: null }));
    wire.on(
      'GET insights/i1/picture',
      () => new Response('png', { headers: { 'Content-Type': 'image/png' } })
    );
    const view = new InsightsView(workspace);
    await settle();
    expect(view.content(view.insights.items[0])).toBeUndefined();
    view.content(view.insights.items[0]);
    await settle();
    expect(view.content(view.insights.items[0])).toEqual({ picture: 'blob:0' });
    const asked = wire.asked('GET insights/i1/picture');
    expect(asked).toHaveLength(1);
    expect(asked[0].headers.get('X-DAPP-Authorization')).toBe('Bearer access-1');
    view.dispose();
    expect(released).toEqual(['blob:0']);
    workspace.dispose();
  });

  it('shows a table where there is no picture, and says what went wrong', async () => {
    const { wire, workspace } = await opened();
    const items = [insight('i1', { has_picture: false, has_table: true }), insight('i2')];
    wire.on('GET insights', () => ({ items, next: null, total: null }));
    wire.on('GET insights/i1/table', () => ({ columns: ['a'], rows: [[1]], total: 1 }));
    wire.on('GET insights/i2/picture', () => failure(404, 'not_found', 'It is gone.'));
    const view = new InsightsView(workspace);
    await settle();
    items.forEach(each => view.content(each));
    await settle();
    expect(view.content(items[0])?.table?.rows).toEqual([[1]]);
    expect(view.content(items[1])?.failure?.message).toBe('It is gone.');
    view.dispose();
    workspace.dispose();
  });

  it('lets go of what was taken back', async () => {
    const { wire, workspace } = await opened();
    wire.on('GET insights', () => ({ items: [insight('i1')], next: null, total: null }));
    wire.on('GET insights/i1/picture', () => new Response('png'));
    const view = new InsightsView(workspace);
    await settle();
    view.content(view.insights.items[0]);
    await settle();
    (workspace as unknown as { _event: { emit: (each: unknown) => void } })._event.emit(
      event('e.2', 'insight.deleted', 'insight', 'i1')
    );
    expect(view.insights.items).toEqual([]);
    expect(released).toEqual(['blob:0']);
    view.dispose();
    workspace.dispose();
  });
});

describe('Running', () => {
  it('says in a line what runs', async () => {
    const { workspace } = await opened();
    await settle();
    workspace.api.feed.stop();
    const running = new Running(workspace);
    expect(running.isWorthShowing).toBe(false);
    workspace.jobs.put(job('j1', { progress: 0.5 }));
    await new Promise(resolve => setTimeout(resolve, 200));
    expect(running.isWorthShowing).toBe(true);
    expect(running.status(trans)).toMatchObject({ text: 'Training model m1', progress: 0.5 });
    workspace.jobs.put(
      job('j2', { kind: 'ingest', progress: 0.1, subject: { kind: 'dataset', id: 'd', name: 'd' } })
    );
    await new Promise(resolve => setTimeout(resolve, 200));
    expect(running.status(trans).text).toBe('2 jobs');
    expect(running.status(trans).progress).toBeCloseTo(0.3);
    workspace.jobs.patch('j1', { status: 'succeeded' });
    workspace.jobs.patch('j2', { status: 'failed' });
    await new Promise(resolve => setTimeout(resolve, 200));
    expect(running.jobs).toEqual([]);
    running.dispose();
    workspace.dispose();
  });
});

describe('activity', () => {
  const events = [
    { ...event('1', 'dataset.ready', 'dataset', 'd1', { name: 'sales' }), actor: { id: 'a1', name: 'Ada' } },
    { ...event('2', 'model.trained', 'model', 'm1', { name: 'churn' }), actor: { id: 'a2', name: 'Ben' } }
  ];
  const textOf = (each: (typeof events)[0]): string => wording.eventText(each, trans);

  it('is narrowed to a kind, a person or a word', () => {
    const ids = (view: { text?: string; kind?: string; person?: string }): string[] =>
      narrowed(events, { text: '', kind: '', person: '', ...view }, textOf).map(each => each.id);
    expect(ids({})).toEqual(['1', '2']);
    expect(ids({ kind: 'model' })).toEqual(['2']);
    expect(ids({ person: 'a1' })).toEqual(['1']);
    expect(ids({ text: 'CHURN ' })).toEqual(['2']);
  });

  it('tells of insights without their titles', () => {
    const published = event('3', 'insight.published', 'insight', 'i1', {
      dataset: { id: 'd1', name: 'sales' }
    });
    expect(wording.eventText(published, trans)).toBe('Someone published an insight about sales');
  });
});

describe('fits', () => {
  it.each([
    ['0.1.0', '0.1.4', true],
    ['0.2.0', '0.1.9', false],
    ['1.4.0', '1.0.2', true],
    ['2.0.0', '1.9.0', false]
  ])('of server %s and extension %s says %s', (server, here, expected) => {
    expect(fits(server, here)).toBe(expected);
  });
});
