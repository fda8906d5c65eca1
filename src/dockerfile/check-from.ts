import {placeIn} from './logical-line.ts';
import {expandWord, platformArguments} from './scope.ts';
import type {Findings} from './source.ts';
import {placeOfWord, type Stages} from './stages.ts';

/** A name of an image, with a tag, a digest or both. */
const imageName =
  /^(?:(?:[\w-]+(?:\.[\w-]+)*|\[[\da-f:]+\])(?::\d+)?\/)?[a-z\d]+(?:(?:\.|__?|-+)[a-z\d]+)*(?:\/[a-z\d]+(?:(?:\.|__?|-+)[a-z\d]+)*)*(?::\w[\w.-]{0,127})?(?:@[a-z\d]+:[\da-f]{32,})?$/;
const targetPlatform = /^\$(?:TARGETPLATFORM|\{TARGETPLATFORM(?::?-[^{}]*)?\})$/;

export interface FromCheck {
  readonly escapeToken: string;
  /** Arguments of the build. */
  readonly given: Readonly<Record<string, string | undefined>>;
  readonly findings: Findings;
  /** For what is told of values that are only tried out. */
  readonly unheard: Findings;
}

/** What `FROM` says of platforms that holds anyway, and names that are none unless the build is given arguments. */
export function checkFrom(stages: Stages, {escapeToken, given, findings, unheard}: FromCheck): void {
  const context = {escapeToken, findings: unheard};
  const defaults = {...context, scope: {variables: globalsOf(stages, {}, context), complete: true}};
  const actual = {...context, scope: {variables: globalsOf(stages, given, context), complete: true}};
  for (const {from} of stages.stages) {
    const {image, platform} = from;
    if (platform !== undefined && targetPlatform.test(platform.value)) {
      const place = placeIn(from.line, platform.at, platform.end);
      const message = 'FROM is for the platform of the build without being told so';
      findings.warning(place, 'redundant-target-platform', message, `remove --platform=${platform.value}`);
    }
    if (!image.text.includes('$')) continue;
    const value = expandWord(from, image, defaults);
    if (value === undefined || !value.known || imageName.test(value.text)) continue;
    // What is no name with the arguments that were given either is an error, not a matter of style.
    const built = expandWord(from, image, actual);
    if (built?.known === true && !imageName.test(built.text)) continue;
    const message = `FROM: without arguments of the build "${value.text}" is no name of an image`;
    const hint = 'give the ARG a default that makes one of it';
    findings.warning(placeOfWord(from, image), 'invalid-default-arg-in-from', message, hint);
  }
}

function globalsOf(
  {globals}: Stages,
  given: FromCheck['given'],
  context: {readonly escapeToken: string; readonly findings: Findings},
): ReadonlyMap<string, string | undefined> {
  const variables = new Map<string, string | undefined>(platformArguments.map((name) => [name, undefined]));
  for (const instruction of globals) {
    for (const {name, value} of instruction.arguments) {
      const {text} = name;
      const own = value && expandWord(instruction, value, {...context, scope: {variables, complete: true}});
      if (Object.hasOwn(given, text)) variables.set(text, given[text]);
      else if (own !== undefined) variables.set(text, own.known ? own.text : undefined);
      else if (!variables.has(text)) variables.set(text, '');
    }
  }
  return variables;
}
