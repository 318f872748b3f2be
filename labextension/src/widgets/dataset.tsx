// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { ReactWidget, searchIcon, UseSignal } from '@jupyterlab/ui-components';
import type { Message as LuminoMessage } from '@lumino/messaging';
import type { Widget } from '@lumino/widgets';
import { Panel, SplitPanel } from '@lumino/widgets';
import * as React from 'react';

import { CommandIDs } from '../commands';
import type { DatasetView } from '../model';
import { expression, withCondition, wording } from '../model';
import type { DatasetRead } from '../schema';
import type { IContext } from './context';
import { FilterBar } from './filters';
import { RowsGrid } from './grid';
import { datasetIcon, insertIcon, lineageIcon, trainIcon } from './icons';
import { Button, Chip, Gone, Message, Progress } from './kit';
import { ProfilePane } from './profile';

/** Below this width the profile stands under the rows, in pixels. */
const NARROW = 620;

/**
 * A dataset in a tab: its facts above, its rows, and its profile beside them.
 */
export class DatasetPanel extends Panel {
  constructor(context: IContext, view: DatasetView) {
    super();
    this.addClass('jp-Dapp');
    this.addClass('jp-Dapp-dataset');
    this.view = view;
    const { trans } = context;
    this._head = ReactWidget.create(
      <UseSignal signal={view.changed}>{() => <Head context={context} view={view} />}</UseSignal>
    );
    this._head.addClass('jp-Dapp-dataset-head');
    this.grid = new RowsGrid(view.rows, trans);
    this.grid.addClass('jp-Dapp-grid');
    this.grid.node.setAttribute('role', 'region');
    this.grid.node.setAttribute('aria-label', trans.__('Rows'));
    this._state = ReactWidget.create(
      <UseSignal signal={view.changed}>
        {() => (
          <UseSignal signal={view.rows.changed}>{() => <State context={context} view={view} />}</UseSignal>
        )}
      </UseSignal>
    );
    this._state.addClass('jp-Dapp-dataset-state');
    const profile = ReactWidget.create(
      <UseSignal signal={view.changed}>
        {() =>
          view.profile && (
            <ProfilePane
              profile={view.profile}
              trans={trans}
              view={view}
              onRow={row => this._show(row)}
              onFilter={filter =>
                void view.rows.show({ filters: withCondition(view.rows.view.filters, filter) })
              }
            />
          )
        }
      </UseSignal>
    );
    profile.addClass('jp-Dapp-dataset-profile');
    this._split = new SplitPanel({ orientation: 'horizontal', spacing: 1 });
    this._split.addClass('jp-Dapp-dataset-body');
    this._split.addWidget(this.grid);
    this._split.addWidget(profile);
    this._split.setRelativeSizes([7, 3]);
    [this._head, this._state, this._split].forEach(each => this.addWidget(each));
    view.changed.connect(this._onChanged, this);
    view.rows.changed.connect(this._onChanged, this);
    this._onChanged();
  }

  readonly view: DatasetView;
  readonly grid: RowsGrid;

  override dispose(): void {
    if (!this.isDisposed) {
      this.view.dispose();
      super.dispose();
    }
  }

  protected override onResize(msg: Widget.ResizeMessage): void {
    super.onResize(msg);
    const width = msg.width < 0 ? this.node.offsetWidth : msg.width;
    // Beside each other there is no room for both.
    this._split.orientation = width < NARROW ? 'vertical' : 'horizontal';
  }

  protected override onActivateRequest(_: LuminoMessage): void {
    this.grid.activate();
  }

  private _show(row: number): void {
    this.grid.scrollToRow(row);
    this.grid.selectionModel?.select({
      r1: row,
      c1: 0,
      r2: row,
      c2: this.view.rows.columns.length - 1,
      cursorRow: row,
      cursorColumn: 0,
      clear: 'all'
    });
  }

  private _onChanged(): void {
    const { columns, failure } = this.view.rows;
    const hasRows =
      this.view.dataset?.status === 'ready' && columns.length > 0 && !failure && !this.view.failure;
    this._split.setHidden(!hasRows);
    this._state.setHidden(hasRows);
  }

  private _head: ReactWidget;
  private _state: ReactWidget;
  private _split: SplitPanel;
}

