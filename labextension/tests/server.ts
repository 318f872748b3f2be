// Copyright (c) The DAPP developers.
// Distributed under the terms of the Modified BSD License.

import { ServerConnection } from '@jupyterlab/services';

import type { AccountRead, DatasetRead, Event, JobRead, ModelRead, TokenPair } from '../src/schema';

/** A request as it arrives. */
export interface ISeen {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Headers;
  body: unknown;
}

type Answer = (seen: ISeen) => unknown;

/** What a server answers as long as a test says nothing else: this browser keeps no sign-in. */
const NOBODY = new Map<string, Answer>([['POST auth/resume', () => undefined]]);

/** The far end of the wire: answers what a test lays down for each route and remembers what was asked. */
export class Wire {
  readonly seen: ISeen[] = [];
  readonly settings = ServerConnection.makeSettings({
    baseUrl: 'http://lab.test/a%40b/',
    wsUrl: 'ws://lab.test/a%40b/',
    token: 'jupyter-token',
    appendToken: false,
    fetch: (input: RequestInfo | URL) => this._answer(input as Request)
  });

  /** Answer a route, given as `GET datasets`; the last answer that was laid down counts. */
  on(route: string, answer: Answer): this {
    this._answers.set(route, answer);
    return this;
  }

  /** What was asked of a route. */
  asked(route: string): ISeen[] {
    return this.seen.filter(each => `${each.method} ${each.path}` === route);
  }

  private async _answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const path = url.pathname.replace('/a%40b/dapp/api/v1/', '');
    const text = await request.text();
    const { method, headers } = request;
    const seen = {
      method,
      path,
      query: url.searchParams,
      headers,
      body: text ? JSON.parse(text) : undefined
    };
    this.seen.push(seen);
    const answer = this._answers.get(`${method} ${path}`) ?? NOBODY.get(`${method} ${path}`);
    const result = answer ? await answer(seen) : failure(404, 'route_not_found', 'Nothing here.');
    if (result instanceof Response) {
      return result;
    }
    return result === undefined ? new Response(null, { status: 204 }) : Response.json(result);
  }

  private _answers = new Map<string, Answer>();
}

/** The envelope of a failure. */
export function failure(status: number, code: string, message: string): Response {
  return Response.json({ error: { code, message, details: {}, request_id: 'r1' } }, { status });
}

/** Let everything that waits for promises go on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) {
    await Promise.resolve();
    await new Promise(resolve => setImmediate(resolve));
  }
}

const AT = '2026-01-02T03:04:05Z';

export function account(change: Partial<AccountRead> = {}): AccountRead {
  return {
    id: 'a1',
    email: 'ada@example.org',
    name: 'Ada',
    role: 'analyst',
    disabled: false,
    has_password: true,
    created_at: AT,
    last_seen_at: null,
    ...change
  };
}

export function pair(name: string, change: Partial<TokenPair> = {}): TokenPair {
  return {
    access_token: `access-${name}`,
    refresh_token: `refresh-${name}`,
    token_type: 'Bearer',
    expires_in: 600,
    account: account(),
    ...change
  };
}

export function dataset(id: string, change: Partial<DatasetRead> = {}): DatasetRead {
  return {
    id,
    name: `table ${id}`,
    status: 'ready',
    error: null,
    owner: { id: 'a1', name: 'Ada' },
    visibility: 'team',
    version: 1,
    rows: 344,
    schema: [],
    column_count: 7,
    format: 'csv',
    filename: `${id}.csv`,
    size: 2048,
    job_id: null,
    report: null,
    likely_target: null,
    created_at: AT,
    updated_at: AT,
    ...change
  };
}

export function model(id: string, change: Partial<ModelRead> = {}): ModelRead {
  return {
    id,
    name: `model ${id}`,
    version: 1,
    status: 'training',
    error: null,
    owner: { id: 'a1', name: 'Ada' },
    visibility: 'team',
    dataset: { id: 'd1', name: 'table d1' },
    dataset_version: 1,
    target: null,
    task: null,
    metric: null,
    score: null,
    sentence: null,
    trials: 0,
    time_budget: 30,
    job_id: 'j1',
    created_at: AT,
    updated_at: AT,
    ...change
  };
}

export function job(id: string, change: Partial<JobRead> = {}): JobRead {
  return {
    id,
    kind: 'train',
    status: 'running',
    subject: { kind: 'model', id: 'm1', name: 'model m1' },
    progress: 0.25,
    message: '',
    error: null,
    attempt: 1,
    owner: { id: 'a1', name: 'Ada' },
    created_at: AT,
    started_at: AT,
    finished_at: null,
    ...change
  };
}

export function event(id: string, type: string, kind: string, subject: string, data: object = {}): Event {
  return { id, type, at: AT, actor: null, subject: { kind, id: subject }, data: data as Event['data'] };
}
