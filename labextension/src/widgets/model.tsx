// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { addIcon, notebookIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { ApiError } from '../api';
import { CommandIDs } from '../commands';
import type { ModelView } from '../model';
import { wording } from '../model';
import type { Family, Leaderboard, ModelRead, TrainRequest } from '../schema';
import { CaseCard } from './case';
import { climb, Stair } from './charts';
import type { IContext } from './context';
import { DecidingCard } from './deciding';
import { datasetIcon, insertIcon, lineageIcon, modelIcon, stopIcon } from './icons';
import { Button, Chip, Gone, Message, Progress } from './kit';
import { LeaderboardTable } from './leaderboard';
import { PagePanel } from './panel';
import { Card, ResultsView } from './results';

/**
 * A model in a tab: its search while it goes on, its results afterwards.
 */
export class ModelPanel extends PagePanel<ModelView> {
  protected draw(): React.ReactElement {
    return <Page context={this.context} view={this.view} />;
  }
}

interface IProps {
  context: IContext;
  view: ModelView;
}

function Page(props: IProps): React.ReactElement {
  const { context, view } = props;
  const { trans } = context;
  const { failure, model, results } = view;
  if (failure && !results) {
    if (failure.status === 404) {
      return <Gone icon={modelIcon} title={trans.__('This model is gone')} trans={trans} />;
    }
    return (
      <Message icon={modelIcon} tone="bad" title={trans.__('This model cannot be shown')}>
        <p>{wording.failureText(failure, trans)}</p>
        <Button onClick={() => void view.load()}>{trans.__('Try again')}</Button>
      </Message>
    );
  }
  if (!model) {
    return <Message icon={modelIcon} title={trans.__('Opening…')} />;
  }
  return (
    <>
      <Head context={context} view={view} model={model} />
      <div className="jp-Dapp-page-body">
        {model.status === 'failed' && (
          <Message icon={modelIcon} tone="bad" title={trans.__('The training ended without a model')}>
            <p>{model.error}</p>
            <Button
              onClick={() => void context.commands.execute(CommandIDs.trainModel, { id: model.dataset.id })}
            >
              {trans.__('Try with other settings')}
            </Button>
          </Message>
        )}
        {view.isTraining && <Search context={context} view={view} />}
        {results && <Outcome context={context} view={view} />}
      </div>
    </>
  );
}

/** The results, with the ways to go on from them. */
function Outcome(props: IProps): React.ReactElement | null {
  const { context, view } = props;
  const { commands, trans, workspace } = context;
  const [problem, setProblem] = React.useState('');
  if (!view.results) {
    return null;
  }
  const again = async (change: Partial<TrainRequest>): Promise<void> => {
    setProblem('');
    try {
      const made = await view.again(change);
      if (made) {
        workspace.models.put(made);
        await commands.execute(CommandIDs.openModel, { id: made.id });
      }
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      setProblem(wording.failureText(error, trans));
    }
  };
  return (
    <>
      {problem && (
        <div className="jp-Dapp-problem" role="alert">
          {problem}
        </div>
      )}
      <ResultsView
        results={view.results}
        trans={trans}
        onAgain={workspace.mayWrite && view.isOfSearch ? change => void again(change) : undefined}
        rescoring={workspace.mayWrite && view.isOfSearch ? view : undefined}
      >
        {view.deciding && <DecidingCard context={context} view={view.deciding} mayKeep={view.mayChange} />}
        {view.case && <CaseCard view={view.case} trans={trans} />}
      </ResultsView>
    </>
  );
}

function Head(props: IProps & { model: ModelRead }): React.ReactElement {
  const { context, model } = props;
  const { commands, trans, workspace } = context;
  const { id, name, dataset, status, target, task } = model;
  const tones = {
    queued: 'busy',
    training: 'busy',
    ready: 'good',
    failed: 'bad',
    cancelled: 'plain'
  } as const;
  const words = {
    queued: trans.__('waiting'),
    training: trans.__('training'),
    ready: trans.__('ready'),
    failed: trans.__('failed'),
    cancelled: trans.__('cancelled')
  };
  const facts = [
    target ? trans.__('predicts %1', target) : '',
    task ? wording.taskName(task, trans) : '',
    trans.__('by %1', model.owner.name)
  ];
  return (
    <header className="jp-Dapp-head">
      <div className="jp-Dapp-head-what">
        <h2 title={name}>{name}</h2>
        <Chip tone={tones[status]}>{words[status]}</Chip>
        {model.version > 1 && <Chip tone="plain">{trans.__('version %1', model.version)}</Chip>}
        {model.champion && <Chip tone="good">{trans.__('champion')}</Chip>}
        <p>{facts.filter(Boolean).join(' · ')}</p>
      </div>
      <div className="jp-Dapp-head-actions">
        <Button
          icon={datasetIcon}
          onClick={() => void commands.execute(CommandIDs.openDataset, { id: dataset.id })}
        >
          <span className="jp-Dapp-clip" title={dataset.name}>
            {dataset.name}
          </span>
        </Button>
        {status === 'ready' && (
          <>
            <Button
              icon={lineageIcon}
              title={trans.__('Where it came from, and what was made from it')}
              onClick={() => void commands.execute(CommandIDs.openLineage, { id })}
            >
              {trans.__('Lineage')}
            </Button>
            <Button
              icon={notebookIcon}
              title={trans.__('The training as a notebook that runs by itself')}
              onClick={() => void commands.execute(CommandIDs.openTrainingNotebook, { id })}
            >
              {trans.__('Training notebook')}
            </Button>
            <Button
              icon={insertIcon}
              title={trans.__('Put the lines that show these results into the notebook')}
              onClick={() => void commands.execute(CommandIDs.insertCode, { kind: 'results', name })}
            >
              {trans.__('Insert into notebook')}
            </Button>
            {workspace.mayWrite && (
              <Button kind="primary" onClick={() => void commands.execute(CommandIDs.predictDataset, { id })}>
                {trans.__('Score a dataset')}
              </Button>
            )}
          </>
        )}
      </div>
    </header>
  );
}

