// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { InputDialog, Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyJSONObject, ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { ApiError } from '../api';
import { wording } from '../model';

/** The translation domain of the extension. */
export const DOMAIN = 'jupyter_dapp';

/** The plugin whose schema holds the settings of all. */
export const SETTINGS = 'jupyter-dapp:notices';

/** What a command about one thing may be given. */
export const ID_ARGS: ReadonlyJSONObject = {
  type: 'object',
  properties: {
    id: { type: 'string', description: 'Id of the thing; asked for when left out.' },
    title: { type: 'string', description: 'The title of the tab until the name of the thing is known.' },
    fromMenu: { type: 'boolean', description: 'Whether the thing is the one whose context menu was opened.' }
  }
};

/** A thing to choose from. */
export interface IChoice {
  readonly id: string;
  readonly name: string;
}

/**
 * The thing that a command is about: as given, as pointed at, or as chosen by the user.
 *
 * @returns The id, or null when the user decided against it.
 */
export async function chosen(
  app: JupyterFrontEnd,
  args: ReadonlyPartialJSONObject,
  title: string,
  choices: readonly IChoice[]
): Promise<string | null> {
  const given = args['fromMenu'] ? pointedAt(app) : args['id'];
  if (typeof given === 'string') {
    return given;
  }
  const labels = choices.map(each => each.name);
  const answer = await InputDialog.getItem({ title, items: labels });
  const at = answer.button.accept && answer.value !== null ? labels.indexOf(answer.value) : -1;
  return choices[at]?.id ?? null;
}

/** The id of the row whose context menu is open. */
export function pointedAt(app: JupyterFrontEnd): string | undefined {
  return app.contextMenuHitTest(node => node.dataset.dappId !== undefined)?.dataset.dappId;
}

/** Do something, and tell the user in one notification when the server refuses. */
export async function report(trans: TranslationBundle, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ApiError)) {
      throw error;
    }
    Notification.error(wording.failureText(error, trans).slice(0, 140), { autoClose: 8000 });
  }
}
