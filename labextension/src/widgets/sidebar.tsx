// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import {
  CommandToolbarButton,
  PanelWithToolbar,
  ReactWidget,
  SidePanel,
  Toolbar,
  UseSignal
} from '@jupyterlab/ui-components';
import { MessageLoop } from '@lumino/messaging';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import type { AccordionPanel } from '@lumino/widgets';
import { Widget } from '@lumino/widgets';
import * as React from 'react';

import { CommandIDs } from '../commands';
import { Told } from '../model';
import type { IContext } from './context';
import { FileDrop } from './drop';
import type { IDropped } from './drop';
import { Gate } from './gate';
import { Header } from './header';
import { dappIcon } from './icons';
import { ActivityList, DatasetList, JobList, ModelList } from './lists';
import { Notices } from './told';

/** The text that the lists are narrowed to. */
export interface ISearch {
  readonly text: string;
}

/**
 * The panel in the left sidebar: who is signed in, the tools, and four live lists.
 */
export class DappPanel extends SidePanel {
  constructor(context: IContext) {
    super();
    this._context = context;
    const { trans, workspace } = context;
    this._told = new Told(workspace);
    this.id = 'jupyter-dapp-panel';
    this.title.icon = dappIcon;
    this.title.caption = trans.__('DAPP: datasets, models, jobs and activity');
    this.addClass('jp-Dapp');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('DAPP workspace'));
    this.header.addWidget(this._makeHeader());
    this._fillToolbar();
    this._addSections();
    workspace.stateChanged.connect(this._onState, this);
    this._drop = new FileDrop(this.node, workspace);
    this._onState();
  }

  /** Files that were dropped on the panel. */
  get dropped(): ISignal<FileDrop, IDropped> {
    return this._drop.dropped;
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._drop.dispose();
      this._told.dispose();
      Signal.clearData(this);
      super.dispose();
    }
  }

  private _makeHeader(): Widget {
    const header = ReactWidget.create(
      <>
        <Header context={this._context} onSearch={text => this._search(text)} />
        <Notices told={this._told} trans={this._context.trans} />
        <Gate context={this._context} />
      </>
    );
    header.addClass('jp-Dapp-header');
    return header;
  }

  private _fillToolbar(): void {
    const { commands, trans } = this._context;
    this.toolbar.node.setAttribute('aria-label', trans.__('DAPP tools'));
    const items: [string, string, string][] = [
      ['upload', CommandIDs.uploadFiles, trans.__('Upload')],
      ['steps', CommandIDs.insertSteps, ''],
      ['refresh', CommandIDs.refresh, ''],
      ['dashboard', CommandIDs.openDashboard, trans.__('Dashboard')]
    ];
    for (const [name, id, label] of items) {
      this.toolbar.addItem(name, new CommandToolbarButton({ commands, id, label, args: { toolbar: true } }));
      if (name === 'upload') {
        this.toolbar.addItem('spacer', Toolbar.createSpacerItem());
      }
    }
  }

  private _addSections(): void {
    const { trans, workspace } = this._context;
    const { datasets, models, jobs, activity, uploads } = workspace;
    const section = (
      title: string,
      signals: ISignal<unknown, unknown>[],
      list: () => React.ReactElement
    ): void => {
      const panel = new PanelWithToolbar();
      panel.addClass('jp-Dapp-section');
      panel.title.label = title;
      panel.addWidget(
        ReactWidget.create(<Live signals={[...signals, this._searched, this._ticked]}>{list}</Live>)
      );
      this.addWidget(panel);
    };
    const props = (): { context: IContext; search: string } => ({
      context: this._context,
      search: this._text
    });
    section(trans.__('Datasets'), [datasets.changed, uploads.changed, jobs.changed], () => (
      <DatasetList {...props()} />
    ));
    section(trans.__('Models'), [models.changed, jobs.changed], () => <ModelList {...props()} />);
    section(trans.__('Jobs'), [jobs.changed], () => <JobList {...props()} />);
    section(trans.__('Activity'), [activity.changed], () => <ActivityList {...props()} />);
  }

  protected override onAfterAttach(): void {
    // Jobs of the past and the activity matter less than what there is.
    (this.content as AccordionPanel).setRelativeSizes([4, 3, 2, 2]);
    // "3 min ago" has to grow old.
    // The header changes its height when the account is known; the sections take what is left.
    this._resizes.observe(this.content.node);
    this._clock = window.setInterval(() => this.isVisible && this._ticked.emit(), 30_000);
  }

  protected override onBeforeDetach(): void {
    window.clearInterval(this._clock);
    this._resizes.disconnect();
  }

  private _search(text: string): void {
    this._text = text;
    this._searched.emit();
    window.clearTimeout(this._searching);
    this._searching = window.setTimeout(() => {
      void this._context.workspace.datasets.search(text);
      void this._context.workspace.models.search(text);
    }, 250);
  }

  private _onState(): void {
    const isIn = this._context.workspace.sessionState === 'signed-in';
    this.toolbar.setHidden(!isIn);
    this.content.setHidden(!isIn);
  }

  private _context: IContext;
  private _drop: FileDrop;
  private _told: Told;
  private _resizes = new ResizeObserver(() => {
    MessageLoop.postMessage(this.content, Widget.ResizeMessage.UnknownSize);
  });
  private _text = '';
  private _searching = 0;
  private _clock = 0;
  private _searched = new Signal<this, void>(this);
  private _ticked = new Signal<this, void>(this);
}

/** Draw again whenever one of the signals is emitted. */
function Live(props: {
  signals: ISignal<unknown, unknown>[];
  children: () => React.ReactElement;
}): React.ReactElement {
  const { signals, children } = props;
  const [first, ...others] = signals;
  if (first === undefined) {
    return children();
  }
  return <UseSignal signal={first}>{() => <Live signals={others}>{children}</Live>}</UseSignal>;
}
