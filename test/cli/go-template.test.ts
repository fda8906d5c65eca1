import {expect, test} from 'vitest';
import {fillNodes} from '../../src/cli/go-template/fill.ts';
import {parseTemplate} from '../../src/cli/go-template/parse.ts';

const image = {
  Id: 'sha256:8a7b44383ae8',
  Os: 'linux',
  Author: '',
  Size: 222000000,
  RepoTags: ['node:latest', 'node:24'],
  Config: {Cmd: ['node', 'app.js'], Env: ['A=1', 'B=2'], Labels: null, User: 'app'},
  RootFS: {Type: 'layers', Layers: ['sha256:1', 'sha256:2']},
};

function fill(text: string): string {
  const {nodes} = parseTemplate(text, (part, reason) => {
    throw new Error(`${part}: ${reason}`);
  });
  return fillNodes(nodes, image);
}

// What "docker image inspect --format" answers for such an image.
test.each([
  ['{{.Id}}', 'sha256:8a7b44383ae8'],
  ['{{.RepoTags}}', '[node:latest node:24]'],
  ['{{json .RepoTags}}', '["node:latest","node:24"]'],
  ['{{range .Config.Env}}{{println .}}{{end}}', 'A=1\nB=2\n'],
  ['{{range $i, $e := .Config.Env}}{{$i}}={{$e}};{{end}}', '0=A=1;1=B=2;'],
  ['{{range $k, $v := .RootFS}}{{$k}}:{{$v}},{{end}}', 'Layers:[sha256:1 sha256:2],Type:layers,'],
  ['{{range .RepoTags}}{{.}} {{$.Os}} {{end}}', 'node:latest linux node:24 linux '],
  ['{{range .Config.Env}}{{break}}{{end}}b', 'b'],
  ['{{range $i, $_ := .RootFS.Layers}}{{if $i}}{{continue}}{{end}}{{$i}}{{end}}', '0'],
  ['{{range .Config.Labels}}a{{else}}none{{end}}', 'none'],
  ['{{index .RepoTags 1}}', 'node:24'],
  ['{{index .Config.Labels "x"}}', ''],
  ['{{len .RootFS.Layers}} {{(index .RootFS.Layers 0) | len}}', '2 8'],
  ['{{if .Config.Healthcheck}}H{{else}}none{{end}}', 'none'],
  ['{{.Config.Labels}} {{.Config.Volumes}} {{.Config.Shell}} {{.Config.Healthcheck}}', 'map[] map[] [] <nil>'],
  ['{{.Config.Labels.none}} {{with .Config.Labels.none}}a{{end}}|{{.Config.StopSignal}}|', '<no value> ||'],
  ['{{json .Config.Labels}} {{json .Config.Labels.none}}', 'null null'],
  ['{{if .Author}}a{{else if .Id}}b{{else}}c{{end}}', 'b'],
  ['{{with .Config}}{{.Cmd}}{{end}}', '[node app.js]'],
  ['{{with .Author}}a{{else with .Os}}{{.}}{{end}}', 'linux'],
  ['{{join .Config.Cmd " "}} {{split .Id ":"}}', 'node app.js [sha256 8a7b44383ae8]'],
  ['{{printf "%s %d %5d|%-6s|" .Os .Size 7 .Os}}', 'linux 222000000     7|linux |'],
  [
    '{{printf "%05d|%x|%X|%o|%b|%.2f|%t|%q|%v" 42 255 255 8 5 1.5 true "a" .RepoTags}}',
    '00042|ff|FF|10|101|1.50|true|"a"|[node:latest node:24]',
  ],
  ['{{printf "%d" "a"}} {{printf "%s"}} {{printf "%d%%" 5}}', '%!d(string=a) %!s(MISSING) 5%'],
  ['{{.Os | upper | printf "%q"}} {{.Id | printf "%.10s"}}', '"LINUX" sha256:8a7'],
  ['{{eq .Os "linux"}} {{eq .Os "windows" "linux"}} {{ne .Os "x"}} {{not .Author}}', 'true true true true'],
  ['{{lt 1 2}} {{le "a" "b"}} {{gt .Size 5}} {{ge 2 2}}', 'true true true true'],
  ['{{or .Author "nobody"}} {{and 1 0}} {{and .Os .Config.User}}', 'nobody 0 app'],
  ['{{slice .Id 7 19}} {{truncate .Id 10}} {{pad .Os 1 2}}|', '8a7b44383ae8 sha256:8a7  linux  |'],
  ['{{/* a "comment */}}x {{- " y " -}} z', 'x y z'],
  ['{{title "hello new-world"}} {{html "<a>"}} {{urlquery "a b"}}', 'Hello New-World &lt;a&gt; a+b'],
  ['{{$x := .Os}}{{$x}}{{$x = "b"}}{{$x}}', 'linuxb'],
  ['{{"a\\"}}b"}} {{`raw`}} {{1.5}} {{true}} {{\'a\'}}', 'a"}}b raw 1.5 true 97'],
  ['{{print 1 2 "a" "b" 3}} {{1 | print 2}}', '1 2ab3 2 1'],
])('%s', (text, filled) => {
  expect(fill(text)).toBe(filled);
});

