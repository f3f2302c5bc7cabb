// One stream of events for all tabs of a browser: over HTTP/1.1 a browser has six connections to a node.
import { Stream, type Told } from './stream';

const ports = new Set<MessagePort>();
let link: Told | null = null;

const stream = new Stream((told) => {
  if (told.type === 'link' || told.type === 'refused') link = told;
  for (const port of ports) port.postMessage(told);
});

addEventListener('connect', (event) => {
  const port = (event as MessageEvent).ports[0];
  if (!port) return;
  ports.add(port);
  port.onmessage = ({ data }) => {
    if (data === 'bye') {
      ports.delete(port);
      if (ports.size === 0) stream.stop();
    }
    if (data === 'wake') {
      stream.start();
      stream.wake();
    }
  };
  if (link) port.postMessage(link);
  stream.start();
});
