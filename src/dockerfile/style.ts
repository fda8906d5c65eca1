import {placeIn} from './logical-line.ts';
import type {Dockerfile} from './parse.ts';
import type {Findings} from './source.ts';
import {placeOfWord, type Stage, type Stages} from './stages.ts';

/** What is right, and likely not what was meant: the rules that BuildKit checks, under its names. */
export function checkStyle({instructions}: Dockerfile, stages: Stages, findings: Findings): void {
  checkCasing(instructions, findings);
  checkStages(stages, findings);
  for (const stage of stages.stages) checkStage(stage, findings);
}

/** Instructions in capitals and in small letters mixed. */
function checkCasing(instructions: Dockerfile['instructions'], findings: Findings): void {
  const upper = instructions.filter(({written}) => written.text === written.text.toUpperCase()).length;
  const lower = instructions.filter(({written}) => written.text === written.text.toLowerCase()).length;
  const majority = lower > upper ? 'toLowerCase' : 'toUpperCase';
  for (const instruction of instructions) {
    const {text} = instruction.written;
    if (text === text[majority]()) continue;
    const place = placeOfWord(instruction, instruction.written);
    const fix = text[majority]();
    const message = `"${text}" is not written as the others are`;
    findings.warning(place, 'consistent-instruction-casing', message, `write ${fix}`, fix);
  }
}

function checkStages({stages}: Stages, findings: Findings): void {
  const seen = new Set<string>();
  for (const {from, name} of stages) {
    const {platform} = from;
    if (platform !== undefined && platform.value !== '' && !platform.value.includes('$')) {
      const place = placeIn(from.line, platform.at, platform.end);
      const hint = 'write --platform=$BUILDPLATFORM, or leave the platform to the build';
      findings.warning(place, 'from-platform-flag-const-disallowed', `FROM is always for ${platform.value}`, hint);
    }
    if (from.stage === undefined || name === undefined) continue;
    const place = placeOfWord(from, from.stage);
    if (from.stage.text !== name) {
      findings.warning(
        place,
        'stage-name-casing',
        `the stage "${from.stage.text}" is in capitals`,
        `write ${name}`,
        name,
      );
    }
    if (seen.has(name)) {
      const hint = 'give each stage a name of its own: the later one hides this one';
      findings.warning(place, 'duplicate-stage-name', `another stage is called "${name}", too`, hint);
    }
    seen.add(name);
    const as = from.line.text.slice(from.image.at).match(/\s(as)\s/i)?.[1] ?? '';
    if ((as === as.toUpperCase()) !== (from.written.text === from.written.text.toUpperCase())) {
      const hint = `write ${from.written.text === from.written.text.toUpperCase() ? 'AS' : 'as'}`;
      findings.warning(
        placeOfWord(from, from.written),
        'from-as-casing',
        `"${from.written.text}" and "${as}" differ`,
        hint,
      );
    }
  }
}

/** Of which only the last one counts. */
const once = ['CMD', 'ENTRYPOINT', 'HEALTHCHECK'] as const;

function checkStage({instructions}: Stage, findings: Findings): void {
  for (const keyword of once) {
    const all = instructions.filter((instruction) => instruction.keyword === keyword);
    for (const instruction of all.slice(0, -1)) {
      const place = placeOfWord(instruction, instruction.written);
      const hint = 'remove it: only the last one of a stage counts';
      findings.warning(place, 'multiple-instructions-disallowed', `another ${keyword} follows in this stage`, hint);
    }
  }
  let shell = false;
  let root = false;
  for (const instruction of instructions) {
    const place = placeOfWord(instruction, instruction.written);
    if (instruction.keyword === 'SHELL') shell = true;
    if (instruction.keyword === 'MAINTAINER') {
      const hint = `write LABEL org.opencontainers.image.authors="${instruction.value.text}"`;
      findings.warning(place, 'maintainer-deprecated', 'MAINTAINER is not used any more', hint);
    }
    if ((instruction.keyword === 'CMD' || instruction.keyword === 'ENTRYPOINT') && !shell) {
      const {command} = instruction;
      // What looks like a list was told already.
      if (command.form === 'list' || command.text.startsWith('[')) continue;
      const message = `${instruction.keyword} runs below a shell, which does not pass on signals`;
      findings.warning(place, 'json-args-recommended', message, `write ${instruction.keyword} ["program", "argument"]`);
    }
    if (instruction.keyword === 'WORKDIR') {
      const {text, at} = instruction.value;
      const absolute = /^["']?[/$]/.test(text);
      if (!absolute && !root) {
        const where = placeIn(instruction.line, at, at + text.length);
        const hint = `write the whole path, such as /${text}`;
        const message = `WORKDIR: where "${text}" is depends on the image below`;
        findings.warning(where, 'workdir-relative-path', message, hint);
      }
      root ||= absolute;
    }
    checkSecrets(instruction, findings);
  }
}

const secretName =
  /(?:^|_)(?:api_?key|auth|credentials?|git_?token|key|pass(?:word|wd|phrase)?|pword|secret|token)(?:_|$)/i;
const publicName = /(?:^|_)public(?:_|$)/i;

/** Values of ARG and ENV are in the image for everybody to read. */
function checkSecrets(instruction: Stage['instructions'][number], findings: Findings): void {
  const names =
    instruction.keyword === 'ENV'
      ? instruction.pairs.map(({key}) => key)
      : instruction.keyword === 'ARG'
        ? instruction.arguments.map(({name}) => name)
        : [];
  for (const name of names) {
    if (!secretName.test(name.text) || publicName.test(name.text)) continue;
    const hint = 'give it to the steps that need it: RUN --mount=type=secret,id=…';
    const message = `${instruction.keyword}: "${name.text}" looks like a secret, and the image keeps it`;
    findings.warning(placeOfWord(instruction, name), 'secrets-used-in-arg-or-env', message, hint);
  }
}