test.each([
  ['{{range .RepoTags}}', '{{range .RepoTags}}: its {{end}} is missing'],
  ['a{{end}}', '{{end}}: nothing is open that it could belong to'],
  ['{{if .Os}}{{else}}{{else}}{{end}}', '{{if .Os}}: its {{end}} is missing'],
  ['{{if}}{{end}}', '{{if}}: a value is missing'],
  ['{{.Id', '{{.Id: its }} is missing'],
  ['{{.Os "x"}}', '{{.Os "x"}}: only functions take arguments'],
  ['{{.Os | .Id}}', '{{.Os | .Id}}: behind | stands a function'],
  ['{{(.Os}}', '{{(.Os}}: a ")" is missing'],
  ['{{.Os)}}', '{{.Os)}}: ")" is not expected there'],
  ['{{.Os ; }}', '{{.Os ;}}: it is not understood'],
  ['{{template "a"}}', '{{template "a"}}: templates within templates are not there'],
  ['a{{break}}', '{{break}}: there is no range around it'],
  ['{{range .RepoTags}}{{else}}{{if .Os}}{{continue}}{{end}}{{end}}', '{{continue}}: there is no range around it'],
  ['{{index .RepoTags 5}}', 'index out of range: 5'],
  ['{{eq .Os 1}}', 'values of two kinds are compared'],
  ['{{lt "a" 1}}', 'only two texts or two numbers are in order'],
  ['{{len 3}}', 'a number has no length'],
  ['{{$y}}', 'there is no variable "$y"'],
  ['{{.Config.Lables}}', '"Config" has no "Lables"'],
  ['{{.Config.Healthcheck.Test}}', 'there is no "Healthcheck"'],
  ['{{.Os.Name}}', '"Os" has no "Name"'],
  ['{{.RepoTags.length}}', '"RepoTags" has no "length"'],
])('%s is refused', (text, message) => {
  expect(() => fill(text)).toThrow(message);
});

test('on a terminal values can do nothing; what the template says itself stays', () => {
  const hostile = {Name: 'a\x1b]0;title\x07b\x1b[2J\x9b2Jc\rd\te\nf'};
  const text = '\x1b[1m{{.Name}}\x1b[m {{json .Name}}';
  const {nodes} = parseTemplate(text, (part, reason) => expect.unreachable(`${part}: ${reason}`));
  const json = '"a\\u001b]0;title\\u0007b\\u001b[2J\\u009b2Jc\\rd\\te\\nf"';
  expect(fillNodes(nodes, hostile, {forTerminal: true})).toBe(`\x1b[1mab2Jcd\te\nf\x1b[m ${json}`);
  expect(fillNodes(nodes, hostile)).toBe(`\x1b[1m${hostile.Name}\x1b[m ${json}`);
  expect(JSON.parse(json)).toBe(hostile.Name);
});

test('a function that is not there is named, with those that are', () => {
  expect(() => fill('{{foo .Id}}')).toThrow(
    /^\{\{foo \.Id\}\}: there is no function "foo": there are and, or, not, len,/,
  );
});
