// Sends a file as it is. The browser reads it piece by piece, and tells how far it is, which `fetch` does not.
import { ApiError } from './client';
import type { JobView } from './types';

export type Sent = { bytes: number; total: number };

export function upload(address: string, file: File, signal: AbortSignal, tell: (sent: Sent) => void): Promise<JobView> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    const fail = (detail: string) =>
      failed(new ApiError({ code: 'unreachable', status: request.status, title: detail, detail }));
    request.open('POST', address);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.setRequestHeader('accept', 'application/json');
    request.upload.onprogress = ({ loaded }) => tell({ bytes: loaded, total: file.size });
    request.onload = () => {
      try {
        const answer = JSON.parse(request.responseText);
        if (request.status < 300) done(answer);
        else failed(new ApiError(answer));
      } catch {
        fail(`HTTP ${request.status} ${request.statusText}`.trim());
      }
    };
    request.onerror = () => fail('the connection was lost');
    request.onabort = () => fail('cancelled');
    signal.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}
