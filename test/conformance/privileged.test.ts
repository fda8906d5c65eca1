import {readFileSync} from 'node:fs';
import {expect, it} from 'vitest';
import {textOf} from './output.ts';
import {refusal, runOnce} from './run-once.ts';
import {describeTargets} from './targets.ts';

const status =
  'grep -E "^(CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):" /proc/self/status | tr "\\n\\t" " :"';
/** All that the machine gives: what this process itself may have. */
const full = /^CapBnd:\s*(\w+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
const none = '0'.repeat(16);
const usual = '00000000a80425fb';

describeTargets('privileged', (target) => {
  it('has all capabilities, and no filter', async () => {
    const {text} = await runOnce(target, status, {Privileged: true});
    expect(text).toBe(
      `CapInh::${none} CapPrm::${full} CapEff::${full} CapBnd::${full} CapAmb::${none} NoNewPrivs::0 Seccomp::0`,
    );
  });

  it('as another user has none of them, but may get them', async () => {
    const {text} = await runOnce(target, status, {Privileged: true}, {User: '1000'});
    expect(text).toContain(`CapEff::${none} CapBnd::${full}`);
  });

  it('keeps the capabilities that it drops', async () => {
    const {text} = await runOnce(target, status, {Privileged: true, CapDrop: ['ALL']});
    expect(text).toContain(`CapEff::${full}`);
  });

  it('has no paths hidden, and may write to the kernel’s', async () => {
    const line = `grep -c " /proc/\\| /sys/firmware" /proc/mounts
      grep -E "^(sysfs|cgroup2?) " /proc/mounts | grep -vc " rw,"
      mkdir /sys/fs/cgroup/*/inner 2>/dev/null || mkdir /sys/fs/cgroup/inner; echo $?
      rmdir /sys/fs/cgroup/*/inner 2>/dev/null || rmdir /sys/fs/cgroup/inner; echo $?
      cat /proc/sys/kernel/core_pattern >/tmp/old && cat /tmp/old >/proc/sys/kernel/core_pattern; echo $?`;
    expect((await runOnce(target, line, {Privileged: true})).text).toBe('0\n0\n0\n0\n0');
  });

  it('else has them hidden and read-only', async () => {
    const line = `grep -c " /proc/\\| /sys/firmware" /proc/mounts >/tmp/n; test $(cat /tmp/n) -gt 3; echo $?
      grep -E "^(sysfs|cgroup2?) " /proc/mounts | grep -vc " ro,"
      mkdir /sys/fs/cgroup/*/inner 2>/dev/null || mkdir /sys/fs/cgroup/inner/inner 2>/dev/null; echo $?
      cat /proc/sys/kernel/core_pattern >/tmp/old; cat /tmp/old >/proc/sys/kernel/core_pattern`;
    const {text} = await runOnce(target, line, {});
    expect(text).toMatch(/^0\n0\n1\n.*Read-only file system$/);
  });

  it('has every device of the machine, its own terminals, and no console', async () => {
    const line = `test -c /dev/mem -o -c /dev/kmsg; echo $?; head -c0 /dev/kmsg; echo $?
      ls -l /dev/ptmx | grep -c "pts/ptmx"; test -e /dev/console; echo $?; ls /dev/pts | grep -vc ptmx
      mknod /tmp/any c 240 7; head -c1 /tmp/any 2>&1`;
    const {text} = await runOnce(target, line, {Privileged: true});
    expect(text).toMatch(/^0\n0\n1\n1\n0\n.*No such device or address$/);
  });

  it('has what it asks for all the same', async () => {
    const {text} = await runOnce(target, `${status}; cat /proc/keys | wc -c; echo x >/proc/sys/kernel/core_pattern`, {
      Privileged: true,
      SecurityOpt: ['no-new-privileges', 'seccomp={"defaultAction":"SCMP_ACT_ALLOW"}'],
      MaskedPaths: ['/proc/keys'],
      ReadonlyPaths: ['/proc/sys'],
    });
    expect(text).toMatch(/NoNewPrivs::1 Seccomp::2 0\n.*Read-only file system$/);
  });

  it('is shown by inspect', async () => {
    const container = await target.create({HostConfig: {Privileged: true}});
    expect((await container.inspect()).HostConfig).toMatchObject({
      Privileged: true,
      SecurityOpt: ['label=disable'],
      MaskedPaths: null,
      ReadonlyPaths: null,
    });
  });
});

describeTargets('paths of the kernel', (target) => {
  const mounted = 'grep -cE " /proc/(keys|sys|irq|bus|fs)" /proc/mounts';

  it.each([
    ['null: the usual ones', null, 5],
    ['empty: none', [], 0],
  ])('%s', async (_name, paths, count) => {
    const {text} = await runOnce(target, mounted, {MaskedPaths: paths, ReadonlyPaths: paths});
    expect(Number(text)).toBe(count);
  });

  it('may be any of the container, also such that are not there', async () => {
    const {text} = await runOnce(target, 'cat /etc/passwd; ls /usr; touch /etc/x; touch /home/x; echo done', {
      MaskedPaths: ['/etc/passwd', '/usr', 'relative', '/not/there'],
      ReadonlyPaths: ['/etc', '/home', '/not/there'],
    });
    expect(text.split('\n').map((line) => line.replace(/^touch: /, ''))).toEqual([
      '/etc/x: Read-only file system',
      '/home/x: Read-only file system',
      'done',
    ]);
  });

  it('are shown by inspect', async () => {
    const paths = {MaskedPaths: ['/a'], ReadonlyPaths: []};
    expect((await (await target.create({HostConfig: paths})).inspect()).HostConfig).toMatchObject(paths);
    const usually = (await (await target.create()).inspect()).HostConfig;
    expect(usually.MaskedPaths).toContain('/proc/kcore');
    expect(usually.ReadonlyPaths).toEqual(['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']);
  });
});

describeTargets('security options', (target) => {
  it.each([
    ['no-new-privileges', '1'],
    ['no-new-privileges:true', '1'],
    ['no-new-privileges=T', '1'],
    ['no-new-privileges:false', '0'],
    ['no-new-privileges=0', '0'],
  ])('%s', async (option, value) => {
    const {text} = await runOnce(target, status, {SecurityOpt: [option]});
    expect(text).toContain(`CapEff::${usual} CapBnd::${usual} CapAmb::${none} NoNewPrivs::${value} Seccomp::2`);
  });

  it('the last of several counts', async () => {
    const {text} = await runOnce(target, status, {SecurityOpt: ['no-new-privileges', 'no-new-privileges=false']});
    expect(text).toContain('NoNewPrivs::0');
  });

  it.each([
    ['seccomp=unconfined', '0'],
    ['seccomp:unconfined', '0'],
    ['seccomp=builtin', '2'],
    ['seccomp=', '2'],
    ['apparmor=unconfined', '2'],
    ['apparmor:unconfined', '2'],
    ['label=disable', '2'],
    ['label:disable', '2'],
    ['label=type:mine', '2'],
  ])('%s', async (option, value) => {
    expect((await runOnce(target, status, {SecurityOpt: [option]})).text).toContain(`Seccomp::${value}`);
  });

  it.each([
    ['nonsense', 1],
    ['label', 1],
    ['seccomp', 1],
    ['nonsense=1', 2],
    ['no-new-privileges=maybe', 2],
    ['no-new-privileges:', 2],
    ['systempaths=unconfined', 2],
    ['credentialspec=x', 2],
    ['writable-cgroups=x', 2],
  ])('refused: %s', async (option, check) => {
    expect(await refusal(target, {SecurityOpt: [option]})).toContain(`invalid --security-opt ${check}: "${option}"`);
  });

  it('cgroups may be writable without more', async () => {
    const line = 'grep -E "^cgroup2? " /proc/mounts | grep -vc " rw,"; grep -c "^sysfs /sys sysfs ro," /proc/mounts';
    expect((await runOnce(target, line, {SecurityOpt: ['writable-cgroups=true']})).text).toBe('0\n1');
    const opposite = line.replace('" rw,"', '" ro,"').replace('sysfs ro', 'sysfs rw');
    const HostConfig = {Privileged: true, SecurityOpt: ['writable-cgroups=false']};
    expect((await runOnce(target, opposite, HostConfig)).text).toBe('0\n1');
  });
});

describeTargets('exec with all privileges', (target) => {
  const inContainer = async (
    container: Awaited<ReturnType<typeof target.run>>,
    body: {readonly Privileged: boolean; readonly User?: string},
    line = status,
  ): Promise<string> => {
    const exec = await container.exec({Cmd: ['sh', '-c', line], AttachStdout: true, AttachStderr: true, ...body});
    const text = await textOf((await exec.start()).output);
    expect((await exec.inspect()).ProcessConfig.privileged).toBe(body.Privileged);
    return text;
  };

  it('has all capabilities under the container’s filter', async () => {
    const container = await target.run({HostConfig: {CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges']}});
    expect(await inContainer(container, {Privileged: true})).toContain(
      `CapPrm::${full} CapEff::${full} CapBnd::${full} CapAmb::${none} NoNewPrivs::1 Seccomp::2`,
    );
    expect(await inContainer(container, {Privileged: true, User: '1000'})).toContain(`CapEff::${none} CapBnd::${full}`);
    expect(await inContainer(container, {Privileged: false})).toContain(`CapEff::${none} CapBnd::${none}`);
    expect(await inContainer(container, {Privileged: true}, 'mount -t tmpfs t /tmp 2>&1')).toContain('denied');
  });

  it('in a privileged container is as any', async () => {
    const container = await target.run({HostConfig: {Privileged: true}});
    const [plain, privileged] = [
      await inContainer(container, {Privileged: false}),
      await inContainer(container, {Privileged: true}),
    ];
    expect(plain).toBe(privileged);
    expect(await inContainer(container, {Privileged: false}, 'mount -t tmpfs t /tmp; echo $?')).toBe('0\n');
  });
});
