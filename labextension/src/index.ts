// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { filesPlugin } from './plugins/files';
import { notebookPlugin } from './plugins/notebook';
import { noticesPlugin } from './plugins/notices';
import { sidebarPlugin } from './plugins/sidebar';
import { tabsPlugin } from './plugins/tabs';
import { thingsPlugin } from './plugins/things';
import { workspacePlugin } from './plugins/workspace';

export { IWorkspace } from './model';

export default [
  workspacePlugin,
  sidebarPlugin,
  tabsPlugin,
  thingsPlugin,
  filesPlugin,
  notebookPlugin,
  noticesPlugin
];
