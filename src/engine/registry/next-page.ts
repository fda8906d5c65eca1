import type {HttpResponse} from './http.ts';

/**
 * Whether a list goes on (RFC 5988). A registry may give fewer entries than were asked for; where the next ones are is told by
 * the last of these, so that nothing leads elsewhere.
 */
export function hasNextPage({headers}: Pick<HttpResponse, 'headers'>): boolean {
  return /;\s*rel="?next"?/i.test(headers['link'] ?? '');
}
