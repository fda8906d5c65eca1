import {machineFiles} from '../../base/file-source.ts';
import {loadVariables} from '../../model/variables.ts';
import type {CliContext} from '../context.ts';
import {loadRequest} from '../session.ts';

/** The variables that the stack files use, as a table or as Compose's JSON. */
export async function variablesText(context: CliContext, json: boolean): Promise<string> {
  const found = await loadVariables(loadRequest(context), machineFiles);
  if (json) {
    const members = found.map(({name, required, defaultValue, alternative}) => [
      name,
      {Name: name, DefaultValue: defaultValue, PresenceValue: alternative, Required: required},
    ]);
    return `${JSON.stringify(Object.fromEntries(members), null, 4)}\n`;
  }
  const rows = [
    ['NAME', 'REQUIRED', 'DEFAULT VALUE', 'ALTERNATE VALUE'],
    ...found.map(({name, required, defaultValue, alternative}) => [name, String(required), defaultValue, alternative]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(20, ...rows.map((row) => (row[column] ?? '').length + 3)));
  return rows
    .map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('')}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('');
}
