import type {Cases} from '../case.ts';
import {create, facts, kill, line, run, start, stop, until, wait} from '../steps.ts';

/** Rules by which a request and its image make one command. */
const commands: Cases = {
  'nothing is asked for': [run()],
  'a command instead of that of the image': [run({Image: 'entry', Cmd: ['of', 'request']})],
  'the entrypoint and the command of the image': [run({Image: 'entry'})],
  'an empty command': [run({Image: 'entry', Cmd: []})],
  'no command, with an entrypoint of the image': [run({Image: 'entry-only'})],
  'an entrypoint drops the command of the image': [run({Image: 'entry', Entrypoint: ['echo', 'mine']})],
  'an entrypoint and a command': [run({Image: 'entry', Entrypoint: ['echo', 'mine'], Cmd: ['too']})],
  'an empty entrypoint': [run({Image: 'entry', Entrypoint: [], Cmd: ['echo', 'it']})],
  'an entrypoint of one empty word': [run({Image: 'entry', Entrypoint: [''], Cmd: ['echo', 'it']})],
  'a command of the image in words of a shell': [run({Image: 'shell'})],
  'an entrypoint of the image in words of a shell': [run({Image: 'shell-entry'})],
  'an entrypoint of the image in words of a shell, and a command': [run({Image: 'shell-entry', Cmd: ['a', 'b']})],
  'no command at all': [create({Image: 'bare'})],
  'words with blanks and quotes': [run({Cmd: ['printf', '%s|', 'a b', '"c"', "d'", '', '$HOME', '\\']})],
  'words of other writing': [run({Cmd: ['echo', 'ü', '日本', '\u{1f600}', '\t']})],
  'a command that is not there': [run({Cmd: ['no-such-program']})],
  'a command by a path that is not there': [run({Cmd: ['/no/such/program']})],
  'a command that may not be executed': [run({Cmd: ['/etc/passwd']})],
  'a command that is a directory': [run({Cmd: ['/etc']})],
  'a command relative to the working directory': [run({Cmd: ['./busybox', 'echo', 'it'], WorkingDir: '/bin'})],
  'a command that is found by a path of the request': [
    run({Cmd: ['facts'], Env: ['PATH=/:/bin', 'FACTS=environment']}),
  ],
  'a script without an interpreter': [line('printf "echo x" >/tmp/s; chmod 755 /tmp/s; exec /tmp/s')],
  'an exit code': [line('exit 42')],
  'an exit code above 255': [line('exit 300')],
  'the end by a signal of its own': [line('kill -9 $$; sleep 1')],
  'the end by a signal, with an init': [line('kill -TERM $$', {HostConfig: {Init: true}})],
};

const users: Cases = {
  'a user by name': [facts('status', {User: 'nobody'})],
  'root by name': [facts('status', {User: 'root'})],
  'a user by number': [facts('status', {User: '1000'})],
  'a user and a group by number': [facts('status', {User: '1000:1001'})],
  'a user by name and a group by name': [facts('status', {User: 'nobody:daemon'})],
  'a user by number and a group by name': [facts('status', {User: '77:daemon'})],
  'only a group': [facts('status', {User: ':50'})],
  'the number of a user of the file': [facts('status', {User: '65534'})],
  'a user that is not there': [run({User: 'stranger'})],
  'a group that is not there': [run({User: 'root:strangers'})],
  'the greatest number of a user': [facts('status', {User: '2147483647'})],
  'a number that is too great': [run({User: '2147483648'})],
  'a negative number': [run({User: '-1'})],
  'the user of the image': [run({Image: 'user'})],
  'numbers of the image': [run({Image: 'user-numbers'})],
  'a user instead of that of the image': [run({Image: 'user', User: '0:0'})],
  'groups added by number and by name': [
    facts('status', {User: '1000', HostConfig: {GroupAdd: ['50', 'daemon', '4242']}}),
  ],
  'a group added that is not there': [run({HostConfig: {GroupAdd: ['strangers']}})],
  'the home of a user': [line('echo $HOME; cd; pwd', {User: 'nobody'})],
  'the home of one who has none': [line('echo $HOME; cd; pwd', {User: '1234'})],
};

