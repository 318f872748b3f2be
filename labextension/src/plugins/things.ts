// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Dialog, ICommandPalette, InputDialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { deleteIcon, editIcon, refreshIcon, shareIcon } from '@jupyterlab/ui-components';

import { ApiError } from '../api';
import { CommandIDs } from '../commands';
import { IWorkspace } from '../model';
import type { Workspace } from '../model';
import { FINAL_JOB_STATUSES } from '../schema';
import type { Visibility } from '../schema';
import { dashboardIcon, stopIcon } from '../widgets/icons';
import { chosen, DOMAIN, ID_ARGS, pointedAt, report } from './shared';

/** Names of the machine itself, which lead somewhere else from any other machine. */
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** What the two kinds of things have in common, seen from their commands. */
interface IKind {
  title: string;
  items: () => readonly { id: string; name: string; visibility: Visibility }[];
  update: (id: string, update: { name?: string; visibility?: Visibility }) => Promise<void>;
  remove: (id: string) => Promise<void>;
  warning: string;
}

/**
 * Commands that change things: rename, share, delete, stop, cancel, score; and the way to the dashboard.
 */
export const thingsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-dapp:things',
  description: 'Adds the commands that change datasets, models and jobs of the DAPP workspace.',
  autoStart: true,
  requires: [IWorkspace],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    workspace: Workspace,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const commands = new ThingCommands(app, workspace, trans);
    commands.addDatasets();
    commands.addModels();
    commands.addJobs();
    commands.addWorkspace();
    const { showPanel, signOut, openJob, ...others } = CommandIDs;
    for (const command of [showPanel, signOut, ...Object.values(others)]) {
      palette?.addItem({ command, category: trans.__('DAPP') });
    }
  }
};

class ThingCommands {
  constructor(
    private readonly _app: JupyterFrontEnd,
    private readonly _workspace: Workspace,
    private readonly _trans: TranslationBundle
  ) {}

  addDatasets(): void {
    const { api, datasets } = this._workspace;
    const trans = this._trans;
    const kind: IKind = {
      title: trans.__('Which dataset?'),
      items: () => datasets.items,
      update: async (id, update) => datasets.put(await api.updateDataset(id, update)),
      remove: async id => {
        await api.deleteDataset(id);
        datasets.remove(id);
      },
      warning: trans.__('Its rows are deleted for everyone. Models that were trained on it stay.')
    };
    this._addRename(CommandIDs.renameDataset, trans.__('Rename Dataset…'), kind);
    this._addShare(CommandIDs.shareDataset, kind);
    this._addDelete(CommandIDs.deleteDataset, trans.__('Delete Dataset…'), kind);
  }

  addModels(): void {
    const { api, models } = this._workspace;
    const trans = this._trans;
    const kind: IKind = {
      title: trans.__('Which model?'),
      items: () => models.items,
      update: async (id, update) => models.put(await api.updateModel(id, update)),
      remove: async id => {
        await api.deleteModel(id);
        models.remove(id);
      },
      warning: trans.__('It is deleted for everyone, with its results.')
    };
    this._addRename(CommandIDs.renameModel, trans.__('Rename Model…'), kind);
    this._addShare(CommandIDs.shareModel, kind);
    this._addDelete(CommandIDs.deleteModel, trans.__('Delete Model…'), kind);
    this._addStop();
    this._addPredict();
  }

  addJobs(): void {
    const { api, jobs } = this._workspace;
    const trans = this._trans;
    const { commands } = this._app;
    const running = (): { id: string; name: string }[] =>
      jobs.items
        .filter(each => !FINAL_JOB_STATUSES.includes(each.status))
        .map(({ id, subject }) => ({ id, name: subject.name }));
    commands.addCommand(CommandIDs.openJob, {
      label: trans.__('Open What It Works For'),
      describedBy: { args: ID_ARGS },
      execute: args => {
        const id = (args['fromMenu'] ? pointedAt(this._app) : args['id']) as string;
        const subject = jobs.get(id)?.subject;
        const open = subject?.kind === 'model' ? CommandIDs.openModel : CommandIDs.openDataset;
        return subject ? commands.execute(open, { id: subject.id }) : undefined;
      }
    });
    commands.addCommand(CommandIDs.cancelJob, {
      label: trans.__('Cancel Job'),
      icon: stopIcon,
      describedBy: { args: ID_ARGS },
      isEnabled: args => (args['fromMenu'] ? running().some(each => each.id === pointedAt(this._app)) : true),
      execute: async args => {
        const id = await chosen(this._app, args, trans.__('Which job?'), running());
        await report(trans, async () => id && jobs.put(await api.cancelJob(id)));
      }
    });
  }

  addWorkspace(): void {
    const trans = this._trans;
    const { commands } = this._app;
    commands.addCommand(CommandIDs.refresh, {
      label: args => (args['toolbar'] ? '' : trans.__('Refresh DAPP')),
      caption: trans.__('Load everything anew'),
      icon: refreshIcon,
      describedBy: { args: { type: 'object', properties: { toolbar: { type: 'boolean' } } } },
      execute: () => this._workspace.refresh()
    });
    commands.addCommand(CommandIDs.openDashboard, {
      label: args => (args['toolbar'] ? trans.__('Dashboard') : trans.__('Open the DAPP Dashboard')),
      caption: trans.__('Open the dashboard in a new browser tab, signed in'),
      icon: dashboardIcon,
      describedBy: { args: { type: 'object', properties: { toolbar: { type: 'boolean' } } } },
      isEnabled: () => this._workspace.account !== null,
      execute: () => this._openDashboard()
    });
  }

