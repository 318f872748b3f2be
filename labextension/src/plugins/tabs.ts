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
import { SplitPanel } from '@lumino/widgets';

import { CommandIDs } from '../commands';
import { DatasetView, InsightsView, IWorkspace, ModelView } from '../model';
import type { Workspace } from '../model';
import type { ModelRead } from '../schema';
import type { ActivityPanel } from '../widgets/activity';
import type { IContext } from '../widgets/context';
import type { DatasetPanel } from '../widgets/dataset';
import { activityIcon, datasetIcon, insightIcon, modelIcon, trainIcon } from '../widgets/icons';
import type { InsightsPanel } from '../widgets/insights';
import type { ModelPanel } from '../widgets/model';
import type { TrainPanel } from '../widgets/train';
import { chosen, DOMAIN, ID_ARGS } from './shared';

/** Lower than this nothing can be seen, in pixels. */
const STRIP = 120;

type Tab<T extends Widget> = MainAreaWidget<T>;

/** A kind of tab: one per thing, found again instead of opened twice. */
interface IKind<T extends Widget> {
  command: string;
  namespace: string;
  icon: LabIcon;
  label: string;
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
        return id === null ? null : this._open(kind, tracker, id);
      }
    });
    void this._restorer?.restore(tracker, {
      command: kind.command,
      args: tab => ({ id: idOf(tab) }),
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
    id: string
  ): Promise<Tab<T>> {
    const known = tracker.find(tab => idOf(tab) === id);
    if (known) {
      this._app.shell.activateById(known.id);
      return known;
    }
    // A double click asks twice before the first tab is there.
    const key = `${kind.namespace}-${id}`;
    let opening = this._opening.get(key) as Promise<Tab<T>> | undefined;
    if (!opening) {
      opening = this._create(kind, tracker, id).finally(() => this._opening.delete(key));
      this._opening.set(key, opening);
    }
    return opening;
  }

  private async _create<T extends Widget>(
    kind: IKind<T>,
    tracker: WidgetTracker<Tab<T>>,
    id: string
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
      const { name } = kind.titled(content);
      tab.title.label = name ?? kind.label;
      tab.title.caption = tab.title.label;
    };
    changed.connect(retitle, tab);
    retitle();
    await tracker.add(tab);
    // Notebook 7 has room for one document in its main area; what stands beside it goes below.
    this._app.shell.add(tab, this._labShell ? 'main' : 'down', { type: 'DAPP' });
    this._app.shell.activateById(tab.id);
    makeRoom(tab);
    return tab;
  }

  private readonly _opening = new Map<string, Promise<Widget>>();
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
