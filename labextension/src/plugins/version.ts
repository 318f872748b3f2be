// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { ApiError } from '../api';
import { fits, IWorkspace } from '../model';
import type { Workspace } from '../model';
import { VERSION } from '../schema';
import { DOMAIN } from './shared';

const TOLD = 'jupyter-dapp:version-told';

/**
 * Says once when the server is of another release than this extension.
 */
export const versionPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-dapp:version',
  description: 'Tells when the DAPP server and this extension are of releases that do not fit.',
  autoStart: true,
  requires: [IWorkspace],
  optional: [IStateDB, ITranslator],
  activate: (
    _: JupyterFrontEnd,
    workspace: Workspace,
    state: IStateDB | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    let asked = false;
    const look = async (): Promise<void> => {
      if (asked || !workspace.account) {
        return;
      }
      asked = true;
      try {
        const { version } = await workspace.api.status();
        const pair = `${version}/${VERSION}`;
        if (!fits(version, VERSION) && (await state?.fetch(TOLD)) !== pair) {
          await state?.save(TOLD, pair);
          Notification.warning(
            trans.__(
              'The DAPP server is version %1, this extension %2. Some things may not work: install the same version and reload.',
              version,
              VERSION
            ),
            { autoClose: false }
          );
        }
      } catch (error) {
        if (!(error instanceof ApiError)) {
          throw error;
        }
        asked = false;
      }
    };
    workspace.stateChanged.connect(() => void look(), workspace);
  }
};
