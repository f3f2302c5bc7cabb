// Where this tab has its events from: the worker that all tabs share, or, where a browser has none, a stream of its own.
import { Stream, type Told } from './stream';

declare const STREAM_WORKER: string;

type Policy = { createScriptURL(url: string): string };
type Factory = { createPolicy(name: string, rules: { createScriptURL(url: string): string }): Policy };

/** Only what the page has itself may run as a worker. */
const policy = (globalThis as { trustedTypes?: Factory }).trustedTypes?.createPolicy('kolaboree', {
  createScriptURL: (url) => {
    if (url !== STREAM_WORKER) throw new TypeError(url);
    return url;
  },
});

/** Follows the events for as long as the page is there. */
export function follow(tell: (told: Told) => void): void {
  const link = typeof SharedWorker === 'undefined' ? ownStream(tell) : sharedStream(tell);
  addEventListener('pagehide', link.leave);
  addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    link.enter();
    tell({ type: 'reset' }); // what happened while the page was put aside is not known
  });
  addEventListener('online', link.wake);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') link.wake();
    else link.hide();
  });
}

type Link = { enter(): void; leave(): void; wake(): void; hide(): void };

function sharedStream(tell: (told: Told) => void): Link {
  let port: MessagePort | null = null;
  const enter = () => {
    const worker = new SharedWorker(policy?.createScriptURL(STREAM_WORKER) ?? STREAM_WORKER, {
      type: 'module',
      name: 'kolaboree',
    });
    port = worker.port;
    port.onmessage = ({ data }) => tell(data);
  };
  enter();
  return {
    enter,
    leave: () => port?.postMessage('bye'),
    wake: () => port?.postMessage('wake'),
    hide: () => {},
  };
}

function ownStream(tell: (told: Told) => void): Link {
  const stream = new Stream(tell);
  stream.start();
  return {
    enter: () => stream.start(),
    leave: () => stream.stop(),
    wake: () => {
      stream.start();
      stream.wake();
    },
    hide: () => stream.stop(),
  };
}