function Head(props: { context: IContext; view: DatasetView }): React.ReactElement | null {
  const { context, view } = props;
  const { commands, trans, workspace } = context;
  const { dataset } = view;
  if (!dataset) {
    return null;
  }
  const { id, name } = dataset;
  return (
    <header className="jp-Dapp-head">
      <div className="jp-Dapp-head-what">
        <h2 title={name}>{name}</h2>
        {dataset.visibility === 'private' && <Chip tone="plain">{trans.__('private')}</Chip>}
        <p>{headline(dataset, context)}</p>
      </div>
      {dataset.status === 'ready' && (
        <>
          <UseSignal signal={view.rows.changed}>{() => <Search context={context} view={view} />}</UseSignal>
          <div className="jp-Dapp-head-actions">
            <Button
              icon={lineageIcon}
              title={trans.__('Where it came from, and what was made from it')}
              onClick={() => void commands.execute(CommandIDs.openLineage, { id })}
            >
              {trans.__('Lineage')}
            </Button>
            <Button
              icon={insertIcon}
              title={trans.__('Put the lines that open this dataset into the notebook')}
              onClick={() =>
                void commands.execute(CommandIDs.insertCode, {
                  kind: 'dataset',
                  name,
                  filter: expression(view.rows.view.filters)
                })
              }
            >
              {trans.__('Insert into notebook')}
            </Button>
            {workspace.mayWrite && (
              <Button
                icon={trainIcon}
                kind="primary"
                onClick={() => void commands.execute(CommandIDs.trainModel, { id })}
              >
                {trans.__('Train a model')}
              </Button>
            )}
          </div>
          <FilterBar rows={view.rows} trans={trans} />
        </>
      )}
    </header>
  );
}

function headline(dataset: DatasetRead, context: IContext): string {
  const { trans } = context;
  const parts = [
    wording.shape(dataset, trans),
    (dataset.report?.format ?? dataset.format ?? '').toUpperCase(),
    wording.bytes(dataset.size),
    dataset.version > 1 ? trans.__('version %1', dataset.version) : '',
    trans.__('by %1', dataset.owner.name)
  ];
  return parts.filter(Boolean).join(' · ');
}

function Search(props: { context: IContext; view: DatasetView }): React.ReactElement {
  const { context, view } = props;
  const { trans } = context;
  const [text, setText] = React.useState(view.rows.view.search);
  const timer = React.useRef(0);
  const search = (value: string): void => {
    setText(value);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => void view.rows.show({ search: value.trim() }), 300);
  };
  const isNarrowed = view.rows.view.search !== '' || view.rows.view.filters.length > 0;
  return (
    <div className="jp-Dapp-search jp-Dapp-head-search">
      <searchIcon.react tag="span" className="jp-Dapp-search-icon" elementSize="normal" />
      <input
        type="search"
        value={text}
        placeholder={trans.__('Search the rows')}
        aria-label={trans.__('Search the rows')}
        spellCheck={false}
        onChange={event => search(event.target.value)}
      />
      {isNarrowed && (
        <span className="jp-Dapp-search-count" role="status">
          {trans._n('%2 row', '%2 rows', view.rows.total, wording.count(view.rows.total))}
        </span>
      )}
    </div>
  );
}

function State(props: { context: IContext; view: DatasetView }): React.ReactElement {
  const { context, view } = props;
  const { trans } = context;
  const failure = view.failure ?? view.rows.failure;
  if (view.failure?.status === 404) {
    return <Gone icon={datasetIcon} title={trans.__('This dataset is gone')} trans={trans} />;
  }
  if (failure) {
    return (
      <Message icon={datasetIcon} tone="bad" title={trans.__('This dataset cannot be shown')}>
        <p>{wording.failureText(failure, trans)}</p>
        <Button onClick={() => void view.load()}>{trans.__('Try again')}</Button>
      </Message>
    );
  }
  if (view.dataset?.status === 'failed') {
    return (
      <Message icon={datasetIcon} tone="bad" title={trans.__('This file could not be read')}>
        <p>{view.dataset.error}</p>
      </Message>
    );
  }
  if (view.progress !== null) {
    return (
      <Message icon={datasetIcon} title={trans.__('Reading the file…')}>
        <Progress value={view.progress || null} label={trans.__('Reading the file')} />
        <p>{trans.__('You can go on with something else: it shows up here when it is ready.')}</p>
      </Message>
    );
  }
  return <Message icon={datasetIcon} title={trans.__('Opening…')} />;
}