/** The search while it goes on: how far, how good, and what was tried. */
function Search(props: IProps): React.ReactElement {
  const { context, view } = props;
  const { trans } = context;
  const board = view.leaderboard;
  const isQueued = view.model?.status === 'queued';
  useTick(!isQueued);
  const stop = (): void => void context.commands.execute(CommandIDs.stopTraining, { id: view.id });
  const metric = board?.metric_label ?? board?.metric ?? trans.__('Score');
  return (
    <>
      <section className="jp-Dapp-card jp-Dapp-live" aria-label={trans.__('Training')}>
        <div className="jp-Dapp-live-top">
          <div>
            <div className="jp-Dapp-live-state" role="status">
              {isQueued
                ? trans.__('Waiting for a worker')
                : view.isStopping
                  ? trans.__('Stopping…')
                  : view.job?.message || trans.__('Searching')}
            </div>
            <div className="jp-Dapp-faint">{timeLeft(view, context)}</div>
          </div>
          <Best board={board} context={context} />
          <Button
            icon={addIcon}
            disabled={view.isStopping}
            title={trans.__('Search longer than the time budget')}
            onClick={() => void context.commands.execute(CommandIDs.extendTraining, { id: view.id })}
          >
            {trans.__('More time')}
          </Button>
          {!isQueued && (
            <Button icon={stopIcon} disabled={view.isStopping || !board?.trials.length} onClick={stop}>
              {trans.__('Stop and keep the best')}
            </Button>
          )}
        </div>
        <Progress value={isQueued ? null : progress(view)} label={trans.__('Training')} />
        <Skips context={context} view={view} />
        <Stair
          scores={climb(board?.trials ?? [])}
          label={trans.__('The best score so far after each candidate')}
        />
      </section>
      {board && board.trials.length > 0 && (
        <Card title={trans.__('Leaderboard')} hint={trans.__('Cross-validated on the training rows')}>
          <LeaderboardTable trials={board.trials} metric={metric} trans={trans} />
        </Card>
      )}
    </>
  );
}

/** The kinds of model that are still tried; each can be left out of the rest. */
function Skips(props: IProps): React.ReactElement | null {
  const { context, view } = props;
  const { trans } = context;
  const { model } = view;
  const tried = [...new Set(view.leaderboard?.trials.map(each => each.family) ?? [])];
  if (!model || tried.length < 2 || !context.workspace.mayWrite) {
    return null;
  }
  return (
    <div className="jp-Dapp-skips">
      {tried.map(family => {
        const name = wording.familyName(family, trans);
        return model.skipped.includes(family as Family) ? (
          <Chip key={family} tone="plain">
            {trans.__('%1 is left out', name)}
          </Chip>
        ) : (
          <button
            key={family}
            type="button"
            className="jp-Dapp-link"
            onClick={() => void context.commands.execute(CommandIDs.skipFamily, { id: view.id, family })}
          >
            {trans.__('Leave %1 out', name)}
          </button>
        );
      })}
    </div>
  );
}

function Best(props: { board: Leaderboard | null; context: IContext }): React.ReactElement | null {
  const { board, context } = props;
  const best = board?.trials.find(trial => trial.is_best) ?? board?.trials[0];
  if (!board || !best || best.score === null) {
    return null;
  }
  return (
    <div className="jp-Dapp-live-best">
      <div className="jp-Dapp-live-score">{wording.figure(best.score, best.score)}</div>
      <div className="jp-Dapp-faint">
        {context.trans._n(
          'best %2 of %1 candidate',
          'best %2 of %1 candidates',
          board.trials.length,
          board.metric_label ?? board.metric ?? ''
        )}
      </div>
    </div>
  );
}

function timeLeft(view: ModelView, context: IContext): string {
  const { trans } = context;
  const left = view.secondsLeft;
  if (left === null) {
    return trans.__('time budget %1', wording.duration(view.model?.time_budget ?? 0, trans));
  }
  return left > 0 ? trans.__('%1 left', wording.duration(left, trans)) : trans.__('finishing');
}

/** By the clock where the search has one, else as the job tells. */
function progress(view: ModelView): number | null {
  const left = view.secondsLeft;
  const budget = view.model?.time_budget ?? 0;
  const byClock = left === null || !budget ? 0 : 1 - left / budget;
  return Math.max(byClock, view.job?.progress ?? 0) || null;
}

/** Draw once a second, so that the time that is left runs. */
function useTick(isOn: boolean): void {
  const [, tick] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    const timer = isOn ? window.setInterval(tick, 1000) : 0;
    return () => window.clearInterval(timer);
  }, [isOn]);
}
