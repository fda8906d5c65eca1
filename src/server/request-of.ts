import type {IncomingMessage} from 'node:http';
import type {ServerRequest} from './request.ts';

/** Method, path and query of a message; its body is the caller's to add. */
export function requestOf(message: IncomingMessage): ServerRequest {
  const url = message.url ?? '/';
  const mark = url.indexOf('?');
  const query: Record<string, string[]> = {};
  for (const [name, value] of new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1))) {
    const values = Object.hasOwn(query, name) ? query[name] : undefined;
    if (values === undefined) query[name] = [value];
    else values.push(value);
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return {method: message.method ?? 'GET', path: mark < 0 ? url : url.slice(0, mark), query, headers};
}
