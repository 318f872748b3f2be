// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILabShell, ILayoutRestorer } from '@jupyterlab/application';
import { IThemeManager, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { ISignal } from '@lumino/signaling';
import type { Widget } from '@lumino/widgets';
import { SplitPanel, TabPanel } from '@lumino/widgets';

import { CommandIDs } from '../commands';
import { DatasetView, InsightsView, IWorkspace, LineageView, ModelView } from '../model';
import type { Workspace } from '../model';
import type { ModelRead } from '../schema';
import type { ActivityPanel } from '../widgets/activity';
import type { IContext } from '../widgets/context';
import type { DatasetPanel } from '../widgets/dataset';
import { activityIcon, datasetIcon, insightIcon, lineageIcon, modelIcon, trainIcon } from '../widgets/icons';
import type { InsightsPanel } from '../widgets/insights';
import type { LineagePanel } from '../widgets/lineage';
import type { ModelPanel } from '../widgets/model';
import type { TrainPanel } from '../widgets/train';
import { chosen, DOMAIN, ID_ARGS } from './shared';

/** Lower than this nothing can be seen, in pixels. */
const STRIP = 120;

/** In a narrower window there is no room for the sidebar and a tab, in pixels. */
const NARROW = 640;

/** What may be needed later is fetched after this pause, in milliseconds. */
const CALM = 500;

type Tab<T extends Widget> = MainAreaWidget<T>;

/** A kind of tab: one per thing, found again instead of opened twice. */
interface IKind<T extends Widget> {
  command: string;
  namespace: string;
  icon: LabIcon;
  label: string;
  /** The title of a tab while no name is known. */
  noun: string;
  question: string;
  choices: () => readonly { id: string; name: string }[];
  /** There is one such tab, about everything. */
  isSingle?: boolean;
  isEnabled?: () => boolean;
  create: (id: string) => Promise<T>;
  /** The title, as far as it is known. */
  titled: (content: T) => { name?: string; changed: ISignal<unknown, void> };
}

/**
 * Tabs of the main area: a dataset, the training form, a model. They come back after a reload.
 */
export const tabsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-dapp:tabs',
  description: 'Opens datasets, trainings, models, insights and activity of the DAPP workspace as tabs.',
  autoStart: true,
  requires: [IWorkspace],
  optional: [ILabShell, ILayoutRestorer, IThemeManager, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    workspace: Workspace,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    themes: IThemeManager | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const context = { workspace, commands: app.commands, trans };
    const tabs = new Tabs(app, context, labShell, restorer);
    const datasets = tabs.add(datasetKind(tabs.context, trans));
    tabs.add(trainKind(tabs, trans));
    tabs.add(modelKind(tabs.context, trans));
    tabs.add(activityKind(tabs.context, trans));
    tabs.add(insightsKind(tabs.context, trans));
    tabs.add(lineageKind(tabs.context, trans));
    prepareTables(workspace);
    themes?.themeChanged.connect(() => datasets.forEach(tab => tab.content.grid.recolour()), datasets);
  }
};

function datasetKind(context: IContext, trans: TranslationBundle): IKind<DatasetPanel> {
  const { datasets } = context.workspace;
  return {
    command: CommandIDs.openDataset,
    namespace: 'dapp-dataset',
    icon: datasetIcon,
    label: trans.__('Open Dataset'),
    noun: trans.__('Dataset'),
    question: trans.__('Which dataset?'),
    choices: () => datasets.items,
    create: async id => {
      const { DatasetPanel } = await import('../widgets/dataset');
      return new DatasetPanel(context, new DatasetView(context.workspace, id));
    },
    titled: ({ view }) => ({ name: view.dataset?.name, changed: view.changed })
  };
}

function modelKind(context: IContext, trans: TranslationBundle): IKind<ModelPanel> {
  const { models } = context.workspace;
  return {
    command: CommandIDs.openModel,
    namespace: 'dapp-model',
    icon: modelIcon,
    label: trans.__('Open Model'),
    noun: trans.__('Model'),
    question: trans.__('Which model?'),
    choices: () => models.items,
    create: async id => {
      const { ModelPanel } = await import('../widgets/model');
      return new ModelPanel(context, new ModelView(context.workspace, id));
    },
    titled: ({ view }) => ({ name: view.model?.name, changed: view.changed })
  };
}

