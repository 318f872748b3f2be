// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { closeIcon, refreshIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { CommandIDs } from '../commands';
import type { Collection, IUploadItem } from '../model';
import { wording } from '../model';
import type { DatasetRead, Event, JobRead, ModelRead } from '../schema';
import { FINAL_JOB_STATUSES } from '../schema';
import type { IContext } from './context';
import { datasetIcon, insertIcon, jobIcon, modelIcon, stopIcon, trainIcon, uploadIcon } from './icons';
import { Button, IconButton } from './kit';
import { Rows } from './rows';
import type { IRow } from './rows';

interface IListProps {
  context: IContext;
  search: string;
}

/** Files on their way, then the datasets. */
export function DatasetList(props: IListProps): React.ReactElement {
  const { context, search } = props;
  const { datasets, uploads } = context.workspace;
  const { trans } = context;
  const found = datasets.items.filter(each => matches(search, each.name, each.filename, each.owner.name));
  const rows = [
    ...uploads.items.map(item => uploadRow(context, item)),
    ...found.map(dataset => datasetRow(context, dataset))
  ];
  return (
    <List
      label={trans.__('Datasets')}
      rows={rows}
      context={context}
      collection={datasets}
      search={search}
      nothing={trans.__('Drop a CSV, Excel, Parquet or JSON file here, or press Upload.')}
    />
  );
}

/** The models, with how far they are. */
export function ModelList(props: IListProps): React.ReactElement {
  const { context, search } = props;
  const { models } = context.workspace;
  const { trans } = context;
  const found = models.items.filter(each =>
    matches(search, each.name, each.dataset.name, each.target, each.owner.name)
  );
  return (
    <List
      label={trans.__('Models')}
      rows={found.map(model => modelRow(context, model))}
      context={context}
      collection={models}
      search={search}
      nothing={trans.__('Open a dataset and press Train.')}
    />
  );
}

/** The work in the background, what runs first. */
export function JobList(props: IListProps): React.ReactElement {
  const { context, search } = props;
  const { jobs } = context.workspace;
  const { trans } = context;
  const found = jobs.items.filter(each => matches(search, each.subject.name, each.owner.name));
  const running = found.filter(each => !FINAL_JOB_STATUSES.includes(each.status));
  const over = found.filter(each => FINAL_JOB_STATUSES.includes(each.status));
  return (
    <List
      label={trans.__('Jobs')}
      rows={[...running, ...over].map(job => jobRow(context, job))}
      context={context}
      collection={jobs}
      search={search}
      nothing={trans.__('Nothing runs.')}
    />
  );
}

/** Lines of the activity in the panel; its tab has them all. */
const LATELY = 100;

/** What happened lately. */
export function ActivityList(props: IListProps): React.ReactElement {
  const { context, search } = props;
  const { activity } = context.workspace;
  const { trans } = context;
  const found = search
    ? activity.items.filter(each => matches(search, wording.eventText(each, trans)))
    : activity.items;
  if (found.length === 0) {
    return (
      <p className="jp-Dapp-nothing">
        {search ? trans.__('Nothing found.') : trans.__('Nothing has happened yet.')}
      </p>
    );
  }
  return (
    <>
      <ol className="jp-Dapp-feed" aria-label={trans.__('Activity')}>
        {found.slice(0, LATELY).map(event => (
          <ActivityLine key={event.id} event={event} context={context} />
        ))}
      </ol>
      {found.length > LATELY && (
        <div className="jp-Dapp-more">
          <button
            type="button"
            className="jp-Dapp-link"
            onClick={() => void context.commands.execute(CommandIDs.openActivity)}
          >
            {trans.__('Show all')}
          </button>
        </div>
      )}
    </>
  );
}

/** How old lines are is told anew so often, in milliseconds. */
const STEP = 15_000;

/** One event; it never changes, so that the line is drawn anew only when the clock has moved on. */
export function ActivityLine(props: { event: Event; context: IContext }): React.ReactElement {
  return <TimedLine {...props} step={Math.floor(Date.now() / STEP)} />;
}

