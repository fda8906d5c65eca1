import {expect, test} from 'vitest';
import {fillTemplate, formatRows, parseRowTemplate} from '../../src/cli/row-template.ts';

const row = {Name: 'web "1"', Size: 3};
const fields = Object.keys(row);

test.each([
  ['{{.Name}}: {{ .Size }}', 'web "1": 3'],
  ['{{json .}}', '{"Name":"web \\"1\\"","Size":3}'],
  ['json', '{"Name":"web \\"1\\"","Size":3}'],
  ['{{json .Name}}\\t{{upper .Name}}\\n{{lower .Name}}', '"web \\"1\\""\tWEB "1"\nweb "1"'],
  ['{{- .Name -}}', 'web "1"'],
])('%s', (template, text) => {
  const parsed = parseRowTemplate(template, fields);
  expect(parsed.isTable).toBe(false);
  expect(fillTemplate(parsed, row, false)).toBe(text);
});

const rows = [
  {Name: 'shop-web-1', ExitCode: 0, Publishers: [{PublishedPort: 80}]},
  {Name: 'shop-db-1', ExitCode: 137, Publishers: []},
];
const titles = {Name: 'NAME', ExitCode: 'EXIT CODE', Publishers: 'PUBLISHERS'};

test.each([
  ['{{.Name}} ended with {{ .ExitCode }}', 'shop-web-1 ended with 0\nshop-db-1 ended with 137\n'],
  ['{{json .Name}}\\t{{.Publishers}}', '"shop-web-1"\t[map[PublishedPort:80]]\n"shop-db-1"\t[]\n'],
  ['table {{.Name}}\\t{{.ExitCode}}', 'NAME         EXIT CODE\nshop-web-1   0\nshop-db-1    137\n'],
  // Titles stay as they are.
  ['table {{lower .Name}}\\t{{json .ExitCode}}', 'NAME         EXIT CODE\nshop-web-1   0\nshop-db-1    137\n'],
  ['{{if .ExitCode}}{{.Name}}: {{.ExitCode}}{{end}}', '\nshop-db-1: 137\n'],
])('rows by %s', (template, text) => {
  expect(formatRows(parseRowTemplate(template, Object.keys(titles)), rows, {titles, columns: undefined})).toBe(text);
});

test.each([
  ['yaml', `--format "yaml": expected table, json, or a template such as '{{.Name}}'`, undefined],
  ['{{.Nmae}}', '--format: there is no field "Nmae"', 'did you mean "Name"?'],
  ['{{.Xyz}}', '--format: there is no field "Xyz"', 'there are Name, Size'],
  ['{{if eq $.Xyz "a"}}{{end}}', '--format: there is no field "Xyz"', 'there are Name, Size'],
  ['{{.Name', '--format: "{{.Name": its }} is missing', undefined],
])('%s is refused', (template, message, hint) => {
  expect(() => parseRowTemplate(template, fields)).toThrow(expect.objectContaining({message, hint, exitCode: 64}));
});

test('control characters of values reach programs and files, and no terminal', () => {
  const template = parseRowTemplate('{{.Name}}', ['Name']);
  const hostile = [{Name: 'a\x1b[2Jb\x9b'}];
  expect(formatRows(template, hostile, {titles, columns: undefined})).toBe('a\x1b[2Jb\x9b\n');
  expect(formatRows(template, hostile, {titles, columns: 80})).toBe('ab\n');
  expect(formatRows(template, hostile, {titles, columns: undefined, forTerminal: true})).toBe('ab\n');
});
