// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { filesPlugin } from './plugins/files';
import { modelsPlugin } from './plugins/models';
import { notebookPlugin } from './plugins/notebook';
import { noticesPlugin } from './plugins/notices';
import { runningPlugin } from './plugins/running';
import { sharingPlugin } from './plugins/sharing';
import { sidebarPlugin } from './plugins/sidebar';
import { tabsPlugin } from './plugins/tabs';
import { thingsPlugin } from './plugins/things';
import { versionPlugin } from './plugins/version';
import { workspacePlugin } from './plugins/workspace';

export { IWorkspace } from './model';

export default [
  workspacePlugin,
  sidebarPlugin,
  tabsPlugin,
  thingsPlugin,
  modelsPlugin,
  sharingPlugin,
  filesPlugin,
  notebookPlugin,
  noticesPlugin,
  runningPlugin,
  versionPlugin
];
