// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { INotebookTracker } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commands';
import { IWorkspace, lines, withRows } from '../model';
import type { ISnippet, Workspace } from '../model';
import { dappIcon, insertIcon } from '../widgets/icons';
import { chosen, DOMAIN, ID_ARGS, pointedAt, report } from './shared';

const TEMPLATE = 'hybrid_workflow';

/**
 * Code for what is on the screen, and the notebook to start with.
 */
export const notebookPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-dapp:notebook',
  description: 'Inserts the lines that open things of the DAPP workspace, and opens the workflow template.',
  autoStart: true,
  requires: [IWorkspace],
  optional: [INotebookTracker, IDefaultFileBrowser, ILauncher, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    workspace: Workspace,
    tracker: INotebookTracker | null,
    browser: IDefaultFileBrowser | null,
    launcher: ILauncher | null,
    translator: ITranslator | null
  ): void => {
    const { commands } = app;
    const trans = (translator ?? nullTranslator).load(DOMAIN);

    commands.addCommand(CommandIDs.insertCode, {
      label: trans.__('Insert into Notebook'),
      caption: trans.__('Put the lines that open this at the cursor of the notebook'),
      icon: insertIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            kind: {
              type: 'string',
              description: 'dataset, profile, train, model, results, threshold, insight or code'
            },
            name: { type: 'string', description: 'Name of the dataset or model; id of the insight.' },
            code: { type: 'string', description: 'Lines as they are.' },
            filter: { type: 'string', description: 'Rows that are meant, in the words of the client.' },
            target: { type: 'string' },
            timeBudget: { type: 'number', description: 'Seconds.' },
            value: { type: 'number', description: 'Threshold: the probability.' },
            capacity: { type: 'number', description: 'Threshold: the share of rows that can be looked at.' },
            falseAlarm: { type: 'number', description: 'Threshold: what naming a case that is none costs.' },
            missed: { type: 'number', description: 'Threshold: what missing a case costs.' },
            fromMenu: { type: 'boolean' }
          }
        }
      },
      isVisible: () => tracker !== null,
      execute: async args => {
        const snippet = args['fromMenu'] ? snippetOf(workspace, pointedAt(app)) : given(args);
        if (!snippet || !tracker) {
          return;
        }
        const panel = tracker.currentWidget ?? (await newNotebook(app, browser));
        await panel.context.ready;
        insert(panel, snippet);
        app.shell.activateById(panel.id);
        Notification.success(trans.__('Inserted into %1', panel.title.label), { autoClose: 2500 });
      }
    });

    commands.addCommand(CommandIDs.insertSteps, {
      label: args => (args['toolbar'] ? '' : trans.__('Insert What I Did into Notebook…')),
      caption: trans.__('Put a step that you have just clicked into the notebook, as code'),
      icon: insertIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: { code: { type: 'string' }, toolbar: { type: 'boolean' } }
        }
      },
      isVisible: () => tracker !== null,
      isEnabled: () => workspace.steps.items.length > 0,
      execute: async args => {
        const choices = workspace.steps.items.map(each => ({ id: each, name: each }));
        const code = await chosen(app, { id: args['code'] }, trans.__('Which step?'), choices);
        return code === null
          ? undefined
          : commands.execute(CommandIDs.insertCode, { kind: 'code', name: code, code });
      }
    });
    workspace.steps.changed.connect(() => commands.notifyCommandChanged(CommandIDs.insertSteps), workspace);

    const write = async (name: string, folder: string, content: unknown): Promise<void> => {
      const { contents } = app.serviceManager;
      const path = await freePath(contents, folder, name);
      await contents.save(path, { type: 'notebook', format: 'json', content });
      await commands.execute('docmanager:open', { path, factory: 'Notebook' });
    };

    commands.addCommand(CommandIDs.openTrainingNotebook, {
      label: trans.__('Open Training Notebook'),
      caption: trans.__('The training as a notebook that runs by itself'),
      icon: insertIcon,
      describedBy: { args: ID_ARGS },
      isEnabled: args => !args['fromMenu'] || workspace.models.get(pointedAt(app) ?? '')?.status === 'ready',
      execute: args =>
        report(trans, async () => {
          const ready = workspace.models.items.filter(each => each.status === 'ready');
          const id = await chosen(app, args, trans.__('Which model?'), ready);
          if (id) {
            const model = workspace.models.get(id) ?? (await workspace.api.model(id));
            const stem = model.name.replace(/[^\p{L}\p{N}._-]+/gu, '_').slice(0, 80) || 'training';
            const notebook = withRows(await workspace.api.trainingNotebook(id), model);
            await write(stem, browser?.model.path ?? '', notebook);
          }
        })
    });

    commands.addCommand(CommandIDs.createWorkflow, {
      label: args =>
        args['isLauncher'] ? trans.__('Hybrid Workflow') : trans.__('New Hybrid Workflow Notebook'),
      caption: trans.__('From a file to a trained model in one notebook, shared with the dashboard'),
      icon: dappIcon,
      describedBy: {
        args: { type: 'object', properties: { isLauncher: { type: 'boolean' }, cwd: { type: 'string' } } }
      },
      execute: args =>
        report(trans, async () => {
          const content = await workspace.api.template();
          const folder = (args['cwd'] as string | undefined) ?? browser?.model.path ?? '';
          await write(TEMPLATE, folder, content);
        })
    });
    launcher?.add({
      command: CommandIDs.showPanel,
      category: trans.__('DAPP'),
      args: { isLauncher: true },
      rank: 0
    });
    launcher?.add({
      command: CommandIDs.createWorkflow,
      category: trans.__('DAPP'),
      args: { isLauncher: true },
      rank: 1
    });
  }
};

