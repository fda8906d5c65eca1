import {expect, test} from 'vitest';
import type {TscomposeError} from '../../../src/base/errors.ts';
import type {Helper, NetlinkError} from '../../../src/engine/helper/coprocess.ts';
import {createLayout} from '../../../src/engine/layout.ts';
import {ensureFirewall} from '../../../src/engine/network/firewall.ts';
import {createKernel, kernelErrno} from '../../../src/engine/network/kernel.ts';
import {deleteLink} from '../../../src/engine/network/netlink/link.ts';
import {decodeTable, getTables} from '../../../src/engine/network/netlink/nftables.ts';

/** A helper whose kernel refuses the requests in turn; undefined: nothing is refused. */
function refusing(...answers: readonly (NetlinkError | undefined)[]): Pick<Helper, 'request'> {
  let next = 0;
  const request = async () => {
    const error = answers[next++];
    return {messages: '', errors: error ? [error] : []};
  };
  return {request: request as unknown as Helper['request']};
}

const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: TscomposeError) => error,
  );

test('what the kernel refuses has a kind, and keeps its reason', async () => {
  const kinds = {
    EPERM: 'forbidden',
    ENODEV: 'notFound',
    EEXIST: 'conflict',
    EBUSY: 'conflict',
    ENOBUFS: 'exhausted',
    EOPNOTSUPP: 'unsupported',
    EFAULT: 'internal',
  };
  for (const [errno, kind] of Object.entries(kinds)) {
    const kernel = createKernel(refusing({index: 0, errno, code: 1}));
    const error = await failure(kernel.route([deleteLink('tsb0')], 'remove interface tsb0'));
    expect(error).toMatchObject({kind, message: `remove interface tsb0: the kernel answered ${errno}`});
    expect(kernelErrno(error)).toBe(errno);
  }
});

test('a kernel without nf_tables is told of by name', async () => {
  const kernel = createKernel(refusing({index: 0, errno: 'EINVAL', code: 22}));
  const error = await failure(kernel.read('netfilter', getTables(), decodeTable, 'list the firewall tables'));
  expect(error).toMatchObject({kind: 'unsupported', hint: expect.stringContaining('CONFIG_NF_TABLES_INET')});
});

test('a kernel with a part of nf_tables only is told of by name', async () => {
  const missing = {index: 0, errno: 'ENOENT', code: 2};
  // The rules and the five sets that are asked for, then what is to be made.
  const questions = Array.from({length: 6}, () => missing);
  const kernel = createKernel(refusing(...questions, {index: 30, errno: 'ENOENT', code: 2}));
  const layout = createLayout({root: '/nowhere', run: '/nowhere/run'});
  const error = await failure(ensureFirewall(kernel, layout, [], async () => []));
  expect(error).toMatchObject({
    kind: 'unsupported',
    message: expect.stringMatching(
      /^set up the firewall table tscompose_[0-9a-f]{10}: the kernel lacks a part of nf_tables$/,
    ),
    hint: expect.stringContaining('CONFIG_NFT_FIB_INET'),
  });
});