const TimedLine = React.memo(function TimedLine(props: {
  event: Event;
  context: IContext;
  step: number;
}): React.ReactElement {
  const { event, context } = props;
  const { trans } = context;
  const { kind, id } = event.subject;
  const opens: Record<string, string> = {
    dataset: CommandIDs.openDataset,
    model: CommandIDs.openModel,
    insight: CommandIDs.openInsights
  };
  const open = opens[kind];
  const text = wording.eventText(event, trans);
  const isBad = event.type.endsWith('.failed') || event.type === 'system.alert';
  return (
    <li
      className={`jp-Dapp-feed-line ${isBad ? 'jp-mod-bad' : ''}`}
      title={new Date(event.at).toLocaleString()}
    >
      <span className="jp-Dapp-feed-text">
        {open && !event.type.endsWith('.deleted') ? (
          <button type="button" onClick={() => void context.commands.execute(open, { id })}>
            {text}
          </button>
        ) : (
          text
        )}
      </span>
      <time dateTime={event.at}>{wording.ago(event.at, trans)}</time>
    </li>
  );
});

/** Rows, or the reason why there are none. */
function List<T extends { id: string; created_at: string }>(props: {
  label: string;
  rows: IRow[];
  context: IContext;
  collection: Collection<T>;
  search: string;
  nothing: string;
}): React.ReactElement {
  const { label, rows, context, collection, search, nothing } = props;
  const { trans } = context;
  if (collection.failure && !collection.isLoaded) {
    return (
      <div className="jp-Dapp-nothing" role="alert">
        {wording.failureText(collection.failure, trans)}{' '}
        <button type="button" className="jp-Dapp-link" onClick={() => void collection.reload()}>
          {trans.__('Try again')}
        </button>
      </div>
    );
  }
  if (rows.length === 0) {
    const text = !collection.isLoaded ? trans.__('Loading…') : search ? trans.__('Nothing found.') : nothing;
    return <p className="jp-Dapp-nothing">{text}</p>;
  }
  return (
    <Rows label={label} rows={rows}>
      {collection.hasMore && (
        <div className="jp-Dapp-more">
          <Button onClick={() => void collection.more()}>{trans.__('Show more')}</Button>
        </div>
      )}
    </Rows>
  );
}

function uploadRow(context: IContext, item: IUploadItem): IRow {
  const { trans, workspace } = context;
  const isFailed = item.state === 'failed';
  const drop = (
    <IconButton
      icon={closeIcon}
      label={isFailed ? trans.__('Put away') : trans.__('Cancel the upload')}
      onClick={() => workspace.uploads.drop(item.key)}
    />
  );
  const retry = (
    <IconButton
      icon={refreshIcon}
      label={trans.__('Try again')}
      onClick={() => workspace.uploads.retry(item.key)}
    />
  );
  const sent = trans.__('%1 of %2', wording.bytes(item.sent), wording.bytes(item.size));
  return {
    key: `upload-${item.key}`,
    icon: uploadIcon,
    title: item.filename,
    detail: item.failure
      ? wording.failureText(item.failure, trans)
      : item.state === 'waiting'
        ? trans.__('Waiting')
        : sent,
    tooltip: item.failure ? wording.failureText(item.failure, trans) : undefined,
    tone: isFailed ? 'bad' : 'busy',
    progress: isFailed ? undefined : item.size ? item.sent / item.size : null,
    actions: isFailed ? (
      <>
        {retry}
        {drop}
      </>
    ) : (
      drop
    )
  };
}

