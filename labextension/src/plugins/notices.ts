// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import { CommandIDs } from '../commands';
import { IWorkspace, Notices } from '../model';
import type { INotice, INoticeBoard, Workspace } from '../model';
import { DOMAIN } from './shared';

const ID = 'jupyter-dapp:notices';

/**
 * Work of one's own as notifications, one for each.
 */
export const noticesPlugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Shows the progress of uploads and trainings as notifications.',
  autoStart: true,
  requires: [IWorkspace],
  optional: [ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    workspace: Workspace,
    registry: ISettingRegistry | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    let notices: Notices | null = null;
    const apply = (isOn: boolean): void => {
      if (isOn && !notices) {
        notices = new Notices(workspace, board(app.commands, trans), trans);
      } else if (!isOn) {
        notices?.dispose();
        notices = null;
      }
    };
    if (!registry) {
      apply(true);
      return;
    }
    void registry.load(ID).then(settings => {
      const read = (): void => apply(settings.get('notifications').composite !== false);
      settings.changed.connect(read, settings);
      read();
    });
  }
};

function board(commands: CommandRegistry, trans: TranslationBundle): INoticeBoard {
  const options = (notice: INotice): Notification.IOptions<null> => {
    const { opens, progress, state } = notice;
    const command = opens?.kind === 'model' ? CommandIDs.openModel : CommandIDs.openDataset;
    return {
      progress: state === 'in-progress' ? progress : undefined,
      autoClose: state === 'success' ? 6000 : state === 'error' ? 12_000 : false,
      actions: opens
        ? [{ label: trans.__('Open'), callback: () => void commands.execute(command, { id: opens.id }) }]
        : []
    };
  };
  return {
    post: notice => Notification.emit(notice.message, notice.state, options(notice)),
    change: (id, notice) =>
      Notification.update({ id, message: notice.message, type: notice.state, ...options(notice) }),
    dismiss: id => Notification.dismiss(id)
  };
}
