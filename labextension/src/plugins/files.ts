// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commands';
import { IWorkspace } from '../model';
import type { IUploadSource, Workspace } from '../model';
import { dappIcon, uploadIcon } from '../widgets/icons';
import { DOMAIN } from './shared';

/** Extensions of files that can be read as a table. */
const TABLES = [
  '.csv',
  '.tsv',
  '.txt',
  '.xlsx',
  '.xls',
  '.xlsm',
  '.ods',
  '.parquet',
  '.json',
  '.jsonl',
  '.ndjson',
  '.gz',
  '.zip'
];

/**
 * Files into the workspace: from a dialog, from the file browser's context menu, or by path.
 */
export const filesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-dapp:files',
  description: 'Uploads files to the DAPP workspace from the desktop and from the file browser.',
  autoStart: true,
  requires: [IWorkspace],
  optional: [IFileBrowserFactory, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    workspace: Workspace,
    browsers: IFileBrowserFactory | null,
    translator: ITranslator | null
  ): void => {
    const { commands } = app;
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const { contents } = app.serviceManager;

    const sourceOf = (path: string): IUploadSource => ({
      filename: contents.localPath(path).split('/').pop() ?? path,
      read: async () => workspace.api.file(await contents.getDownloadUrl(path))
    });

    commands.addCommand(CommandIDs.uploadFiles, {
      label: args => (args['toolbar'] ? trans.__('Upload') : trans.__('Upload Files to DAPP…')),
      caption: trans.__('Upload CSV, Excel, Parquet or JSON files; or drop them on the panel'),
      icon: uploadIcon,
      describedBy: { args: { type: 'object', properties: { toolbar: { type: 'boolean' } } } },
      isEnabled: () => workspace.mayWrite,
      execute: async () => {
        const files = await pickFiles();
        workspace.uploads.add(
          files.map(file => ({ filename: file.name, size: file.size, read: async () => file }))
        );
        if (files.length > 0) {
          await commands.execute(CommandIDs.showPanel);
        }
      }
    });

    commands.addCommand(CommandIDs.sendFiles, {
      label: trans.__('Send to DAPP'),
      caption: trans.__('Upload the selected files to the DAPP workspace'),
      icon: dappIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            paths: {
              type: 'array',
              items: { type: 'string' },
              description: 'Paths of files; what is selected in the file browser when left out.'
            }
          }
        }
      },
      isEnabled: () => workspace.mayWrite,
      execute: args => {
        const paths = (args['paths'] as string[] | undefined) ?? selected(browsers);
        workspace.uploads.add(paths.map(sourceOf));
      }
    });
    app.contextMenu.addItem({
      command: CommandIDs.sendFiles,
      selector: '.jp-DirListing-item[data-isdir="false"]',
      rank: 8.5
    });
  }
};

function selected(browsers: IFileBrowserFactory | null): string[] {
  const items = browsers?.tracker.currentWidget?.selectedItems() ?? [];
  return [...items].filter(item => item.type !== 'directory').map(item => item.path);
}

/** The browser's own file dialog; an empty list when it is closed without a choice. */
function pickFiles(): Promise<File[]> {
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = true;
  input.accept = TABLES.join(',');
  return new Promise(resolve => {
    input.onchange = () => resolve([...(input.files ?? [])]);
    input.oncancel = () => resolve([]);
    input.click();
  });
}
