import type {Cases} from '../case.ts';
import {create, exec, kill, look, pause, remove, restart, run, running, start, until, wait} from '../steps.ts';
import {inspectNetwork, removeNetwork} from './networks.ts';
import {asks, at, connect, disconnect, net, on, sees} from './on-networks.ts';

export const reconnections: Cases = {
  'connected while it runs': [
    ...[net(41), net(42, {}, '@two'), ...running(on(41))],
    connect('@two', {...at(42), Aliases: ['guest']}),
    sees(),
    look(),
    inspectNetwork('@two'),
    exec({Cmd: ['sort', '/etc/hosts']}),
  ],
  'connected, with the way out': [
    ...[net(43), net(44, {}, '@two'), ...running(on(43))],
    connect('@two', {...at(44), GwPriority: 3}),
    sees('ip -4 route | sort'),
  ],
  'connected to a network that leads nowhere': [
    ...[net(45, {Internal: true}), net(46, {Internal: true}, '@two'), ...running(on(45))],
    connect('@two', at(46)),
    sees(),
  ],
  'connected before it runs': [
    ...[
      net(47),
      net(48, {}, '@two'),
      create(on(47, {}, {Cmd: ['sh', '-c', 'ip -4 -o addr | grep -o "inet [^ ]*" | sort']})),
    ],
    connect('@two', {...at(48), Aliases: ['guest']}),
    look(),
    ...[start(), wait()],
  ],
  'connected after its end': [
    ...[
      net(49),
      net(50, {}, '@two'),
      ...run(on(49, {}, {Cmd: ['sh', '-c', 'ip -4 -o addr | grep -o "inet [^ ]*" | sort']})),
    ],
    connect('@two', at(50)),
    ...[start(), wait()],
  ],
  'connected while it is paused': [
    ...[net(51), net(52, {}, '@two'), ...running(on(51)), pause()],
    connect('@two', at(52)),
    disconnect('@net'),
  ],
  'connected twice': [
    ...[net(53), net(54, {}, '@two'), ...running(on(53))],
    connect('@two', at(54)),
    connect('@two', at(54)),
    connect('@net'),
  ],
  'connected twice before it runs': [
    ...[net(55), net(56, {}, '@two'), create(on(55))],
    connect('@two', at(56)),
    connect('@two', {...at(56, 9), Aliases: ['later']}),
  ],
  'connected to what is not there': [...running(), connect('@missing'), disconnect('@missing')],
  'a container that is not there': [
    net(57),
    connect('@net', {}, 'nobody-here'),
    disconnect('@net', false, 'nobody-here'),
  ],
  'connected to the networks that are always there': [net(58), ...running(on(58)), connect('host'), connect('none')],
  'connected without a network': [
    net(59),
    ...running(),
    connect('@net', at(59)),
    disconnect('none'),
    connect('@net', at(59)),
  ],
  'connected on the network of the machine': [
    net(60),
    ...running({HostConfig: {NetworkMode: 'host'}}),
    connect('@net', at(60)),
    disconnect('host'),
  ],
  'connected in the network of another': [
    ...[net(61), ...running({}, 'other'), ...running({HostConfig: {NetworkMode: 'container:@other'}})],
    connect('@net', at(61)),
    disconnect('@net'),
  ],
  'connected at an address outside': [
    ...[net(62), net(63, {}, '@two'), ...running(on(62))],
    connect('@two', {IPAMConfig: {IPv4Address: '10.184.1.1'}}),
    connect('@two', {IPAMConfig: {IPv4Address: 'x'}}),
  ],
  'connected at the address of another': [
    ...[net(64), net(65, {}, '@two')],
    ...running({HostConfig: {NetworkMode: '@two'}, NetworkingConfig: {EndpointsConfig: {'@two': at(65)}}}, 'other'),
    ...running(on(64)),
    connect('@two', at(65)),
    sees(),
  ],
  'connected with a link': [
    ...[net(66), net(67, {}, '@two')],
    ...running({HostConfig: {NetworkMode: '@two'}, NetworkingConfig: {EndpointsConfig: {'@two': at(67)}}}, 'other'),
    ...running(on(66)),
    connect('@two', {...at(67, 9), Links: ['@other:db']}),
    asks('db'),
  ],
  'disconnected while it runs': [
    ...[net(68), ...running(on(68)), disconnect('@net'), sees(), look(), inspectNetwork('@net')],
    exec({Cmd: ['sort', '/etc/hosts']}),
  ],
  'disconnected before it runs': [
    ...[net(69), create(on(69, {}, {Cmd: ['sh', '-c', 'ip -4 -o addr | grep -o "inet [^ ]*" | sort']}))],
    ...[disconnect('@net'), start(), wait()],
  ],
  'disconnected after its end': [net(70), ...run(on(70, {}, {Cmd: ['true']})), disconnect('@net'), look()],
  'disconnected twice': [net(71), ...running(on(71)), disconnect('@net'), disconnect('@net'), disconnect('@net', true)],
  'disconnected by force': [net(72), ...running(on(72)), disconnect('@net', true), sees()],
  'what was changed is kept over a restart': [
    ...[net(73), net(74, {}, '@two'), ...running(on(73))],
    ...[connect('@two', at(74)), disconnect('@net'), restart(), until('ready', 'it', {times: 2}), sees()],
  ],
  'a network with a container that runs': [net(75), ...running(on(75)), removeNetwork('@net'), inspectNetwork('@net')],
  'a network with a container that has ended': [
    ...[net(76), ...run(on(76, {}, {Cmd: ['true']})), inspectNetwork('@net'), removeNetwork('@net'), start()],
  ],
  'a network whose container is gone': [net(77), ...running(on(77)), remove({force: true}), inspectNetwork('@net')],
  'its end gives its address back': [
    net(78),
    ...running(on(78), 'other'),
    ...[kill(undefined, 'other'), wait(undefined, 'other')],
    ...run(on(78, {}, {Cmd: ['true']})),
  ],
};
