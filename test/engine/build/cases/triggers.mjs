import {run, tree} from './tree.mjs';

/** A stage with a trigger, and one upon it. */
const triggered = (name, triggers, after = '') => ({
  name: `trigger: ${name}`,
  files: tree,
  dockerfile: `FROM busybox AS base\n${triggers}\nFROM base\n${after}\n`,
});

export const triggers = [
  run('trigger', 'ONBUILD RUN true\nONBUILD COPY a /b'),
  {
    name: 'triggers of a stage',
    files: tree,
    dockerfile: 'FROM busybox AS base\nONBUILD COPY a /t\nONBUILD ENV T=1\nFROM base\nRUN cat /t\n',
  },
  triggered('run', 'ONBUILD RUN echo 1 > /f', 'RUN cat /f > /g'),
  triggered('add', 'ONBUILD ADD --chmod=700 a /t/'),
  triggered('copy with flags', 'ONBUILD COPY --chown=5:6 --link d /t'),
  triggered('copy from a stage', 'ONBUILD COPY --from=busybox /etc/group /t/'),
  triggered('environment', 'ONBUILD ENV A=1 B=$PATH', 'RUN echo $A > /f'),
  triggered('argument', 'ONBUILD ARG A=1', 'RUN echo $A > /f'),
  triggered('label', 'ONBUILD LABEL a=b'),
  triggered('user and directory', 'ONBUILD USER app\nONBUILD WORKDIR /w', 'RUN pwd > f'),
  triggered('command and entry point', 'ONBUILD CMD ["a"]\nONBUILD ENTRYPOINT ["b"]'),
  triggered('command that stays', 'ONBUILD ENTRYPOINT ["b"]', 'CMD ["a"]'),
  triggered('ports, volumes, signal', 'ONBUILD EXPOSE 80\nONBUILD VOLUME /v\nONBUILD STOPSIGNAL 9'),
  triggered('shell and health', 'ONBUILD SHELL ["/bin/sh", "-ec"]\nONBUILD HEALTHCHECK CMD x', 'RUN echo $- > /f'),
  triggered('variables of the time', 'ENV A=1\nONBUILD RUN echo "$A-$B" > /f\nENV A=2 B=3'),
  triggered('mount', 'ONBUILD RUN --mount=type=bind,target=/m cp /m/a /f'),
  triggered('in small letters over lines', 'onbuild run echo 1 \\\n  2 > /f'),
  triggered('a file that is written in place', 'ONBUILD COPY <<E /t\nhi $PATH\nE', 'RUN cat /t > /f'),
  triggered('files written in place, with tabs', 'ONBUILD COPY <<-E <<-"F" /t/\n\tone\n\tE\n\t$two\n\tF'),
  triggered('a script', 'ONBUILD RUN <<E\necho 1 > /f\necho 2 >> /f\nE'),
  {
    name: 'trigger: with a file that is written in place, in the image',
    files: tree,
    dockerfile: 'FROM busybox\nONBUILD COPY <<-E /t\n\thi $PATH\n\tE\nONBUILD RUN <<F\ncat /t\nF\n',
  },
  triggered('of a stage that has its own', 'ONBUILD ENV A=1', 'ONBUILD ENV B=2'),
  triggered('of the files of its own image', 'RUN echo 1 > /own\nONBUILD RUN cp /own /f'),
  {
    name: 'trigger: only of the next stage',
    files: tree,
    dockerfile: 'FROM busybox AS base\nONBUILD RUN echo 1 >> /f\nFROM base AS one\nFROM one\nRUN cat /f > /g\n',
  },
  {
    name: 'trigger: with what is copied from it',
    files: tree,
    dockerfile: 'FROM busybox AS base\nONBUILD RUN echo 1 >> /f\nFROM busybox\nCOPY --from=base /etc/group /x\n',
  },
  {
    name: 'trigger: alone on nothing',
    files: tree,
    dockerfile: 'FROM scratch\nCOPY a /a\nONBUILD COPY a /b\nONBUILD CMD ["x"]\n',
  },
];
