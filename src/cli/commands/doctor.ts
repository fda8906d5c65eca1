import {exitCodes} from '../../base/errors.ts';
import {diagnose} from '../../engine/doctor/checks.ts';
import {readFacts} from '../../engine/doctor/facts.ts';
import {defaultRoot} from '../../engine/rootless/place.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {formatTable} from '../table.ts';

/** Needs no engine: it also runs where none would start. Exit code 1 where something keeps containers from running. */
export async function runDoctor(context: CliContext, {flags}: Input<'doctor'>): Promise<number> {
  const {env, global} = context;
  const userId = process.geteuid?.() ?? 0;
  const place = {userId, home: env['HOME'], dataHome: env['XDG_DATA_HOME'], runtimeDirectory: env['XDG_RUNTIME_DIR']};
  const facts = await readFacts({
    userId,
    groupId: process.getegid?.() ?? 0,
    root: global.root || env['TSCOMPOSE_ROOT'] || defaultRoot(place),
    now: context.now(),
  });
  const findings = diagnose(facts);
  if (flags.format === 'json') context.stdout.write(`${JSON.stringify(findings)}\n`);
  else {
    context.stdout.write(
      formatTable(
        ['CHECK', 'STATUS', 'DETAIL'],
        findings.map(({check, status, detail}) => [check, status, detail]),
      ),
    );
    const fixes = findings.flatMap(({check, fix}) => (fix === undefined ? [] : [`${check}: ${fix}\n`]));
    if (fixes.length > 0) context.stdout.write(`\nTo fix:\n${fixes.map((line) => `  ${line}`).join('')}`);
  }
  return findings.some(({status}) => status === 'problem') ? exitCodes.failure : exitCodes.success;
}
