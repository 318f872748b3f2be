// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { Signal } from '@lumino/signaling';

import { ApiError } from '../../src/api';
import type { Workspace } from '../../src/model';
import { LineageView, placed } from '../../src/model';
import type { Event, Lineage, LineageNode } from '../../src/schema';
import { event, settle } from '../server';

const node = (id: string, change: Partial<LineageNode> = {}): LineageNode => ({
  id,
  kind: 'version',
  name: id,
  subject_kind: 'dataset',
  subject_id: 'd1',
  version: 1,
  status: 'ready',
  rows: 3,
  created_at: null,
  here: false,
  ...change
});
const HOW = 'made';
const edge = (source: string, target: string): Lineage['edges'][number] => ({
  source,
  target,
  label: HOW
});

describe('placed', () => {
  it('puts each thing right of the furthest that it was made from', () => {
    const nodes = ['file', 'v1', 'v2', 'model', 'scored'].map(each => node(each));
    const edges = [
      edge('file', 'v1'),
      edge('v1', 'v2'),
      edge('v2', 'model'),
      edge('v1', 'scored'),
      edge('model', 'scored')
    ];
    const found = placed({ nodes, edges });
    expect([...found.values()].map(each => each.column)).toEqual([0, 1, 2, 3, 4]);
  });

  it('stacks what stands beside each other, and ends where things go in a circle', () => {
    const found = placed({
      nodes: [node('a'), node('b'), node('c')],
      edges: [edge('a', 'b'), edge('a', 'c'), edge('b', 'a')]
    });
    const places = [...found.values()].map(each => `${each.column}/${each.line}`);
    expect(new Set(places).size).toBe(3);
  });
});

describe('LineageView', () => {
  const scene = (
    known: boolean
  ): { asked: string[]; workspace: Workspace; happen: Signal<object, Event> } => {
    const asked: string[] = [];
    const happen = new Signal<object, Event>({});
    const workspace = {
      sessionState: 'signed-in',
      event: happen,
      reset: new Signal<object, void>({}),
      stateChanged: new Signal<object, void>({}),
      models: { get: () => (known ? {} : undefined) },
      api: {
        lineage: async (kind: string) => {
          asked.push(kind);
          if (kind === 'datasets') {
            throw new ApiError('dataset_not_found', 'There is no such dataset.', 404);
          }
          return {
            nodes: [node('file', { kind: 'file', here: true }), node('m', { here: true })],
            edges: []
          };
        }
      }
    };
    return { asked, workspace: workspace as unknown as Workspace, happen };
  };

  it('finds out of what kind the thing is', async () => {
    const { asked, workspace } = scene(false);
    const view = new LineageView(workspace, 'm1');
    await settle();
    expect(asked).toEqual(['datasets', 'models']);
    expect(view.name).toBe('m');
    view.dispose();
  });

  it('looks again when something was made', async () => {
    jest.useFakeTimers();
    const { asked, workspace, happen } = scene(true);
    const view = new LineageView(workspace, 'm1');
    await jest.advanceTimersByTimeAsync(0);
    happen.emit(event('e1', 'model.trial', 'model', 'm1'));
    happen.emit(event('e2', 'prediction.ready', 'dataset', 'd2'));
    happen.emit(event('e3', 'model.trained', 'model', 'm2'));
    await jest.advanceTimersByTimeAsync(500);
    expect(asked).toEqual(['models', 'models']);
    view.dispose();
    jest.useRealTimers();
  });
});
