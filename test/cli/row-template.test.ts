import {expect, test} from 'vitest';
import {fillTemplate, parseRowTemplate} from '../../src/cli/row-template.ts';

const row = {Name: 'web "1"', Size: 3};
const fields = Object.keys(row);

test.each([
  ['{{.Name}}: {{ .Size }}', 'web "1": 3'],
  ['{{json .}}', '{"Name":"web \\"1\\"","Size":3}'],
  ['{{json .Name}}\\t{{upper .Name}}\\n{{lower .Name}}', '"web \\"1\\""\tWEB "1"\nweb "1"'],
  ['{{- .Name -}}', 'web "1"'],
])('%s', (template, text) => {
  const parsed = parseRowTemplate(template, fields);
  expect(parsed.isTable).toBe(false);
  expect(fillTemplate(parsed, row)).toBe(text);
});

test('a table has titles', () => {
  const parsed = parseRowTemplate('table {{.Name}}\\t{{.Size}}', fields);
  expect(parsed.isTable).toBe(true);
  expect(fillTemplate(parsed, {Name: 'NAME', Size: 'SIZE'})).toBe('NAME\tSIZE');
});

test.each([
  ['yaml', `--format "yaml": expected table, json, or a template such as '{{.Name}}'`, undefined],
  ['{{.Nmae}}', '--format: there is no field "Nmae"', 'did you mean "Name"?'],
  ['{{.Xyz}}', '--format: there is no field "Xyz"', 'there are Name, Size'],
  [
    '{{range .}}{{end}}',
    '--format: "{{range .}}" is not understood',
    'write {{.Field}}, {{json .}} or {{upper .Field}}',
  ],
  ['{{.}}', '--format: "{{.}}" is not understood', 'write {{.Field}}, {{json .}} or {{upper .Field}}'],
])('%s is refused', (template, message, hint) => {
  expect(() => parseRowTemplate(template, fields)).toThrow(expect.objectContaining({message, hint, exitCode: 64}));
});
