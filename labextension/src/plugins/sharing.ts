// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { historyIcon, shareIcon } from '@jupyterlab/ui-components';

import { CommandIDs } from '../commands';
import { IWorkspace, wording } from '../model';
import type { Workspace } from '../model';
import type { GrantLevel, VersionRead } from '../schema';
import { chosen, DOMAIN, ID_ARGS, report } from './shared';

/** What is chosen to share a thing no more. */
const NOTHING = 'nothing';

/**
 * Commands that share things with named people, and bring older versions of a dataset back.
 */
export const sharingPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-dapp:sharing',
  description: 'Adds the commands that share with people and restore versions of datasets.',
  autoStart: true,
  requires: [IWorkspace],
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, workspace: Workspace, translator: ITranslator | null): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    addShare(app, workspace, trans, 'datasets');
    addShare(app, workspace, trans, 'models');
    addVersions(app, workspace, trans);
  }
};

function addShare(
  app: JupyterFrontEnd,
  workspace: Workspace,
  trans: TranslationBundle,
  kind: 'datasets' | 'models'
): void {
  const { api } = workspace;
  const isDataset = kind === 'datasets';
  app.commands.addCommand(isDataset ? CommandIDs.grantDataset : CommandIDs.grantModel, {
    label: args =>
      args['fromMenu']
        ? trans.__('Share with a Person…')
        : isDataset
          ? trans.__('Share a Dataset with a Person…')
          : trans.__('Share a Model with a Person…'),
    icon: shareIcon,
    describedBy: { args: ID_ARGS },
    isEnabled: () => workspace.mayWrite,
    execute: args =>
      report(trans, async () => {
        const question = isDataset ? trans.__('Which dataset?') : trans.__('Which model?');
        const id = await chosen(app, args, question, workspace[kind].items);
        if (!id) {
          return;
        }
        const people = (await api.people()).items.filter(each => each.id !== workspace.account?.id);
        const names = people.map(each => ({ id: each.id, name: `${each.name} <${each.email}>` }));
        const person = await chosen(app, {}, trans.__('Share with whom?'), names);
        const levels: { id: GrantLevel | typeof NOTHING; name: string }[] = [
          { id: 'use', name: trans.__('May use it: look, download, train, predict') },
          { id: 'read', name: trans.__('May look at it') },
          { id: 'edit', name: trans.__('May also change it') },
          { id: NOTHING, name: trans.__('Share it no more') }
        ];
        const level = person && (await chosen(app, {}, trans.__('How much?'), levels));
        if (!person || !level) {
          return;
        }
        const name = people.find(each => each.id === person)?.name ?? '';
        if (level === NOTHING) {
          await api.revoke(kind, id, person);
          Notification.success(trans.__('No longer shared with %1', name), { autoClose: 4000 });
        } else {
          await api.grant(kind, id, person, level as GrantLevel);
          Notification.success(trans.__('Shared with %1', name), { autoClose: 4000 });
        }
      })
  });
}

function addVersions(app: JupyterFrontEnd, workspace: Workspace, trans: TranslationBundle): void {
  const { api, datasets } = workspace;
  const line = (each: VersionRead): string =>
    [
      trans.__('version %1', each.version),
      each.latest ? trans.__('the latest') : '',
      each.sentence,
      wording.ago(each.created_at, trans)
    ]
      .filter(Boolean)
      .join(' · ');
  app.commands.addCommand(CommandIDs.restoreDataset, {
    label: args => (args['fromMenu'] ? trans.__('Versions…') : trans.__('Versions of a Dataset…')),
    caption: trans.__('Make an older version the one that is used'),
    icon: historyIcon,
    describedBy: { args: ID_ARGS },
    isEnabled: () => workspace.mayWrite,
    execute: args =>
      report(trans, async () => {
        const id = await chosen(app, args, trans.__('Which dataset?'), datasets.items);
        if (!id) {
          return;
        }
        const { items } = await api.datasetVersions(id);
        const choices = items.map(each => ({ id: String(each.version), name: line(each) }));
        const version = await chosen(app, {}, trans.__('Which version is to be used?'), choices);
        if (version && !items.find(each => String(each.version) === version)?.latest) {
          datasets.put(await api.restoreDataset(id, Number(version)));
        }
      })
  });
}