function trainKind(tabs: Tabs, trans: TranslationBundle): IKind<TrainPanel> {
  const { workspace } = tabs.context;
  return {
    command: CommandIDs.trainModel,
    namespace: 'dapp-train',
    icon: trainIcon,
    label: trans.__('Train a Model'),
    noun: trans.__('Train'),
    question: trans.__('Train on which dataset?'),
    choices: () => workspace.datasets.items.filter(each => each.status === 'ready'),
    isEnabled: () => workspace.mayWrite,
    create: async id => {
      const { TrainPanel } = await import('../widgets/train');
      const panel = new TrainPanel(tabs.context, new DatasetView(workspace, id));
      panel.started.connect((sender, model) => void tabs.follow(sender, model), tabs);
      return panel;
    },
    titled: ({ view }) => ({
      name: view.dataset ? trans.__('Train: %1', view.dataset.name) : undefined,
      changed: view.changed
    })
  };
}

function activityKind(context: IContext, trans: TranslationBundle): IKind<ActivityPanel> {
  return {
    command: CommandIDs.openActivity,
    namespace: 'dapp-activity',
    icon: activityIcon,
    label: trans.__('DAPP Activity'),
    noun: trans.__('DAPP Activity'),
    question: '',
    choices: () => [],
    isSingle: true,
    create: async () => {
      const { ActivityPanel } = await import('../widgets/activity');
      return new ActivityPanel(context);
    },
    titled: () => ({ changed: context.workspace.stateChanged })
  };
}

function insightsKind(context: IContext, trans: TranslationBundle): IKind<InsightsPanel> {
  return {
    command: CommandIDs.openInsights,
    namespace: 'dapp-insights',
    icon: insightIcon,
    label: trans.__('DAPP Insights'),
    noun: trans.__('DAPP Insights'),
    question: '',
    choices: () => [],
    isSingle: true,
    create: async () => {
      const { InsightsPanel } = await import('../widgets/insights');
      return new InsightsPanel(context, new InsightsView(context.workspace));
    },
    titled: ({ view }) => ({ changed: view.changed })
  };
}

function lineageKind(context: IContext, trans: TranslationBundle): IKind<LineagePanel> {
  const { datasets, models } = context.workspace;
  return {
    command: CommandIDs.openLineage,
    namespace: 'dapp-lineage',
    icon: lineageIcon,
    label: trans.__('Show the Lineage'),
    noun: trans.__('Lineage'),
    question: trans.__('Of which dataset or model?'),
    choices: () => [...datasets.items, ...models.items],
    create: async id => {
      const { LineagePanel } = await import('../widgets/lineage');
      return new LineagePanel(context, new LineageView(context.workspace, id));
    },
    titled: ({ view }) => ({
      name: view.name === undefined ? undefined : trans.__('Lineage: %1', view.name),
      changed: view.changed
    })
  };
}

/** The first table that is opened need not wait for its code: it is fetched soon after there is something to open. */
function prepareTables(workspace: Workspace): void {
  const { changed } = workspace.datasets;
  const prepare = (): void => {
    if (workspace.datasets.items.length > 0) {
      changed.disconnect(prepare, workspace);
      window.setTimeout(() => void import('../widgets/dataset'), CALM);
    }
  };
  changed.connect(prepare, workspace);
}

/** What a tab is opened with. */
interface IOpened {
  id: string;
  /** The title that it had before a reload. */
  title?: string;
}

class Tabs {
  constructor(
    private readonly _app: JupyterFrontEnd,
    readonly context: IContext,
    private readonly _labShell: ILabShell | null,
    private readonly _restorer: ILayoutRestorer | null
  ) {}

