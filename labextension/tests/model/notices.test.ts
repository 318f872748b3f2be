// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';

import type { IUploadItem, INotice, INoticeBoard, Workspace } from '../../src/model';
import { Notices } from '../../src/model';
import type { AccountRead, JobRead } from '../../src/schema';
import { account, dataset, job, model, settle } from '../server';

/** What the notices need of a workspace: two lists with signals, and what the server says at the end. */
class Scene {
  readonly uploads = {
    items: new Map<number, IUploadItem>(),
    keys: new Map<string, number>(),
    get: (key: number) => this.uploads.items.get(key),
    keyOf: (id: string) => this.uploads.keys.get(id),
    changed: null as unknown as Signal<object, number>
  };
  readonly jobs = { items: [] as JobRead[], changed: null as unknown as Signal<object, void> };
  account: AccountRead | null = account();
  readonly stateChanged = new Signal<object, void>({});
  readonly api = {
    dataset: async (id: string) => dataset(id),
    model: async (id: string) => model(id, { sentence: 'Of 100 rows, it is right for 99.' }),
    job: async (id: string) => job(id, { error: 'The column is constant.' })
  };
  readonly shown = new Map<string, INotice>();
  readonly history: string[] = [];
  readonly notices: Notices;

  constructor() {
    this.uploads.changed = new Signal(this.uploads);
    this.jobs.changed = new Signal(this.jobs);
    let number = 0;
    const board: INoticeBoard = {
      post: notice => {
        const id = `n${++number}`;
        this.shown.set(id, notice);
        this.history.push(`${id} ${notice.state}`);
        return id;
      },
      change: (id, notice) => {
        this.history.push(`${id} ${notice.state}`);
        return this.shown.has(id) && !!this.shown.set(id, notice);
      },
      dismiss: id => void this.shown.delete(id)
    };
    this.notices = new Notices(this as unknown as Workspace, board, nullTranslator.load('jupyter_dapp'));
  }

  async work(...jobs: JobRead[]): Promise<void> {
    this.jobs.items = jobs;
    this.jobs.changed.emit();
    await settle();
  }

  send(item: Partial<IUploadItem>): void {
    const whole = { key: 1, filename: 'a.csv', size: 100, sent: 0, state: 'sending', failure: null, ...item };
    this.uploads.items.set(1, whole as IUploadItem);
    this.uploads.changed.emit(1);
  }
}

const reading = (change: Partial<JobRead> = {}): JobRead =>
  job('j1', { kind: 'ingest', subject: { kind: 'dataset', id: 'd1', name: 'a' }, ...change });

describe('Notices', () => {
  let scene: Scene;
  beforeEach(() => (scene = new Scene()));
  afterEach(() => scene.notices.dispose());

  it('is one notice from the first byte to the ready dataset', async () => {
    scene.send({ sent: 10 });
    scene.send({ sent: 90 });
    scene.uploads.keys.set('d1', 1);
    scene.uploads.items.delete(1);
    scene.uploads.changed.emit(1);
    await scene.work(reading({ progress: 0.1 }));
    await scene.work(reading({ progress: 0.8 }));
    await scene.work(reading({ status: 'succeeded', progress: 1 }));
    expect([...scene.shown.keys()]).toEqual(['n1']);
    expect(scene.shown.get('n1')).toMatchObject({
      state: 'success',
      message: 'a is ready: 344 rows × 7 columns',
      opens: { kind: 'dataset', id: 'd1' }
    });
  });

  it('also when the job was too quick to be seen running', async () => {
    scene.send({ sent: 100 });
    scene.uploads.keys.set('d1', 1);
    await scene.work(reading({ status: 'succeeded', progress: 1 }));
    expect([...scene.shown.values()].map(each => each.state)).toEqual(['success']);
  });

  it('says nothing of the jobs of others, and nothing of what ended before', async () => {
    await scene.work(job('j1', { owner: { id: 'other', name: 'Eve' } }), job('j2', { status: 'succeeded' }));
    await scene.work(job('j1', { owner: { id: 'other', name: 'Eve' }, status: 'failed' }));
    expect(scene.history).toEqual([]);
  });

  it('does not repeat itself for every small step', async () => {
    for (let step = 0; step < 1000; step++) {
      await Promise.resolve();
      scene.jobs.items = [job('j1', { progress: 0.5 + step / 100_000 })];
      scene.jobs.changed.emit();
    }
    expect(scene.history.length).toBeLessThan(5);
  });

  it('tells the sentence of a model, and the reason of a failure', async () => {
    await scene.work(job('j1'));
    await scene.work(job('j1', { status: 'succeeded' }));
    expect(scene.shown.get('n1')?.message).toBe('Of 100 rows, it is right for 99.');
    await scene.work(job('j2'));
    await scene.work(job('j2', { status: 'failed' }));
    expect(scene.shown.get('n2')).toMatchObject({
      state: 'error',
      message: 'Training model m1: The column is constant.'
    });
  });

  it('lets at most three move at a time', async () => {
    await scene.work(...Array.from({ length: 20 }, (_, number) => job(`j${number}`)));
    expect(scene.shown.size).toBe(3);
  });

  it('takes away what moves when its owner signs out', async () => {
    await scene.work(job('j1'));
    scene.account = null;
    scene.stateChanged.emit();
    expect(scene.shown.size).toBe(0);
  });

  it('does not bring back a good end that was put away, but a bad one', async () => {
    await scene.work(job('j1'), job('j2'));
    scene.shown.clear();
    await scene.work(job('j1', { status: 'succeeded' }), job('j2', { status: 'failed' }));
    expect([...scene.shown.values()].map(each => each.state)).toEqual(['error']);
  });
});
