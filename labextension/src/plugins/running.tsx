// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRunningSessionManagers } from '@jupyterlab/running';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { IDisposable } from '@lumino/disposable';
import * as React from 'react';

import { CommandIDs } from '../commands';
import { IWorkspace, Running, wording } from '../model';
import type { Workspace } from '../model';
import { dappIcon, jobIcon } from '../widgets/icons';
import { Progress } from '../widgets/kit';
import { DOMAIN, report, SETTINGS } from './shared';

/**
 * Jobs where JupyterLab's users look for what runs: in the Running panel and in the status bar.
 */
export const runningPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-dapp:running',
  description: 'Shows the jobs of the DAPP workspace in the Running panel and in the status bar.',
  autoStart: true,
  requires: [IWorkspace],
  optional: [IRunningSessionManagers, IStatusBar, ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    workspace: Workspace,
    managers: IRunningSessionManagers | null,
    bar: IStatusBar | null,
    registry: ISettingRegistry | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const running = new Running(workspace);
    managers?.add(section(app, workspace, running, trans));
    if (!bar) {
      return;
    }
    let item: IDisposable | null = null;
    const apply = (isOn: boolean): void => {
      if (isOn && !item) {
        item = bar.registerStatusItem('jupyter-dapp:running', {
          item: statusItem(app, running, trans),
          align: 'right',
          rank: 2,
          isActive: () => running.isWorthShowing,
          activeStateChanged: running.changed
        });
      } else if (!isOn) {
        item?.dispose();
        item = null;
      }
    };
    if (!registry) {
      apply(true);
      return;
    }
    void registry.load(SETTINGS).then(settings => {
      const read = (): void => apply(settings.get('statusBar').composite !== false);
      settings.changed.connect(read, settings);
      read();
    });
  }
};

function statusItem(app: JupyterFrontEnd, running: Running, trans: TranslationBundle): ReactWidget {
  const item = ReactWidget.create(
    <UseSignal signal={running.changed}>
      {() => {
        const { text, caption, progress } = running.status(trans);
        return (
          <button
            type="button"
            className="jp-Dapp-status"
            title={caption}
            onClick={() => void app.commands.execute(CommandIDs.showPanel)}
          >
            <dappIcon.react tag="span" stylesheet="statusBar" />
            <span>{text}</span>
            {progress !== null && <Progress value={progress || null} label={text} />}
          </button>
        );
      }}
    </UseSignal>
  );
  item.addClass('jp-Dapp-statusItem');
  return item;
}

type Manager = Parameters<IRunningSessionManagers['add']>[0];

function section(
  app: JupyterFrontEnd,
  workspace: Workspace,
  running: Running,
  trans: TranslationBundle
): Manager {
  const cancel = async (id: string): Promise<void> =>
    report(trans, async () => workspace.jobs.put(await workspace.api.cancelJob(id)));
  return {
    name: trans.__('DAPP jobs'),
    running: () =>
      running.jobs.map(job => ({
        open: () => void app.commands.execute(CommandIDs.openJob, { id: job.id }),
        shutdown: () => void cancel(job.id),
        icon: () => jobIcon,
        label: () => wording.jobTitle(job.kind, job.subject.name, trans),
        labelTitle: () => job.message || job.owner.name,
        detail: () => trans.__('%1 %', Math.round(job.progress * 100))
      })),
    shutdownAll: () => running.jobs.forEach(job => void cancel(job.id)),
    refreshRunning: () => void workspace.jobs.reload(),
    runningChanged: running.changed,
    shutdownLabel: trans.__('Cancel'),
    shutdownAllLabel: trans.__('Cancel All'),
    shutdownAllConfirmationText: trans.__('Cancel all jobs of the DAPP workspace that you may cancel?')
  };
}
