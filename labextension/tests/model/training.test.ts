// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { Signal } from '@lumino/signaling';

import type { Workspace } from '../../src/model';
import { ModelView } from '../../src/model';
import type { Event, Leaderboard, ModelRead } from '../../src/schema';
import { event, model } from '../server';

/** The server's side of one training. */
class Scene {
  now: ModelRead = model('m1');
  asked: string[] = [];
  stops = 0;
  readonly sessionState = 'signed-in';
  readonly event = new Signal<object, Event>({});
  readonly reset = new Signal<object, void>({});
  readonly stateChanged = new Signal<object, void>({});
  readonly jobs = { changed: new Signal<object, void>({}), get: () => undefined };
  readonly api = {
    model: async () => {
      this.asked.push('model');
      return this.now;
    },
    leaderboard: async (): Promise<Leaderboard> => {
      this.asked.push('leaderboard');
      return {
        model: 'm1',
        status: 'training',
        metric: 'log_loss',
        metric_label: 'Log loss',
        greater_is_better: false,
        trials: [],
        seconds_left: 20,
        time_budget: 30
      };
    },
    results: async () => {
      this.asked.push('results');
      return { sentence: 'Good.' };
    },
    stopTraining: async () => {
      this.stops += 1;
      return this.now;
    }
  };

  view(): ModelView {
    return new ModelView(this as unknown as Workspace, 'm1');
  }

  happen(type: string, id = 'm1'): void {
    this.event.emit(event('e.1', type, 'model', id));
  }
}

const tick = (milliseconds: number): Promise<void> => jest.advanceTimersByTimeAsync(milliseconds);

describe('ModelView', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('follows the search: many trials, one look at the leaderboard', async () => {
    const scene = new Scene();
    const view = scene.view();
    await tick(0);
    scene.asked = [];
    for (let trial = 0; trial < 50; trial++) {
      scene.happen('model.trial');
    }
    scene.happen('model.trial', 'other');
    await tick(300);
    expect(scene.asked).toEqual(['leaderboard']);
    expect(view.isTraining).toBe(true);
  });

  it('lets the clock run between the looks', async () => {
    const view = new Scene().view();
    await tick(0);
    expect(view.secondsLeft).toBe(20);
    await tick(15_000);
    expect(view.secondsLeft).toBe(5);
    await tick(15_000);
    expect(view.secondsLeft).toBe(0);
  });

  it('turns into the results when the search has ended', async () => {
    const scene = new Scene();
    const view = scene.view();
    await tick(0);
    scene.now = model('m1', { status: 'ready' });
    scene.happen('model.trained');
    await tick(0);
    expect(view.results?.sentence).toBe('Good.');
    expect(view.isTraining).toBe(false);
  });

  it('says that it is stopping until it has stopped', async () => {
    const scene = new Scene();
    const view = scene.view();
    await tick(0);
    await view.stop();
    expect([scene.stops, view.isStopping]).toEqual([1, true]);
    scene.now = model('m1', { status: 'ready' });
    scene.happen('model.trained');
    await tick(0);
    expect(view.isStopping).toBe(false);
  });
});
