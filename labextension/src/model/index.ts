// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

/**
 * State and signals of the extension, without a document.
 */
export { Activity } from './activity';
export { Collection } from './collection';
export { DatasetView } from './dataset';
export { Notices } from './notices';
export type { INotice, INoticeBoard } from './notices';
export { RowsSource } from './rows';
export type { IArrival, IRowsView } from './rows';
export { lines, quoted } from './snippets';
export type { ISnippet, SnippetKind } from './snippets';
export { ModelView } from './training';
export { Uploads } from './uploads';
export type { IUploadItem, IUploadSource } from './uploads';
export * as wording from './wording';
export { IWorkspace, Workspace } from './workspace';
