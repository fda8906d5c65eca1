import {expect, it} from 'vitest';
import {textOf} from './output.ts';
import {refusal, runOnce} from './run-once.ts';
import {describeTargets} from './targets.ts';

const allowing = {defaultAction: 'SCMP_ACT_ALLOW'};
const option = (profile: object | string): {readonly SecurityOpt: readonly string[]} => ({
  SecurityOpt: [`seccomp=${typeof profile === 'string' ? profile : JSON.stringify(profile)}`],
});
/** Everything but making directories as the rule says; names of both calls, since programs use either. */
const making = (rule: object): object => ({
  ...allowing,
  syscalls: [{names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', ...rule}],
});
const mode = (op: string, value: number, valueTwo = 0): object => ({index: 1, op, value, valueTwo});
const directory = 'mkdir /tmp/a; echo $?';
const made = '0';
const refused = "mkdir: can't create directory '/tmp/a': Operation not permitted\n1";

describeTargets('a seccomp profile', (target) => {
  const run = async (profile: object, line = directory): Promise<string> =>
    (await runOnce(target, line, option(profile))).text;

  it('is loaded', async () => {
    expect(await run(allowing, 'grep ^Seccomp: /proc/self/status; unshare -m true; echo $?')).toMatch(/\b2\n.*\n1$/);
  });

  it.each([
    ['an error', {}, refused],
    ['an error of its own', {errnoRet: 28}, refused.replace('Operation not permitted', 'No space left on device')],
    ['the end of the process', {action: 'SCMP_ACT_KILL_PROCESS'}, 'Bad system call\n159'],
    ['the end of the thread', {action: 'SCMP_ACT_KILL'}, 'Bad system call\n159'],
    ['a signal', {action: 'SCMP_ACT_TRAP'}, 'Bad system call\n159'],
    [
      'a tracer’s answer',
      {action: 'SCMP_ACT_TRACE'},
      refused.replace('Operation not permitted', 'Function not implemented'),
    ],
    ['a line in the log', {action: 'SCMP_ACT_LOG'}, made],
    ['nothing', {action: 'SCMP_ACT_ALLOW'}, made],
  ])('gives %s', async (_name, rule, output) => {
    expect(await run(making(rule))).toBe(output);
  });

  it.each([
    ['SCMP_CMP_EQ', [mode('SCMP_CMP_EQ', 0o777)], refused],
    ['SCMP_CMP_EQ of another', [mode('SCMP_CMP_EQ', 0o776)], made],
    ['SCMP_CMP_NE', [mode('SCMP_CMP_NE', 0o777)], made],
    ['SCMP_CMP_LT', [mode('SCMP_CMP_LT', 0o777)], made],
    ['SCMP_CMP_LE', [mode('SCMP_CMP_LE', 0o777)], refused],
    ['SCMP_CMP_GE', [mode('SCMP_CMP_GE', 0o777)], refused],
    ['SCMP_CMP_GT', [mode('SCMP_CMP_GT', 0o777)], made],
    ['SCMP_CMP_MASKED_EQ', [mode('SCMP_CMP_MASKED_EQ', 0o700, 0o700)], refused],
    ['SCMP_CMP_MASKED_EQ of another', [mode('SCMP_CMP_MASKED_EQ', 0o700, 0o600)], made],
    ['two that hold', [mode('SCMP_CMP_EQ', 0o777), {index: 0, op: 'SCMP_CMP_GT', value: 0}], refused],
    ['two of which one holds', [mode('SCMP_CMP_EQ', 0o777), {index: 0, op: 'SCMP_CMP_EQ', value: 1}], made],
    ['two of one argument: either', [mode('SCMP_CMP_EQ', 1), mode('SCMP_CMP_EQ', 0o777)], refused],
  ])('compares arguments: %s', async (_name, args, output) => {
    expect(await run({...allowing, syscalls: [{names: ['mkdir'], action: 'SCMP_ACT_ERRNO', args}]})).toBe(output);
  });

  it.each([
    ['a capability that is there', {includes: {caps: ['CAP_CHOWN']}}, refused],
    ['one of two capabilities', {includes: {caps: ['CAP_CHOWN', 'CAP_SYS_ADMIN']}}, made],
    ['not with a capability', {excludes: {caps: ['CAP_CHOWN', 'CAP_SYS_ADMIN']}}, made],
    ['not with one that is not there', {excludes: {caps: ['CAP_SYS_ADMIN']}}, refused],
    ['this machine', {includes: {arches: ['amd64', 'arm64']}}, refused],
    ['other machines', {includes: {arches: ['s390x', 'x32']}}, made],
    ['not this machine', {excludes: {arches: ['amd64', 'arm64']}}, made],
    ['an older kernel', {includes: {minKernel: '4.8'}}, refused],
    ['a newer kernel', {includes: {minKernel: '99.0'}}, made],
    ['not from an older kernel on', {excludes: {minKernel: '4.8'}}, made],
    ['not from a newer kernel on', {excludes: {minKernel: '99.0'}}, refused],
  ])('has rules for %s', async (_name, scope, output) => {
    expect(await run(making(scope))).toBe(output);
  });

  it('prefers a rule without conditions', async () => {
    const syscalls = [
      {names: ['mkdir'], action: 'SCMP_ACT_ERRNO', errnoRet: 28, args: [mode('SCMP_CMP_EQ', 0o777)]},
      {name: 'mkdir', action: 'SCMP_ACT_ERRNO', errnoRet: 13},
    ];
    expect(await run({...allowing, syscalls})).toContain('Permission denied');
  });

  it('ignores rules that say what the default says, and calls that do not exist', async () => {
    const syscalls = [
      {names: ['mkdir'], action: 'SCMP_ACT_ALLOW'},
      {names: ['mkdir', 'no_such_call'], action: 'SCMP_ACT_ERRNO', errnoRet: 28},
    ];
    expect(await run({...allowing, syscalls})).toContain('No space left on device');
  });

  it('may be of several architectures, and have flags', async () => {
    const archMap = [
      {architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32']},
      {architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM']},
    ];
    expect(await run({...making({}), archMap})).toBe(refused);
    expect(await run({...making({}), architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64']})).toBe(refused);
    expect(await run({...making({}), flags: ['SECCOMP_FILTER_FLAG_LOG']})).toBe(refused);
  });

  it('holds for an exec, too, and with no-new-privileges', async () => {
    const HostConfig = {SecurityOpt: [...option(making({})).SecurityOpt, 'no-new-privileges']};
    const container = await target.run({HostConfig});
    for (const Privileged of [false, true]) {
      const exec = await container.exec({Cmd: ['mkdir', '/tmp/a'], AttachStderr: true, Privileged});
      expect(await textOf((await exec.start()).output)).toContain('Operation not permitted');
      expect((await exec.inspect()).ExitCode).toBe(1);
    }
    const {text} = await runOnce(target, directory, HostConfig);
    expect(text).toBe(refused);
  });

  it.each([
    ['no JSON', 'nonsense', 'Decoding seccomp profile failed: '],
    ['more than one value', '{"defaultAction":"SCMP_ACT_ALLOW"} more', 'Decoding seccomp profile failed: '],
    ['a list', '[]', 'Decoding seccomp profile failed: '],
    ['a number as the action', {defaultAction: 1}, 'Decoding seccomp profile failed: '],
    ['an unknown action', {defaultAction: 'SCMP_ACT_MAYBE'}, 'SCMP_ACT_MAYBE'],
    ['an unknown action of a rule', making({action: 'SCMP_ACT_MAYBE'}), 'SCMP_ACT_MAYBE'],
    ['a rule without an action', making({action: ''}), 'action'],
    ['no default', {syscalls: [{names: ['mkdir'], action: 'SCMP_ACT_ERRNO'}]}, 'ction'],
    ['an unknown operator', making({args: [mode('SCMP_CMP_ABOUT', 1)]}), 'SCMP_CMP_ABOUT'],
    ['a seventh argument', making({args: [{index: 9, value: 1, op: 'SCMP_CMP_EQ'}]}), ''],
    ['a negative value', making({args: [{index: 0, value: -1, op: 'SCMP_CMP_EQ'}]}), 'value'],
    ['an unknown architecture', {...making({}), architectures: ['SCMP_ARCH_PDP11']}, 'SCMP_ARCH_PDP11'],
    ['an unknown flag', {...making({}), flags: ['NONSENSE']}, 'NONSENSE'],
    [
      'a kernel that is none',
      making({includes: {minKernel: '4'}}),
      'Decoding seccomp profile failed: invalid kernel version: "4", expected "<kernel>.<major>"',
    ],
    [
      'both spellings of names',
      making({name: 'rmdir'}),
      "both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'",
    ],
    [
      'both spellings of architectures',
      {...allowing, architectures: ['SCMP_ARCH_X86_64'], archMap: [{architecture: 'SCMP_ARCH_X86_64'}]},
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
    ],
    ['a listener', making({action: 'SCMP_ACT_NOTIFY'}), ''],
  ])('is refused: %s', async (_name, profile, message) => {
    const said = await refusal(target, option(profile));
    expect(said).not.toBe('it runs');
    expect(said).toContain(message);
  });
});
