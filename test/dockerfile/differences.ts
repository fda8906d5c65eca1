/** Where we judge a Dockerfile otherwise than BuildKit, and why. */
export interface Difference {
  readonly text: string;
  /** What is said here: `error`, or names of checks with lines. */
  readonly own: string;
  readonly why: string;
}

const empty = 'an instruction that does nothing is pointed out';
const list = 'what looks like a list in JSON and is none is told by that name, not as a shell form that was meant';
const network = 'BuildKit looks for the image in a registry: without one nothing is wrong with the file';
const older = 'the recorded version of the language did not have the flag';
const fallback = 'a variable with a default may be unset';
const reset = 'without words it takes away what the image below says';
const trigger = 'no image that is built on this one could be built';
const f = 'FROM scratch\n';

export const differences: readonly Difference[] = [
  {text: `${f}RUN`, own: 'emptycommand:2', why: empty},
  {text: `${f}RUN --security=insecure x`, own: '', why: older},
  {text: `${f}RUN --`, own: 'emptycommand:2', why: empty},
  {text: `${f}COPY --from=x a b`, own: '', why: network},
  {text: `${f}COPY --parents a b`, own: '', why: older},
  {text: `${f}ADD --checksum=sha256:1 a b`, own: '', why: 'what a source is gets known in the build'},
  {text: `${f}ENV a=\${b+c}\${b:+c}\${b-c}`, own: '', why: fallback},
  {text: `${f}EXPOSE $P`, own: 'undefinedvar:2', why: 'a port that nothing sets is a mistake like others'},
  {text: `${f}CMD`, own: '', why: reset},
  {text: `${f}CMD ["a"`, own: 'brokenlist:2', why: list},
  {text: `${f}ENTRYPOINT`, own: '', why: reset},
  {text: `${f}ENTRYPOINT ["a",]`, own: 'brokenlist:2', why: list},
  {text: `${f}ONBUILD FOO`, own: 'error', why: trigger},
  {text: `${f}ONBUILD COPY a`, own: 'error', why: trigger},
  {text: `${f}RUN a \\\n\n b`, own: 'noemptycontinuation:3', why: 'the line is that of the blank line'},
  {text: `${f}WORKDIR \${W:-/x}`, own: '', why: fallback},
  {text: 'FROM scratch AS a\nFROM A', own: '', why: 'names of images are judged when they are looked for'},
  {text: 'FROM scratch AS a\nCOPY --from=b / /', own: '', why: network},
  {text: `${f}LABEL a=\${a:-\${b:-c}}`, own: '', why: fallback},
];
