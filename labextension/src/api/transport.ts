// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { ApiError, failureFrom } from './failure';

/** Where the server's part lives below the base URL. */
const ROOT = 'dapp/api/v1';
/** The DAPP credential has a header of its own, because `Authorization` carries Jupyter's. */
const CREDENTIAL = 'X-DAPP-Authorization';

export type QueryValue = string | number | boolean | null | undefined | readonly string[];

/** One request. */
export interface ISend {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  query?: Record<string, QueryValue>;
  /** Sent as JSON. */
  body?: unknown;
  /** The access token, where the route asks for one. */
  token?: string;
  signal?: AbortSignal;
}

/** The raw bytes of a file, on their way. */
export interface ISendFile {
  query: Record<string, QueryValue>;
  file: Blob;
  token: string;
  signal?: AbortSignal;
  onProgress?: (sent: number) => void;
}

/**
 * Requests to the server as JupyterLab makes them: its base URL, its token and its XSRF header.
 */
export class Transport {
  constructor(readonly settings: ServerConnection.ISettings) {}

  /** The address of a route. */
  url(path: string, query: Record<string, QueryValue> = {}): string {
    return URLExt.join(this.settings.baseUrl, ROOT, path) + queryString(query);
  }

  /** The address of the feed, with Jupyter's own token only where JupyterLab itself would append it. */
  socketUrl(path: string, query: Record<string, QueryValue>): string {
    const { appendToken, token, wsUrl } = this.settings;
    return (
      URLExt.join(wsUrl, ROOT, path) + queryString({ ...query, token: appendToken && token ? token : null })
    );
  }

  /** The answer's JSON, or undefined where there is no content. */
  async json<T>(path: string, send: ISend = {}): Promise<T> {
    const response = await this.send(path, send);
    const text = await response.text();
    if (!text) {
      return undefined as T;
    }
    try {
      return JSON.parse(text) as T;
    } catch {
      throw failureFrom(response.status, text);
    }
  }

  /** The answer, when it is a good one. */
  async send(path: string, send: ISend = {}): Promise<Response> {
    const headers: Record<string, string> = { Accept: 'application/json' };
    if (send.token) {
      headers[CREDENTIAL] = `Bearer ${send.token}`;
    }
    const init: RequestInit = { method: send.method ?? 'GET', headers, signal: send.signal };
    if (send.body !== undefined) {
      headers['Content-Type'] = 'application/json';
      init.body = JSON.stringify(send.body);
    }
    return this._checked(this.url(path, send.query), init);
  }

  /** A file that JupyterLab itself can download, as bytes. */
  async download(url: string): Promise<Blob> {
    const response = await this._checked(url, {});
    return response.blob();
  }

  /**
   * Send the raw bytes of a file. `fetch` cannot tell how far it is, so this is the one XMLHttpRequest.
   */
  sendFile<T>(path: string, send: ISendFile): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const request = new XMLHttpRequest();
      const abort = (): void => request.abort();
      request.open('POST', this.url(path, send.query));
      request.setRequestHeader(CREDENTIAL, `Bearer ${send.token}`);
      request.setRequestHeader('Content-Type', 'application/octet-stream');
      if (this.settings.token) {
        request.setRequestHeader('Authorization', `token ${this.settings.token}`);
      }
      const xsrf = /(?:^|;\s*)_xsrf=([^;]*)/.exec(document.cookie);
      if (xsrf) {
        request.setRequestHeader('X-XSRFToken', xsrf[1]);
      }
      request.upload.onprogress = event => send.onProgress?.(event.loaded);
      request.onload = () => {
        if (request.status >= 200 && request.status < 300) {
          resolve(JSON.parse(request.responseText) as T);
        } else {
          reject(failureFrom(request.status, request.responseText));
        }
      };
      request.onerror = () =>
        reject(new ApiError('unreachable', 'The connection was lost while the file was sent.'));
      request.onabort = () => reject(new ApiError('aborted', 'The upload was cancelled.'));
      request.onloadend = () => send.signal?.removeEventListener('abort', abort);
      send.signal?.addEventListener('abort', abort);
      request.send(send.file);
    });
  }

  private async _checked(url: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      // `no-cache` instead of JupyterLab's `no-store`, which appends a nameless query parameter.
      response = await ServerConnection.makeRequest(url, { cache: 'no-cache', ...init }, this.settings);
    } catch (error) {
      if (init.signal?.aborted) {
        throw new ApiError('aborted', 'The request was cancelled.');
      }
      throw new ApiError('unreachable', 'The server does not answer.', 0, { reason: String(error) });
    }
    if (!response.ok) {
      throw failureFrom(response.status, await response.text());
    }
    return response;
  }
}

function queryString(query: Record<string, QueryValue>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) {
      value.forEach(each => search.append(name, String(each)));
    } else if (value !== null && value !== undefined && value !== '') {
      search.append(name, String(value));
    }
  }
  const text = search.toString();
  return text ? `?${text}` : '';
}
