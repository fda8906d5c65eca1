import type {Reporter} from './reporter.ts';

/** Tells nothing: what failed is told by the command's error. */
export function quietReporter(): Reporter {
  return {report: () => undefined, pause: () => () => undefined, finish: () => undefined};
}
