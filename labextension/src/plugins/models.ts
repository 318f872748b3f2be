// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Dialog, InputDialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { addIcon, deleteIcon, historyIcon } from '@jupyterlab/ui-components';

import { CommandIDs } from '../commands';
import { IWorkspace, wording } from '../model';
import type { Workspace } from '../model';
import type { Family, ModelRead } from '../schema';
import { chosen, DOMAIN, ID_ARGS, pointedAt, report } from './shared';

/** How much time is offered to a search that goes on, in seconds. */
const MORE_TIME = [60, 300, 600, 3600];
const FAMILIES: readonly Family[] = ['linear', 'lightgbm', 'forest', 'neighbours', 'neural'];

/**
 * Commands that steer a search, choose among the versions of a model, and take insights back.
 */
export const modelsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-dapp:models',
  description: 'Adds the commands that steer trainings and choose among the versions of a model.',
  autoStart: true,
  requires: [IWorkspace],
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, workspace: Workspace, translator: ITranslator | null): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const commands = new ModelCommands(app, workspace, trans);
    commands.addExtend();
    commands.addSkip();
    commands.addPromote();
    commands.addVersions();
    commands.addDeleteInsight();
  }
};

class ModelCommands {
  constructor(
    private readonly _app: JupyterFrontEnd,
    private readonly _workspace: Workspace,
    private readonly _trans: TranslationBundle
  ) {}

  addExtend(): void {
    const trans = this._trans;
    this._app.commands.addCommand(CommandIDs.extendTraining, {
      label: trans.__('Give the Search More Time…'),
      icon: addIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: { id: { type: 'string' }, seconds: { type: 'number' }, fromMenu: { type: 'boolean' } }
        }
      },
      isEnabled: args => this._isTraining(args['fromMenu'] ? pointedAt(this._app) : undefined),
      execute: async args => {
        const id = await chosen(this._app, args, trans.__('Which training?'), this._training());
        const seconds = id && ((args['seconds'] as number | undefined) ?? (await this._askForTime()));
        if (id && seconds) {
          await report(trans, async () =>
            this._workspace.models.put(await this._workspace.api.extendTraining(id, seconds))
          );
        }
      }
    });
  }

  addSkip(): void {
    const trans = this._trans;
    this._app.commands.addCommand(CommandIDs.skipFamily, {
      label: trans.__('Leave a Kind of Model Out…'),
      describedBy: {
        args: {
          type: 'object',
          properties: { id: { type: 'string' }, family: { type: 'string' }, fromMenu: { type: 'boolean' } }
        }
      },
      isEnabled: args => this._isTraining(args['fromMenu'] ? pointedAt(this._app) : undefined),
      execute: async args => {
        const id = await chosen(this._app, args, trans.__('Which training?'), this._training());
        const left = FAMILIES.filter(each => !this._workspace.models.get(id ?? '')?.skipped.includes(each));
        const choices = left.map(each => ({ id: each, name: wording.familyName(each, trans) }));
        const family =
          id && (await chosen(this._app, { id: args['family'] }, trans.__('Leave which kind out?'), choices));
        if (id && family) {
          await report(trans, async () =>
            this._workspace.models.put(await this._workspace.api.skipFamily(id, family as Family))
          );
        }
      }
    });
  }

  addPromote(): void {
    const trans = this._trans;
    const ready = (): readonly ModelRead[] =>
      this._workspace.models.items.filter(each => each.status === 'ready' && !each.champion);
    this._app.commands.addCommand(CommandIDs.promoteModel, {
      label: trans.__('Make It the Champion…'),
      describedBy: { args: ID_ARGS },
      isEnabled: args =>
        this._workspace.mayWrite &&
        (args['fromMenu'] ? ready().some(each => each.id === pointedAt(this._app)) : true),
      execute: async args => {
        const id = await chosen(this._app, args, trans.__('Which model?'), ready());
        if (!id) {
          return;
        }
        const answer = await InputDialog.getText({
          title: trans.__('Why should predictions by name go to this version?'),
          placeholder: trans.__('for the log, in a few words')
        });
        const reason = answer.value?.trim();
        if (answer.button.accept && reason) {
          await report(trans, async () =>
            this._workspace.models.put(await this._workspace.api.promoteModel(id, reason))
          );
        }
      }
    });
  }

  addVersions(): void {
    const trans = this._trans;
    this._app.commands.addCommand(CommandIDs.showVersions, {
      label: trans.__('Versions of the Model…'),
      icon: historyIcon,
      describedBy: { args: ID_ARGS },
      execute: async args => {
        const id = await chosen(this._app, args, trans.__('Which model?'), this._workspace.models.items);
        await report(trans, async () => {
          if (!id) {
            return;
          }
          const { versions } = await this._workspace.api.modelVersions(id);
          const choices = versions.map(each => ({ id: each.id, name: this._versionLine(each) }));
          const wanted = await chosen(this._app, {}, trans.__('Open which version?'), choices);
          if (wanted) {
            await this._app.commands.execute(CommandIDs.openModel, { id: wanted });
          }
        });
      }
    });
  }

  addDeleteInsight(): void {
    const trans = this._trans;
    const { api } = this._workspace;
    this._app.commands.addCommand(CommandIDs.deleteInsight, {
      label: trans.__('Take an Insight Back…'),
      icon: deleteIcon,
      describedBy: {
        args: { type: 'object', properties: { id: { type: 'string' }, title: { type: 'string' } } }
      },
      isEnabled: () => this._workspace.mayWrite,
      execute: args =>
        report(trans, async () => {
          const found = args['id'] ? [] : (await api.insights({ limit: 100 })).items;
          const choices = found.map(each => ({ id: each.id, name: each.title }));
          const id = await chosen(this._app, args, trans.__('Which insight?'), choices);
          const title =
            (args['title'] as string | undefined) ?? choices.find(each => each.id === id)?.name ?? '';
          if (!id) {
            return;
          }
          const answer = await showDialog({
            title: trans.__('Take %1 back?', title),
            body: trans.__('Its picture and its table are deleted for everyone.'),
            buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Take back') })]
          });
          if (answer.button.accept) {
            await api.deleteInsight(id);
          }
        })
    });
  }

  private _training(): readonly ModelRead[] {
    return this._workspace.models.items.filter(
      each => each.status === 'training' || each.status === 'queued'
    );
  }

  private _isTraining(id: string | undefined): boolean {
    return this._workspace.mayWrite && (id ? this._training().some(each => each.id === id) : true);
  }

  private async _askForTime(): Promise<number | null> {
    const choices = MORE_TIME.map(seconds => ({
      id: String(seconds),
      name: wording.duration(seconds, this._trans)
    }));
    const answer = await chosen(this._app, {}, this._trans.__('How much more time?'), choices);
    return answer === null ? null : Number(answer);
  }

  private _versionLine(model: ModelRead): string {
    const trans = this._trans;
    const score = model.score ? `${model.score.label} ${wording.figure(model.score.value)}` : model.status;
    return [
      trans.__('version %1', model.version),
      score,
      wording.ago(model.created_at, trans),
      model.champion ? trans.__('champion') : ''
    ]
      .filter(Boolean)
      .join(' · ');
  }
}
