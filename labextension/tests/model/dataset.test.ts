// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { Signal } from '@lumino/signaling';

import { ApiError } from '../../src/api';
import type { Workspace } from '../../src/model';
import { DatasetView } from '../../src/model';
import type { DatasetRead, Event, Finding, FixRequest, VersionRead } from '../../src/schema';
import { dataset, event, settle } from '../server';

const finding = {
  code: 'missing_values',
  columns: ['age'],
  fix: { code: 'fill_missing', sentence: 'Fill the gaps.', options: { method: 'median' } }
} as unknown as Finding;

/** The server's side of one dataset with two versions. */
class Scene {
  listed: DatasetRead | undefined;
  asked: string[] = [];
  now: DatasetRead = dataset('d1', { access: 'owner' });
  latest: Partial<VersionRead> = { version: 2, latest: true, origin: 'fix', status: 'ready' };
  fixed: FixRequest[] = [];
  undone = 0;
  rowsWait: Promise<void> | undefined;
  failure: ApiError | null = null;
  readonly workspace = {
    sessionState: 'signed-in',
    mayWrite: true,
    event: new Signal<object, Event>({}),
    reset: new Signal<object, void>({}),
    stateChanged: new Signal<object, void>({}),
    datasets: { get: (): DatasetRead | undefined => this.listed },
    jobs: { changed: new Signal<object, void>({}), get: () => undefined },
    api: {
      dataset: async () => {
        this.asked.push('dataset');
        return this.now;
      },
      profile: async () => {
        this.asked.push('profile');
        return { findings: [finding] };
      },
      rows: async () => {
        this.asked.push('rows');
        await this.rowsWait;
        return { version: 1, columns: [], rows: [], offset: 0, total: 0 };
      },
      datasetVersions: async () => ({ items: [this.latest], next: null, total: 1 }),
      fixDataset: async (_: string, request: FixRequest) => {
        if (this.failure) {
          throw this.failure;
        }
        this.fixed.push(request);
        this.now = dataset('d1', { access: 'owner', version: 2 });
        return this.now;
      },
      undoFix: async () => {
        this.undone += 1;
        this.latest = { version: 3, latest: true, origin: 'undo', status: 'ready' };
        this.now = dataset('d1', { access: 'owner', version: 3 });
        return this.now;
      }
    }
  };

  view(): DatasetView {
    return new DatasetView(this.workspace as unknown as Workspace, 'd1');
  }
}

describe('DatasetView', () => {
  it('asks for the rows of a dataset that the list knows at once, and for the profile after them', async () => {
    const scene = new Scene();
    scene.listed = scene.now;
    let arrive = (): void => undefined;
    scene.rowsWait = new Promise(resolve => (arrive = resolve));
    const view = scene.view();
    expect(scene.asked).toEqual(['rows', 'dataset']);
    await settle();
    expect(scene.asked).toEqual(['rows', 'dataset']);
    arrive();
    await settle();
    expect(scene.asked).toEqual(['rows', 'dataset', 'profile']);
    expect(view.profile).not.toBeNull();
    view.dispose();
  });

  it('is mending until the new version is in use, and says why there is none', async () => {
    const scene = new Scene();
    scene.workspace.api.fixDataset = async () => scene.now;
    const view = scene.view();
    await settle();
    await view.mend(finding);
    expect(view.isMending).toBe(true);
    scene.latest = { version: 2, status: 'failed', origin: 'fix', error: 'Nothing is left.' };
    scene.workspace.event.emit(event('e1', 'dataset.failed', 'dataset', 'd1'));
    await settle();
    expect(view.isMending).toBe(false);
    expect(view.mendFailure?.message).toBe('Nothing is left.');
    view.dispose();
  });

  it('mends by a new version and offers the way back until it was taken', async () => {
    const scene = new Scene();
    const view = scene.view();
    await settle();
    expect(view.lastFix).toBeNull();
    await view.mend(finding);
    expect(scene.fixed).toEqual([
      { code: 'fill_missing', columns: ['age'], version: 1, options: { method: 'median' } }
    ]);
    await settle();
    expect(view.lastFix?.version).toBe(2);
    await view.undo();
    await settle();
    expect(scene.undone).toBe(1);
    expect(view.lastFix).toBeNull();
    view.dispose();
  });

  it('says why a fix was refused, until the next one', async () => {
    const scene = new Scene();
    const view = scene.view();
    await settle();
    scene.failure = new ApiError('quota_exceeded', 'There is no room.', 507);
    await view.mend(finding);
    expect(view.mendFailure?.message).toBe('There is no room.');
    expect(view.isMending).toBe(false);
    scene.failure = null;
    await view.mend(finding);
    expect(view.mendFailure).toBeNull();
    view.dispose();
  });

  it('lets only those mend it who may change it', async () => {
    const scene = new Scene();
    scene.now = dataset('d1', { access: 'use' });
    const view = scene.view();
    await settle();
    expect(view.mayMend).toBe(false);
    view.dispose();
  });
});
