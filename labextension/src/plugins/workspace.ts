// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { Api } from '../api';
import { IWorkspace, Workspace } from '../model';
import type { Visibility } from '../schema';
import { SETTINGS } from './shared';

/**
 * The workspace that the other plugins share. It begins to speak with the server after JupyterLab is on the screen.
 */
export const workspacePlugin: JupyterFrontEndPlugin<Workspace> = {
  id: 'jupyter-dapp:workspace',
  description: 'Follows the DAPP workspace: account, datasets, models, jobs and events.',
  autoStart: true,
  provides: IWorkspace,
  optional: [ISettingRegistry],
  activate: (app: JupyterFrontEnd, registry: ISettingRegistry | null): Workspace => {
    const workspace = new Workspace(new Api(app.serviceManager.serverSettings));
    const lookAgain = (): void => {
      if (document.visibilityState === 'visible') {
        workspace.api.feed.retryNow();
      }
    };
    // A laptop that wakes up and a network that comes back need not wait for the next attempt.
    window.addEventListener('online', lookAgain);
    document.addEventListener('visibilitychange', lookAgain);
    void registry?.load(SETTINGS).then(settings => {
      const read = (): void => {
        workspace.preferences.visibility = settings.get('visibility').composite as Visibility;
        workspace.preferences.timeBudget = settings.get('timeBudget').composite as number;
      };
      settings.changed.connect(read, workspace);
      read();
    });
    void app.restored.then(() => workspace.start());
    return workspace;
  }
};
