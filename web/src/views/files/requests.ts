// What is asked of the node about files. Contents go between the disk and the network: they are never in the page, but for a
// small text that is edited.
import { ApiError, ask, asProblem, instancePath, problemOf, url } from '../../api/client';
import type { Folder, InstanceKey, JobView, Problem } from '../../api/types';
import { problemOf as problemOfJob } from '../../app/jobs';

/** The longest text that is edited here, in bytes. */
export const EDITABLE = 1 << 20;

/** How long the answer to a change waits for its end, in seconds: most are done at once. */
export const WAIT = 15;

const PATIENCE = 90_000;

const CUT: Problem = {
  code: 'unreachable',
  status: 0,
  title: 'unreachable',
  detail: 'the connection was cut, or the file could not be read',
  remedy: 'see whether the node can be reached and the file is still there, and try again',
};

export function addressOf(key: InstanceKey, path: string, more: Record<string, string | boolean> = {}): string {
  return url(instancePath(key, 'files'), { path, ...more });
}

/** What is at a path: a folder with what is in it, or the version of a file, by which a change of it is noticed. */
export type Found = { folder: Folder } | { version: string; size: number };

async function answer(address: string, method: 'GET' | 'HEAD', signal?: AbortSignal): Promise<Response> {
  const deadline = AbortSignal.timeout(PATIENCE);
  const both = signal ? AbortSignal.any([signal, deadline]) : deadline;
  try {
    return await fetch(address, { method, credentials: 'omit', cache: 'no-store', signal: both });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(CUT);
  }
}

/** What the file at a path is like, without its content; links are followed. */
export async function look(key: InstanceKey, path: string): Promise<Found> {
  const response = await answer(addressOf(key, path), 'HEAD');
  if (response.ok && isFolder(response)) return { folder: await list(key, path) };
  if (response.ok) return versionOf(response);
  // A refusal of this kind has no words; the same request for the content has.
  throw new ApiError(await refusal(addressOf(key, path)));
}

async function refusal(address: string): Promise<Problem> {
  const stop = new AbortController();
  const response = await answer(address, 'GET', stop.signal);
  if (!response.ok) return problemOf(response);
  stop.abort();
  return asProblem(new Error('it has come back meanwhile'));
}

function isFolder(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('application/json') ?? false;
}

function versionOf(response: Response): { version: string; size: number } {
  return {
    version: response.headers.get('etag') ?? '',
    size: Number(response.headers.get('content-length') ?? Number.NaN),
  };
}

/** What is in a folder. */
export async function list(key: InstanceKey, path: string, signal?: AbortSignal): Promise<Folder> {
  const { body } = await ask<Folder>('GET', addressOf(key, path), { signal });
  return body;
}

export type Content = { bytes: Uint8Array; version: string };

/** A small file. None where it is larger than what is edited here. */
export async function read(key: InstanceKey, path: string): Promise<Content | null> {
  const stop = new AbortController();
  const response = await answer(addressOf(key, path), 'GET', stop.signal);
  if (!response.ok) throw new ApiError(await problemOf(response));
  const { version, size } = versionOf(response);
  if (isFolder(response) || !(size <= EDITABLE)) {
    stop.abort();
    return null;
  }
  return { bytes: new Uint8Array(await response.arrayBuffer()), version };
}

type Sending = {
  /** How many bytes have gone. */
  progress?: (sent: number) => void;
  signal?: AbortSignal;
};

/** Writes a file. A `File` is read from the disk as it goes. */
export function write(address: string, content: Blob, { progress, signal }: Sending = {}): Promise<void> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    const fails = (problem: Problem) => failed(new ApiError(problem));
    request.open('PUT', address);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.setRequestHeader('accept', 'application/json');
    request.upload.onprogress = ({ loaded }) => progress?.(loaded);
    request.onload = () => {
      const problem = outcome(request);
      if (problem) fails(problem);
      else done();
    };
    request.onerror = () => fails(CUT);
    request.onabort = () => failed(new DOMException('', 'AbortError'));
    signal?.addEventListener('abort', () => request.abort(), { once: true });
    if (signal?.aborted) failed(new DOMException('', 'AbortError'));
    else request.send(content);
  });
}

/** What went wrong with it, in the server's words. */
function outcome({ status, statusText, responseText }: XMLHttpRequest): Problem | null {
  let told: unknown = null;
  try {
    told = JSON.parse(responseText);
  } catch {
    // Something between has answered.
  }
  if (status >= 200 && status < 300) {
    const job = told as JobView | null;
    if (!job || job.status === 'done') return null;
    return problemOfJob(job) ?? asProblem(new Error(job.status));
  }
  const problem = told as Problem | null;
  if (typeof problem?.detail === 'string') return problem;
  return { code: 'failed', status, title: statusText, detail: `HTTP ${status} ${statusText}`.trim() };
}
