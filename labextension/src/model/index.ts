// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

/**
 * State and signals of the extension, without a document.
 */
export { Activity, narrowed } from './activity';
export type { IActivityView } from './activity';
export { Advising, raised, withoutFix } from './advising';
export type { IApplied } from './advising';
export { Bell } from './bell';
export { CaseView } from './case';
export type { ICaseLine } from './case';
export { Collection } from './collection';
export {
  condition,
  conditionText,
  expression,
  operatorName,
  operators,
  takesValue,
  withCondition
} from './conditions';
export { DatasetView } from './dataset';
export { Deciding, effects } from './deciding';
export type { DecidingField, IEffect } from './deciding';
export { InsightsView } from './insights';
export type { IInsightContent } from './insights';
export { LineageView, placed } from './lineage';
export type { IPlaced } from './lineage';
export { Notices } from './notices';
export type { INotice, INoticeBoard } from './notices';
export { RowsSource } from './rows';
export type { IArrival, IRowsView } from './rows';
export { Running } from './running';
export type { IStatus } from './running';
export { lines, quoted, withRows } from './snippets';
export type { ISnippet, SnippetKind } from './snippets';
export { args, lineOf, literal, Steps, trainingLine } from './steps';
export type { INames } from './steps';
export { Told } from './told';
export { ModelView } from './training';
export { Uploads } from './uploads';
export type { IUploadItem, IUploadSource } from './uploads';
export { fits } from './versions';
export * as wording from './wording';
export { IWorkspace, Workspace } from './workspace';
