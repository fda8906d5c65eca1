import type {Instruction} from './instruction.ts';
import type {Value} from './scope.ts';
import type {Findings} from './source.ts';
import {placeOfWord} from './stages.ts';
import type {ValueOf} from './values.ts';

/** Signals of Linux by name (signal(7)); any number is one, too, as Docker has it. */
const signals = new Set(
  `ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP
  TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX`.split(/\s+/),
);

/** What a value cannot be, once its variables are known. */
export function checkValue(
  instruction: Instruction,
  {role, word}: ValueOf,
  {text, words}: Value,
  findings: Findings,
): void {
  const place = placeOfWord(instruction, word);
  const {keyword} = instruction;
  if (keyword === 'EXPOSE') for (const port of words) checkPort(port);
  else if (keyword === 'STOPSIGNAL' && !isSignal(text)) {
    findings.error(place, 'invalid-signal', `STOPSIGNAL: "${text}" is not a signal`, 'write SIGTERM, or a number');
  } else if (role === 'chmod' && !/^(?:[0-7]{1,4}|(?:[ugoa]*[-+=][rwxXstugo]*,?)+)$/.test(text)) {
    findings.error(place, 'invalid-mode', `${keyword}: --chmod: "${text}" is not a mode`, 'write 0755, or u=rw,go=r');
  } else if (keyword === 'FROM' && role === 'image' && text === '') {
    findings.error(place, 'missing-argument', 'FROM: the name of the image is empty', 'give the variable a value');
  }

  function checkPort(port: string): void {
    if (port.includes(':')) {
      const hint = 'name the port of the container alone; publish it when the container is made';
      findings.warning(place, 'expose-invalid-format', `EXPOSE: "${port}" names an address or two ports`, hint);
      return;
    }
    const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/([a-zA-Z]+))?$/.exec(port);
    const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
    const protocol = match?.[3]?.toLowerCase() ?? 'tcp';
    if (match === null || first > last || last > 65_535 || !['tcp', 'udp', 'sctp'].includes(protocol)) {
      findings.error(place, 'invalid-port', `EXPOSE: "${port}" is not a port`, 'write 8080, or 8080-8090/udp');
    } else if (match[3] !== undefined && match[3] !== protocol) {
      const fix = port === word.text ? port.toLowerCase() : undefined;
      findings.warning(place, 'expose-proto-casing', `EXPOSE: "${match[3]}" is in capitals`, `write ${protocol}`, fix);
    }
  }
}

function isSignal(text: string): boolean {
  if (/^\d+$/.test(text)) return Number(text) >= 1;
  const name = text.toUpperCase().replace(/^SIG/, '');
  return signals.has(name) || /^RTM(?:IN\+\d{1,2}|AX-\d{1,2})$/.test(name);
}