function given(args: Record<string, unknown>): ISnippet | null {
  const { kind, name, ...others } = args as Partial<ISnippet>;
  return kind && name ? { ...others, kind, name } : null;
}

function snippetOf(workspace: Workspace, id: string | undefined): ISnippet | null {
  const dataset = id ? workspace.datasets.get(id) : undefined;
  const model = id ? workspace.models.get(id) : undefined;
  if (dataset) {
    return { kind: 'dataset', name: dataset.name };
  }
  return model ? { kind: 'results', name: model.name } : null;
}

/** Into the active cell where it is empty, at the cursor where that line is, else into a new cell below. */
function insert(panel: NotebookPanel, snippet: ISnippet): void {
  const { content: notebook, model } = panel;
  const cells = model?.sharedModel;
  if (!cells) {
    return;
  }
  const at = notebook.activeCellIndex;
  const before = cells.cells.slice(0, at + 1).filter(cell => cell.cell_type === 'code');
  const text = lines(snippet, before.map(cell => cell.getSource()).join('\n'));
  const cell = notebook.activeCell;
  const editor = cell?.model.type === 'code' ? cell.editor : null;
  if (cell?.model.type === 'code' && !cell.model.sharedModel.getSource().trim()) {
    cell.model.sharedModel.setSource(text);
  } else if (notebook.mode === 'edit' && editor && !editor.getLine(editor.getCursorPosition().line)?.trim()) {
    editor.replaceSelection?.(text);
  } else {
    cells.insertCell(at + 1, { cell_type: 'code', source: text });
    notebook.activeCellIndex = at + 1;
  }
  const active = notebook.activeCell;
  if (active) {
    void notebook.scrollToCell(active);
  }
}

/** A new notebook with the default kernel, beside what is open. */
async function newNotebook(
  app: JupyterFrontEnd,
  browser: IDefaultFileBrowser | null
): Promise<NotebookPanel> {
  const { contents, kernelspecs } = app.serviceManager;
  const made = await contents.newUntitled({ path: browser?.model.path ?? '', type: 'notebook' });
  const kernel = kernelspecs.specs?.default;
  return app.commands.execute('docmanager:open', {
    path: made.path,
    factory: 'Notebook',
    kernel: kernel ? { name: kernel } : undefined
  }) as Promise<NotebookPanel>;
}

/** A name that is not taken in a folder. */
async function freePath(contents: Contents.IManager, folder: string, stem: string): Promise<string> {
  const listed = await contents.get(folder, { content: true });
  const taken = new Set((listed.content as Contents.IModel[]).map(each => each.name));
  let name = `${stem}.ipynb`;
  for (let number = 2; taken.has(name); number++) {
    name = `${stem}_${number}.ipynb`;
  }
  return folder ? `${folder}/${name}` : name;
}
