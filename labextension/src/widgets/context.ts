// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import type { Workspace } from '../model';

/** What every widget of the extension is given. */
export interface IContext {
  readonly workspace: Workspace;
  readonly commands: CommandRegistry;
  readonly trans: TranslationBundle;
}
