// One request to the API. It fails with what the server says, or with what came between.
import type { InstanceKey, Problem } from './types';

export const ROOT = '/api/v1';

/** A request that was refused or failed. */
export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }

  get status(): number {
    return this.problem.status;
  }
}

type Query = Record<string, string | number | boolean | string[] | undefined | null>;

export type Options = {
  query?: Query;
  body?: unknown;
  ifMatch?: string;
  /** How long the answer may wait for the end of what was begun, in seconds. */
  wait?: number;
  signal?: AbortSignal;
};

export type Answer<T> = { body: T; etag: string | null };

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A request that nobody answers ends after so many milliseconds, beside what it waits for. */
const DEADLINE = 90_000;

/** The path of the API with these parts, each encoded. */
export function path(...parts: string[]): string {
  return [ROOT, ...parts.map(encodeURIComponent)].join('/');
}

/** The path of an instance, or of something of it. */
export function instancePath(key: InstanceKey, ...rest: string[]): string {
  return path('clouds', key.cloud, 'projects', key.project, 'instances', key.name, ...rest);
}

/** An address with its query. */
export function url(address: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === '') continue;
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one));
  }
  return search.size > 0 ? `${address}?${search}` : address;
}

export async function ask<T>(method: Method, address: string, options: Options = {}): Promise<Answer<T>> {
  const headers = new Headers({ accept: 'application/json' });
  if (method !== 'GET') headers.set('content-type', 'application/json');
  if (options.ifMatch) headers.set('if-match', options.ifMatch);
  if (options.wait !== undefined) headers.set('prefer', `wait=${options.wait}`);
  const deadline = AbortSignal.timeout(DEADLINE + (options.wait ?? 0) * 1000);
  const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline;
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  let response: Response;
  try {
    response = await fetch(url(address, options.query), { method, headers, body, signal, credentials: 'omit' });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(unreachable(error));
  }
  if (!response.ok) throw new ApiError(await problemOf(response));
  const text = await response.text();
  return { body: (text ? JSON.parse(text) : null) as T, etag: response.headers.get('etag') };
}

export async function get<T>(address: string, query?: Query, signal?: AbortSignal): Promise<T> {
  return (await ask<T>('GET', address, { query, signal })).body;
}

/** What a refused answer says; of something between that answers in the node's place, the little that there is. */
export async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text().catch(() => '');
  try {
    const problem = JSON.parse(text);
    if (typeof problem.detail === 'string') return problem;
  } catch {
    // Not a problem of ours.
  }
  const detail = `HTTP ${response.status} ${response.statusText}`.trim();
  return { code: 'failed', status: response.status, title: detail, detail };
}

function unreachable(error: unknown): Problem {
  const isLate = error instanceof DOMException && error.name === 'TimeoutError';
  return {
    code: isLate ? 'timeout' : 'unreachable',
    status: 0,
    title: 'unreachable',
    detail: isLate ? 'the node did not answer in time' : 'the node cannot be reached',
    remedy: 'see whether this device is connected to the tailnet, and whether the node runs',
  };
}

/** The problem of whatever was thrown. */
export function asProblem(error: unknown): Problem {
  if (error instanceof ApiError) return error.problem;
  const detail = error instanceof Error ? error.message : String(error);
  return { code: 'failed', status: 0, title: detail, detail };
}