const environments: Cases = {
  'variables of the request': [facts('environment', {Env: ['A=1', 'B=two words', 'C=']})],
  'variables that are named twice': [facts('environment', {Env: ['A=1', 'A=2', 'a=3']})],
  'a variable without a value': [facts('environment', {Env: ['A', 'B=1']})],
  'a variable of the image is taken away': [facts('environment', {Image: 'environment', Env: ['A']})],
  'variables of the image': [facts('environment', {Image: 'environment'})],
  'variables of the request before those of the image': [
    facts('environment', {Image: 'environment', Env: ['A=request', 'C=request']}),
  ],
  'a value with an equals sign and a line feed': [facts('environment', {Env: ['A=b=c\nd']})],
  'a path of the request': [facts('environment', {Env: ['PATH=/bin:/own']})],
  'a home of the request': [facts('environment', {Env: ['HOME=/elsewhere']})],
  'a host name of the request': [facts('environment', {Env: ['HOSTNAME=other']})],
  'a terminal': [facts('environment tty', {Tty: true})],
  'a kind of terminal': [facts('environment', {Tty: true, Env: ['TERM=dumb']})],
  'a variable without a name': [create({Env: ['=x']})],
  'an empty variable': [create({Env: ['']})],
  'a value of a hundred thousand bytes': [line('echo ${#A}', {Env: [`A=${'x'.repeat(100_000)}`]})],
};

/** Without it the machine's servers are the container's. */
const dns = {Dns: ['192.0.2.53']};

const others: Cases = {
  'a working directory that is made': [facts('directory', {WorkingDir: '/made/here'})],
  'a working directory with dots': [facts('directory', {WorkingDir: '/made/../here/.'})],
  'a working directory that is made for a user': [facts('directory', {WorkingDir: '/made/here', User: '1000:1000'})],
  'a working directory that is relative': [create({WorkingDir: 'here'})],
  'the working directory of the image': [facts('directory', {Image: 'directory'})],
  'a working directory that a user may not enter': [facts('directory', {WorkingDir: '/root', User: 'nobody'})],
  'a host name': [facts('names', {Hostname: 'box', HostConfig: dns})],
  'a host name and a domain': [facts('names', {Hostname: 'box', Domainname: 'example.org', HostConfig: dns})],
  'a host name with a domain': [facts('names', {Hostname: 'box.example.org', HostConfig: dns})],
  'labels of the request and of the image': [run({Image: 'labels', Labels: {both: 'request', from2: ''}})],
  'ports of the request and of the image': [run({Image: 'ports', ExposedPorts: {'81/tcp': {}, '80/tcp': {}}})],
  'a port without a protocol': [create({ExposedPorts: {'82': {}}})],
  'a volume of the image': [line('touch /data/x; ls -ld /data /data/x | cut -c 1-10', {Image: 'volume'})],
  'a volume of the request': [line('touch /own/x; ls /own', {Volumes: {'/own': {}}})],
  'volumes of both': [create({Image: 'volume', Volumes: {'/own': {}, '/data': {}}})],
  'the stop signal of the image': [create({Image: 'stop-signal'}), start(), until('ready'), stop()],
  'a stop signal instead of that of the image': [
    create({Image: 'stop-signal', StopSignal: 'SIGTERM'}),
    start(),
    until('ready'),
    stop(),
  ],
  'a stop signal by number': [create({Image: 'stop-signal', StopSignal: '10'}), start(), until('ready'), stop()],
  'a stop signal that there is not': [create({StopSignal: 'SIGNOTHING'})],
  'a time to stop': [create({StopTimeout: 3})],
  'the health check of the image': [create({Image: 'health'})],
  'parts of a health check over those of the image': [
    create({Image: 'health', Healthcheck: {Interval: 5_000_000_000, StartPeriod: 1_000_000_000}}),
  ],
  'no health check': [create({Image: 'health', Healthcheck: {Test: ['NONE']}})],
  'a health check of the request': [create({Healthcheck: {Test: ['CMD-SHELL', 'true'], Retries: 2}})],
  'input that is open': [create({OpenStdin: true, Cmd: ['cat']}), start(), kill('KILL'), wait()],
  'input that is closed': [run({Cmd: ['cat']})],
  'streams that are attached': [create({AttachStdin: true, AttachStdout: true, AttachStderr: true, StdinOnce: true})],
};

export const config: Cases = {...commands, ...users, ...environments, ...others};