  /** Add the command that opens tabs of a kind. */
  add<T extends Widget>(kind: IKind<T>): WidgetTracker<Tab<T>> {
    const { commands } = this._app;
    const tracker = new WidgetTracker<Tab<T>>({ namespace: kind.namespace });
    commands.addCommand(kind.command, {
      label: kind.label,
      icon: kind.icon,
      describedBy: { args: ID_ARGS },
      isEnabled: () => kind.isEnabled?.() ?? true,
      execute: async args => {
        const id = kind.isSingle ? 'all' : await chosen(this._app, args, kind.question, kind.choices());
        return id === null
          ? null
          : this._open(kind, tracker, { id, title: args['title'] as string | undefined });
      }
    });
    void this._restorer?.restore(tracker, {
      command: kind.command,
      // What is gone after a reload cannot tell its name any more.
      args: tab => ({ id: idOf(tab), title: tab.title.label }),
      name: tab => idOf(tab)
    });
    return tracker;
  }

  /** Put the new model in the place of the form that started it. */
  async follow(form: Widget, model: ModelRead): Promise<void> {
    await this.context.commands.execute(CommandIDs.openModel, { id: model.id });
    form.parent?.dispose();
  }

  private async _open<T extends Widget>(
    kind: IKind<T>,
    tracker: WidgetTracker<Tab<T>>,
    thing: IOpened
  ): Promise<Tab<T>> {
    const { id } = thing;
    if (window.innerWidth < NARROW) {
      this._labShell?.collapseLeft();
    }
    const known = tracker.find(tab => idOf(tab) === id);
    if (known) {
      this._app.shell.activateById(known.id);
      bringForward(known);
      return known;
    }
    // A double click asks twice before the first tab is there.
    const key = `${kind.namespace}-${id}`;
    let opening = this._opening.get(key) as Promise<Tab<T>> | undefined;
    if (!opening) {
      opening = this._create(kind, tracker, thing).finally(() => this._opening.delete(key));
      this._opening.set(key, opening);
    }
    return opening;
  }

  private async _create<T extends Widget>(
    kind: IKind<T>,
    tracker: WidgetTracker<Tab<T>>,
    { id, title }: IOpened
  ): Promise<Tab<T>> {
    const content = await kind.create(id);
    const tab = new MainAreaWidget({ content });
    tab.id = `${kind.namespace}-${id}`;
    tab.node.dataset.dappThing = id;
    tab.title.icon = kind.icon;
    tab.title.closable = true;
    tab.toolbar.hide();
    const { changed } = kind.titled(content);
    const retitle = (): void => {
      const label = kind.titled(content).name ?? title ?? kind.noun;
      if (label !== tab.title.label) {
        tab.title.label = label;
        tab.title.caption = label;
        if (tracker.has(tab)) {
          void tracker.save(tab);
        }
      }
    };
    changed.connect(retitle, tab);
    retitle();
    await tracker.add(tab);
    // Notebook 7 has room for one document in its main area; what stands beside it goes below.
    this._app.shell.add(tab, this._labShell ? 'main' : 'down', { type: 'DAPP' });
    this._app.shell.activateById(tab.id);
    bringForward(tab);
    makeRoom(tab);
    return tab;
  }

  private readonly _opening = new Map<string, Promise<Widget>>();
}

/** Notebook 7 looks for what it activates everywhere but in its lower area. */
function bringForward(tab: Widget): void {
  let at = tab.parent;
  while (at && !(at instanceof TabPanel)) {
    at = at.parent;
  }
  if (at && at.currentWidget !== tab) {
    at.currentWidget = tab;
    tab.activate();
  }
}

/** Notebook 7's lower area opens as a strip of tabs: give it room, unless the user has. */
function makeRoom(tab: Widget): void {
  let at = tab.parent;
  while (at && !(at instanceof SplitPanel)) {
    at = at.parent;
  }
  if (at instanceof SplitPanel && tab.node.closest('#jp-down-stack') && tab.node.offsetHeight < STRIP) {
    at.setRelativeSizes([1, 1]);
  }
}

function idOf(tab: Widget): string {
  return tab.node.dataset.dappThing ?? '';
}
