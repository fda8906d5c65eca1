import type {Diagnostic} from '../../base/diagnostic.ts';
import {TscomposeError} from '../../base/errors.ts';
import {checkDockerfile} from '../../dockerfile/check.ts';
import {listTargets, outlineTarget, type TargetOutline} from '../../dockerfile/outline.ts';
import type {DockerfileSource} from '../../dockerfile/source.ts';

/** A Dockerfile that something is asked of, in place of building it. */
export interface AskedOf {
  readonly source: DockerfileSource;
  readonly target: string | undefined;
  /** Values of ARGs that are given from outside. */
  readonly arguments: Readonly<Record<string, string>>;
}

/** What a client is told by the keys that BuildKit has: `result.json` is the answer, the client makes a text of it. */
export type Told = Readonly<Record<string, string>>;

const requests: Readonly<Record<string, {readonly description: string; readonly answer: (asked: AskedOf) => Told}>> = {
  'frontend.lint': {description: 'Lint a Dockerfile', answer: lint},
  'frontend.outline': {description: 'List all parameters current build target supports', answer: outline},
  'frontend.targets': {description: 'List all targets current build supports', answer: targets},
  'frontend.subrequests.describe': {description: 'List available subrequest types', answer: describe},
};

/** The answer to `docker build --call=…` and `--check`. Throws `unsupported` for what else may be asked, `notFound` for a target. */
export function answerRequest(request: string, asked: AskedOf): Told {
  const known = Object.hasOwn(requests, request) ? requests[request] : undefined;
  if (known !== undefined) return {...known.answer(asked), version};
  throw new TscomposeError('unsupported', `cannot build: requests of the frontend ("${request}") are not supported`, {
    hint: `what may be asked is ${Object.keys(requests).join(', ')}`,
  });
}

/** Of the form of all of these answers: a client that knows another one shows them as they are. */
const version = '1.0.0';

function json(value: unknown): Told {
  return {'result.json': JSON.stringify(value)};
}

function lint({source, target, arguments: given}: AskedOf): Told {
  const found = checkDockerfile(source, {buildArguments: given});
  const error = found.find(({severity}) => severity === 'error') ?? missingTarget(source, target);
  const warnings = found.filter(({severity}) => severity === 'warning');
  const data = Buffer.from(source.text).toString('base64');
  const told = json({
    warnings: warnings.map(warningOf),
    sources: [{filename: source.shown, language: 'Dockerfile', data}],
    ...(error === undefined ? {} : {buildError: {message: textOf(error), ...locationOf(error)}}),
  });
  return {...told, 'result.statuscode': warnings.length > 0 || error !== undefined ? '1' : '0'};
}

function missingTarget(source: DockerfileSource, target: string | undefined): Diagnostic | undefined {
  if (target === undefined || outlineTarget(source, target) !== undefined) return undefined;
  return {severity: 'error', code: 'unknown-target', message: `no stage is called "${target}"`};
}

/** Checks that BuildKit has, too: there is a page for each. */
const documented = new Set([
  ...['consistent-instruction-casing', 'duplicate-stage-name', 'expose-invalid-format', 'expose-proto-casing'],
  ...['from-as-casing', 'from-platform-flag-const-disallowed', 'json-args-recommended', 'legacy-key-value-format'],
  ...['maintainer-deprecated', 'multiple-instructions-disallowed', 'no-empty-continuation', 'reserved-stage-name'],
  ...['secrets-used-in-arg-or-env', 'stage-name-casing', 'undefined-var', 'workdir-relative-path'],
  ...['copy-ignored-file', 'invalid-default-arg-in-from', 'redundant-target-platform', 'undefined-arg-in-from'],
  'invalid-definition-description',
]);

function warningOf(found: Diagnostic): object {
  const {code, message: description} = found;
  const page = documented.has(code) ? {url: `https://docs.docker.com/go/dockerfile/rule/${code}/`} : {};
  return {ruleName: ruleNameOf(code), description, ...page, detail: textOf(found), ...locationOf(found)};
}

/** `json-args-recommended` is called JSONArgsRecommended. */
function ruleNameOf(code: string): string {
  const words = code
    .split('-')
    .map((word) => (word === 'json' ? 'JSON' : word.charAt(0).toUpperCase() + word.slice(1)));
  return words.join('');
}

function textOf({message, hint}: Diagnostic): string {
  return hint === undefined ? message : `${message} (${hint})`;
}

function locationOf({line}: Diagnostic): object {
  return line === undefined ? {} : {location: {ranges: [{start: {line}, end: {line}}]}};
}

function outline({source, target, arguments: given}: AskedOf): Told {
  refuseErrors(source, given);
  const found = outlineTarget(source, target);
  if (found === undefined) throw new TscomposeError('notFound', `no stage is called "${target}"`);
  const keys = (of: readonly {readonly id: string; readonly required: boolean}[]) =>
    of.map(({id, required}) => ({name: id, ...(required ? {required} : {})}));
  return json({
    ...namedOf(found.target),
    args: found.arguments.map((argument) => {
      const own = Object.hasOwn(given, argument.name) ? given[argument.name] : undefined;
      return own === undefined ? argument : {...argument, value: own};
    }),
    secrets: keys(found.secrets),
    ssh: keys(found.agents),
    sources: [Buffer.from(source.text).toString('base64')],
  });
}

function targets({source, arguments: given}: AskedOf): Told {
  refuseErrors(source, given);
  return json({
    targets: listTargets(source).map((target) => ({
      ...namedOf(target),
      base: target.base,
      ...(target.default ? {default: true} : {}),
    })),
    sources: [Buffer.from(source.text).toString('base64')],
  });
}

function namedOf({name, description}: TargetOutline): object {
  return {...(name === undefined ? {} : {name}), ...(description === undefined ? {} : {description})};
}

/** Throws `invalid` with all that is wrong with it. */
function refuseErrors(source: DockerfileSource, buildArguments: AskedOf['arguments']): void {
  const diagnostics = checkDockerfile(source, {buildArguments}).filter(({severity}) => severity === 'error');
  const [first] = diagnostics;
  if (first !== undefined) throw new TscomposeError('invalid', first.message, {diagnostics});
}

function describe(): Told {
  const metadata = [{name: 'result.json', description: ''}];
  return json(
    Object.entries(requests).map(([name, {description}]) => {
      const opts = name === 'frontend.outline' ? [{name: 'target', description: 'Target build stage'}] : [];
      return {name, version, type: 'rpc', description, opts, metadata};
    }),
  );
}
