// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

/**
 * The only part of the extension that speaks with the server.
 */
export { Api } from './api';
export type { ICall, IListing, IUpload } from './api';
export { ApiError } from './failure';
export type { FailureCode } from './failure';
export { Feed } from './feed';
export type { FeedState } from './feed';
export { Session } from './session';
export type { SessionState } from './session';
