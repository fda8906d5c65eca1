import {didYouMean} from '../base/suggest.ts';
import type {Problems} from './problems.ts';
import type {Span} from './source.ts';
import {isText, member, type Tree} from './tree.ts';

/** Names that the kernel gives its capabilities (capabilities(7)), without `CAP_`. */
const capabilities =
  words(`ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE
  DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN
  NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE
  SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG SYSLOG WAKE_ALARM`);

/** signal(7). */
const signals =
  words(`SIGABRT SIGALRM SIGBUS SIGCHLD SIGCONT SIGFPE SIGHUP SIGILL SIGINT SIGIO SIGKILL SIGPIPE SIGPOLL SIGPROF
  SIGPWR SIGQUIT SIGSEGV SIGSTKFLT SIGSTOP SIGSYS SIGTERM SIGTRAP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGUSR1 SIGUSR2 SIGVTALRM
  SIGWINCH SIGXCPU SIGXFSZ`);

/** getrlimit(2), without `RLIMIT_`. */
const limits = words(
  `as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack`,
);

const networkModes = words('bridge host none');

const logDrivers = words('awslogs fluentd gcplogs gelf journald json-file local none splunk syslog');

function words(text: string): readonly string[] {
  return text.split(/\s+/);
}

/**
 * Words that are nearly one of those that are usually meant, and none of them. They may be right all the same (a plugin's,
 * a newer kernel's), so only the engine can refuse them.
 */
export function warnOfWords(service: Tree, name: string, problems: Problems): void {
  const check = (attribute: string, found: readonly Found[], known: readonly string[], what: string): void => {
    for (const {word, at} of found) {
      const hint = known.includes(word) ? undefined : didYouMean(word, known);
      if (hint === undefined) continue;
      problems.warning(at, {
        code: 'unusual-word',
        message: `services.${name}.${attribute}: "${word}" is not ${what}`,
        hint,
      });
    }
  };
  for (const attribute of ['cap_add', 'cap_drop']) {
    const found = texts(member(service, attribute)).map(({word, at}) => ({
      word: word.toUpperCase().replace(/^CAP_/, ''),
      at,
    }));
    check(attribute, found, capabilities, 'a capability of the kernel');
  }
  const signal = texts(member(service, 'stop_signal'))
    .filter(({word}) => !/^\d+$/.test(word) && !/^(?:SIG)?RTM(?:IN|AX)/i.test(word))
    .map(({word, at}) => ({word: `SIG${word.toUpperCase().replace(/^SIG/, '')}`, at}));
  check('stop_signal', signal, signals, 'a signal');
  check('ulimits', keys(member(service, 'ulimits')), limits, 'a limit of the kernel');
  check('network_mode', texts(member(service, 'network_mode')), networkModes, 'a mode of the network');
  check('logging.driver', texts(member(member(service, 'logging'), 'driver')), logDrivers, 'a log driver of an engine');
}

interface Found {
  readonly word: string;
  readonly at: Span;
}

function texts(node: Tree | undefined): readonly Found[] {
  if (node?.kind === 'sequence') return node.items.flatMap(texts);
  return node !== undefined && isText(node) ? [{word: node.value, at: node.at}] : [];
}

function keys(node: Tree | undefined): readonly Found[] {
  return node?.kind === 'mapping' ? [...node.entries].map(([word, {key}]) => ({word, at: key})) : [];
}
