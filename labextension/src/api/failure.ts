// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import type { ErrorAnswer, ErrorCode } from '../schema';

/**
 * A code of the server's own, or one of the four things that can go wrong before the server answers:
 * its part is not installed, nothing answers, the answer is not ours, or the caller gave up.
 */
export type FailureCode = ErrorCode | 'server_missing' | 'unreachable' | 'bad_answer' | 'aborted';

/**
 * Every failure of a call to the server.
 */
export class ApiError extends Error {
  constructor(
    readonly code: FailureCode,
    message: string,
    readonly status = 0,
    readonly details: Record<string, unknown> = {},
    readonly requestId = ''
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** Whether signing in again is what helps. */
  get asksForSignIn(): boolean {
    return this.code === 'not_signed_in' || this.code === 'login_refused';
  }

  /** Whether the same call may succeed in a moment. */
  get isPassing(): boolean {
    return this.code === 'unreachable' || this.code === 'unavailable' || this.code === 'busy';
  }
}

/**
 * Read a failure out of an answer: the envelope where the server wrote one, else what the status tells.
 *
 * @param status - The HTTP status.
 * @param text - The body as text, whatever it is.
 */
export function failureFrom(status: number, text: string): ApiError {
  const envelope = parseEnvelope(text);
  if (envelope) {
    const { code, message, details, request_id } = envelope.error;
    return new ApiError(code as FailureCode, message, status, details ?? {}, request_id ?? '');
  }
  if (status === 404) {
    return new ApiError('server_missing', 'The server part of DAPP does not answer here.', status);
  }
  if (status === 401 || status === 403) {
    return new ApiError(
      'not_signed_in',
      'Jupyter does not accept this request. Reload the page to sign in.',
      status
    );
  }
  if (status >= 502 && status <= 504) {
    return new ApiError('unreachable', 'The server does not answer right now.', status);
  }
  return new ApiError(
    'bad_answer',
    `The server answered in a way that is not understood (${status}).`,
    status
  );
}

function parseEnvelope(text: string): ErrorAnswer | null {
  try {
    const body = JSON.parse(text) as Partial<ErrorAnswer> | null;
    return typeof body?.error?.code === 'string' && typeof body.error.message === 'string'
      ? (body as ErrorAnswer)
      : null;
  } catch {
    return null;
  }
}
