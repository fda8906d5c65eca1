import {oneLine} from './cells.ts';
import type {Evidence, FailureInfo} from './event.ts';

/** What is known of a container that failed, as indented lines: its last probe and the end of its log. */
function evidenceLines(evidence: Evidence | undefined): readonly string[] {
  if (evidence === undefined) return [];
  const {probe, log = []} = evidence;
  return [
    ...(probe === undefined
      ? []
      : [`  last probe: exit ${probe.exitCode}${probe.output === '' ? '' : `: ${oneLine(probe.output)}`}`]),
    ...log.map((line) => `  ${evidence.container} | ${oneLine(line)}`),
  ];
}

/** A failure with everything that is known of it. */
export function failureLines(failure: FailureInfo): readonly string[] {
  return [...failure.message.split('\n').map(oneLine), ...evidenceLines(failure.evidence)];
}
