// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { Api } from '../../src/api';
import { Told, Workspace } from '../../src/model';
import type { AnnouncementRead, MaintenanceRead } from '../../src/schema';
import { event, failure, pair, settle, Wire } from '../server';

const OFF: MaintenanceRead = {
  state: 'off',
  message: '',
  starts_at: null,
  ends_at: null,
  starts_in: null,
  ends_in: null,
  running_jobs: 0
};

function announcement(id: string): AnnouncementRead {
  const at = '2026-01-02T03:04:05Z';
  const author = { id: 'a1', name: 'Ada' };
  return {
    id,
    message: `news ${id}`,
    severity: 'info',
    author,
    created_at: at,
    starts_at: at,
    ends_at: null,
    is_current: true,
    is_coming: false
  };
}

async function opened(): Promise<{ wire: Wire; workspace: Workspace }> {
  const wire = new Wire();
  wire.on('POST auth/jupyter', () => pair('1'));
  wire.on('POST auth/ticket', () => failure(503, 'unavailable', 'Not now.'));
  for (const list of ['datasets', 'models', 'jobs', 'announcements']) {
    wire.on(`GET ${list}`, () => ({ items: [], next: null, total: null }));
  }
  wire.on('GET events', () => ({ items: [], next: 'e.1', more: false, reset: false }));
  wire.on('GET maintenance', () => OFF);
  const workspace = new Workspace(new Api(wire.settings));
  await workspace.api.session.token();
  return { wire, workspace };
}

function tell(workspace: Workspace, type: string): void {
  (workspace as unknown as { _event: { emit: (each: unknown) => void } })._event.emit(
    event('e.2', type, 'system', 's1')
  );
}

describe('Told', () => {
  it('shows what holds now, and follows the feed', async () => {
    const { wire, workspace } = await opened();
    const told = new Told(workspace);
    await settle();
    expect(told.announcements).toEqual([]);
    expect(told.maintenance).toBeNull();
    wire.on('GET announcements', () => ({ items: [announcement('n1')], next: null, total: 1 }));
    wire.on('GET maintenance', () => ({ ...OFF, state: 'announced', message: 'New disks.', starts_in: 90 }));
    const asked = wire.asked('GET announcements').length;
    tell(workspace, 'dataset.ready');
    await settle();
    expect(wire.asked('GET announcements')).toHaveLength(asked);
    tell(workspace, 'system.announcement');
    await settle();
    expect(told.announcements.map(each => each.message)).toEqual(['news n1']);
    expect(told.secondsLeft(Date.now() + 30_000)).toBeCloseTo(60, 0);
    expect(told.secondsLeft(Date.now() + 300_000)).toBe(0);
    told.hide('n1');
    expect(told.announcements).toEqual([]);
    told.dispose();
    workspace.api.feed.stop();
  });
});