function datasetRow(context: IContext, dataset: DatasetRead): IRow {
  const { commands, trans, workspace } = context;
  const { id, name, status } = dataset;
  const job = dataset.job_id ? workspace.jobs.get(dataset.job_id) : undefined;
  return {
    key: id,
    kind: 'dataset',
    id,
    icon: datasetIcon,
    title: name,
    detail: status === 'failed' && dataset.error ? dataset.error : wording.shape(dataset, trans),
    aside: wording.ago(dataset.updated_at, trans),
    tooltip:
      dataset.error ?? trans.__('%1 · %2 · by %3', name, wording.bytes(dataset.size), dataset.owner.name),
    tone: status === 'failed' ? 'bad' : status === 'processing' ? 'busy' : undefined,
    progress: status === 'processing' ? (job?.progress ?? null) : undefined,
    onOpen: () => void commands.execute(CommandIDs.openDataset, { id }),
    actions: status === 'ready' && (
      <>
        {workspace.mayWrite && (
          <IconButton
            icon={trainIcon}
            label={trans.__('Train a model on %1', name)}
            tabIndex={-1}
            onClick={() => void commands.execute(CommandIDs.trainModel, { id })}
          />
        )}
        <IconButton
          icon={insertIcon}
          label={trans.__('Insert the lines that open %1', name)}
          tabIndex={-1}
          onClick={() => void commands.execute(CommandIDs.insertCode, { kind: 'dataset', name })}
        />
      </>
    )
  };
}

function modelRow(context: IContext, model: ModelRead): IRow {
  const { commands, trans, workspace } = context;
  const { id, name, status } = model;
  const job = model.job_id ? workspace.jobs.get(model.job_id) : undefined;
  const isBusy = status === 'queued' || status === 'training';
  const score = model.score
    ? `${wording.figure(model.score.value, model.score.value)} ${model.score.label}`
    : trans.__('Trained');
  const details: Record<ModelRead['status'], string> = {
    queued: trans.__('Waiting for a worker'),
    training: trans._n('Training: %1 candidate', 'Training: %1 candidates', model.trials),
    ready: score,
    failed: model.error ?? trans.__('Failed'),
    cancelled: trans.__('Cancelled')
  };
  return {
    key: id,
    kind: 'model',
    id,
    icon: modelIcon,
    title: name,
    detail: details[status],
    aside: wording.ago(model.updated_at, trans),
    tooltip:
      model.error ??
      model.sentence ??
      trans.__('%1 · trained on %2 · by %3', name, model.dataset.name, model.owner.name),
    tone: status === 'failed' ? 'bad' : isBusy ? 'busy' : undefined,
    progress: isBusy ? (status === 'training' ? (job?.progress ?? null) : null) : undefined,
    onOpen: () => void commands.execute(CommandIDs.openModel, { id }),
    actions: isBusy ? (
      <IconButton
        icon={stopIcon}
        label={trans.__('Stop and keep the best')}
        tabIndex={-1}
        onClick={() => void commands.execute(CommandIDs.stopTraining, { id })}
      />
    ) : status === 'ready' ? (
      <IconButton
        icon={insertIcon}
        label={trans.__('Insert the lines that show the results of %1', name)}
        tabIndex={-1}
        onClick={() => void commands.execute(CommandIDs.insertCode, { kind: 'results', name })}
      />
    ) : null
  };
}

function jobRow(context: IContext, job: JobRead): IRow {
  const { commands, trans } = context;
  const isOver = FINAL_JOB_STATUSES.includes(job.status);
  const isBad = job.status === 'failed' || job.status === 'dead';
  return {
    key: job.id,
    kind: 'job',
    id: job.id,
    icon: jobIcon,
    title: wording.jobTitle(job.kind, job.subject.name, trans),
    detail: wording.jobState(job, trans),
    aside: wording.ago(job.finished_at ?? job.created_at, trans),
    tooltip: wording.jobState(job, trans),
    tone: isBad ? 'bad' : isOver ? undefined : 'busy',
    progress: isOver ? undefined : job.status === 'queued' ? null : job.progress,
    onOpen: () => void commands.execute(CommandIDs.openJob, { id: job.id }),
    actions: !isOver && (
      <IconButton
        icon={closeIcon}
        label={trans.__('Cancel')}
        tabIndex={-1}
        onClick={() => void commands.execute(CommandIDs.cancelJob, { id: job.id })}
      />
    )
  };
}

function matches(search: string, ...texts: (string | null)[]): boolean {
  const wanted = search.toLowerCase();
  return !wanted || texts.some(text => text?.toLowerCase().includes(wanted));
}
