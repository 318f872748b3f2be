// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { bellIcon, checkIcon } from '@jupyterlab/ui-components';

import { CommandIDs } from '../commands';
import { IWorkspace } from '../model';
import type { Workspace } from '../model';
import { dappIcon } from '../widgets/icons';
import { DappPanel } from '../widgets/sidebar';
import { DOMAIN, report } from './shared';

/**
 * The panel in the left sidebar, its toolbar's commands and its context menus.
 */
export const sidebarPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-dapp:sidebar',
  description: 'Shows datasets, models, jobs and activity of the DAPP workspace in the left sidebar.',
  autoStart: true,
  requires: [IWorkspace],
  optional: [ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    workspace: Workspace,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ): void => {
    const { commands, shell } = app;
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const panel = new DappPanel({ workspace, commands, trans });
    panel.dropped.connect((_, { files, paths }) => {
      void commands.execute(CommandIDs.sendFiles, { paths: [...paths] });
      workspace.uploads.add(
        files.map(file => ({ filename: file.name, size: file.size, read: async () => file }))
      );
    }, panel);
    shell.add(panel, 'left', { rank: 600, type: 'DAPP' });
    restorer?.add(panel, panel.id);

    commands.addCommand(CommandIDs.showPanel, {
      label: args => (args['isLauncher'] ? trans.__('Datasets and Models') : trans.__('Show the DAPP Panel')),
      caption: trans.__('Upload, look, train and predict, in the panel on the left'),
      icon: dappIcon,
      describedBy: { args: { type: 'object', properties: { isLauncher: { type: 'boolean' } } } },
      execute: () => shell.activateById(panel.id)
    });
    commands.addCommand(CommandIDs.showNotices, {
      label: trans.__('Show DAPP Notices'),
      caption: trans.__('What concerns you: datasets that are ready, trainings that ended, what was shared'),
      icon: bellIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      isEnabled: () => workspace.account !== null,
      execute: () => {
        shell.activateById(panel.id);
        workspace.bell.isOpen = true;
      }
    });
    commands.addCommand(CommandIDs.markNoticesRead, {
      label: trans.__('Mark All DAPP Notices as Read'),
      icon: checkIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      isEnabled: () => workspace.account !== null,
      execute: () => report(trans, () => workspace.bell.mark(null))
    });
    addAccountCommands(app, workspace, translator ?? nullTranslator);
    addContextMenus(app);
  }
};

function addAccountCommands(app: JupyterFrontEnd, workspace: Workspace, translator: ITranslator): void {
  const { commands } = app;
  const trans = translator.load(DOMAIN);
  commands.addCommand(CommandIDs.signOut, {
    label: trans.__('Sign Out of DAPP'),
    describedBy: { args: { type: 'object', properties: {} } },
    isEnabled: () => workspace.account !== null,
    execute: () => report(trans, () => workspace.api.session.signOut())
  });
  workspace.stateChanged.connect(() => commands.notifyCommandChanged(), workspace);
}

function addContextMenus(app: JupyterFrontEnd): void {
  const menus: Record<string, string[]> = {
    dataset: [
      CommandIDs.openDataset,
      CommandIDs.trainModel,
      CommandIDs.insertCode,
      CommandIDs.openLineage,
      '',
      CommandIDs.renameDataset,
      CommandIDs.shareDataset,
      CommandIDs.grantDataset,
      CommandIDs.restoreDataset,
      CommandIDs.deleteDataset
    ],
    model: [
      CommandIDs.openModel,
      CommandIDs.predictDataset,
      CommandIDs.insertCode,
      CommandIDs.openTrainingNotebook,
      CommandIDs.openLineage,
      CommandIDs.stopTraining,
      CommandIDs.extendTraining,
      CommandIDs.skipFamily,
      '',
      CommandIDs.showVersions,
      CommandIDs.promoteModel,
      '',
      CommandIDs.renameModel,
      CommandIDs.shareModel,
      CommandIDs.grantModel,
      CommandIDs.deleteModel
    ],
    job: [CommandIDs.openJob, CommandIDs.cancelJob]
  };
  for (const [kind, ids] of Object.entries(menus)) {
    const selector = `.jp-Dapp-row[data-dapp-kind="${kind}"]`;
    ids.forEach((command, rank) =>
      app.contextMenu.addItem(
        command
          ? { command, args: { fromMenu: true }, selector, rank }
          : { type: 'separator', selector, rank }
      )
    );
  }
}