  private async _openDashboard(): Promise<void> {
    const trans = this._trans;
    // Opened before the server is asked: a browser blocks windows that open long after the click.
    const page = window.open('', '_blank');
    if (page) {
      page.opener = null;
      page.document.title = trans.__('DAPP');
      page.document.body.style.cssText =
        'font: 15px system-ui; margin: 20vh auto; text-align: center; color: #777';
      page.document.body.textContent = trans.__('Opening the dashboard…');
    }
    let isOpen = false;
    await report(trans, async () => {
      const { url } = await this._workspace.api.openDashboard();
      const target = new URL(url, window.location.href);
      if (LOOPBACK.test(target.hostname) && !LOOPBACK.test(window.location.hostname)) {
        throw new ApiError(
          'unavailable',
          trans.__(
            'The dashboard answers at %1, which only the server’s own machine reaches. Its administrator can set DAPP_DASHBOARD_URL.',
            target.origin
          )
        );
      }
      if (target.protocol === 'http:' || target.protocol === 'https:') {
        isOpen = true;
        if (page) {
          page.location.replace(target.href);
        } else {
          window.open(target.href, '_blank', 'noopener');
        }
      }
    });
    if (!isOpen) {
      page?.close();
    }
  }

  private _addRename(id: string, label: string, kind: IKind): void {
    const trans = this._trans;
    this._add(id, label, kind, async thing => {
      const answer = await InputDialog.getText({ title: trans.__('New name'), text: thing.name });
      const name = answer.value?.trim();
      if (answer.button.accept && name && name !== thing.name) {
        await report(trans, () => kind.update(thing.id, { name }));
      }
    });
  }

  private _addShare(id: string, kind: IKind): void {
    const trans = this._trans;
    this._app.commands.addCommand(id, {
      label: args => {
        const thing = args['fromMenu']
          ? kind.items().find(each => each.id === pointedAt(this._app))
          : undefined;
        if (!thing) {
          return id === CommandIDs.shareDataset
            ? trans.__('Share or Unshare Dataset…')
            : trans.__('Share or Unshare Model…');
        }
        return thing.visibility === 'team' ? trans.__('Make Private') : trans.__('Share with the Team');
      },
      icon: shareIcon,
      describedBy: { args: ID_ARGS },
      isEnabled: () => this._workspace.mayWrite,
      execute: async args => {
        const found = await chosen(this._app, args, kind.title, kind.items());
        const thing = kind.items().find(each => each.id === found);
        if (thing) {
          const visibility = thing.visibility === 'team' ? 'private' : 'team';
          await report(trans, () => kind.update(thing.id, { visibility }));
        }
      }
    });
  }

  private _addDelete(id: string, label: string, kind: IKind): void {
    const trans = this._trans;
    this._add(id, label, kind, async thing => {
      const answer = await showDialog({
        title: trans.__('Delete %1?', thing.name),
        body: kind.warning,
        buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Delete') })]
      });
      if (answer.button.accept) {
        await report(trans, () => kind.remove(thing.id));
      }
    });
  }

  private _add(
    id: string,
    label: string,
    kind: IKind,
    act: (thing: { id: string; name: string }) => Promise<void>
  ): void {
    this._app.commands.addCommand(id, {
      label,
      icon: label.startsWith(this._trans.__('Delete')) ? deleteIcon : editIcon,
      describedBy: { args: ID_ARGS },
      isEnabled: () => this._workspace.mayWrite,
      execute: async args => {
        const found = await chosen(this._app, args, kind.title, kind.items());
        const thing = kind.items().find(each => each.id === found);
        if (thing) {
          await act(thing);
        }
      }
    });
  }

  private _addStop(): void {
    const { api, models } = this._workspace;
    const trans = this._trans;
    const training = (): { id: string; name: string }[] =>
      models.items.filter(each => each.status === 'training' || each.status === 'queued');
    this._app.commands.addCommand(CommandIDs.stopTraining, {
      label: trans.__('Stop Training and Keep the Best'),
      icon: stopIcon,
      describedBy: { args: ID_ARGS },
      isEnabled: args =>
        args['fromMenu'] ? training().some(each => each.id === pointedAt(this._app)) : true,
      execute: async args => {
        const id = await chosen(this._app, args, trans.__('Which model?'), training());
        await report(trans, async () => id && models.put(await api.stopTraining(id)));
      }
    });
  }

  private _addPredict(): void {
    const { api, datasets, jobs, models } = this._workspace;
    const trans = this._trans;
    const ready = (): { id: string; name: string }[] => models.items.filter(each => each.status === 'ready');
    this._app.commands.addCommand(CommandIDs.predictDataset, {
      label: trans.__('Score a Dataset…'),
      describedBy: { args: ID_ARGS },
      isEnabled: args =>
        this._workspace.mayWrite &&
        (args['fromMenu'] ? ready().some(each => each.id === pointedAt(this._app)) : true),
      execute: async args => {
        const model = await chosen(this._app, args, trans.__('Score with which model?'), ready());
        if (!model) {
          return;
        }
        const choices = datasets.items.filter(each => each.status === 'ready');
        const dataset = await chosen(this._app, {}, trans.__('Score which dataset?'), choices);
        await report(trans, async () => {
          if (dataset) {
            const made = await api.predictDataset(model, { dataset });
            datasets.touch(made.dataset_id);
            jobs.touch(made.job_id);
          }
        });
      }
    });
  }
}
