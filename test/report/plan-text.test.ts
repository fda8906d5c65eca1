import {expect, test} from 'vitest';
import {planDown} from '../../src/plan/down.ts';
import {planUp} from '../../src/plan/up.ts';
import {planJson} from '../../src/report/plan-json.ts';
import {renderPlan} from '../../src/report/plan-text.ts';
import {container, imagesOf, observed, project, running, upInput} from '../plan/fixtures.ts';

const before = project({
  services: {
    api: {environment: {LOG_LEVEL: 'info'}},
    web: {depends_on: {api: {condition: 'service_started', restart: true, required: true}}},
  },
});
const after = project({
  services: {
    ...before.services,
    api: {image: 'api', environment: {LOG_LEVEL: 'debug'}, scale: 2},
    mail: {
      ports: [{target: 8025, published: '8025', protocol: 'tcp', mode: 'ingress'}],
      depends_on: {web: {condition: 'service_started', required: true}},
    },
    admin: {ports: [{target: 80, published: '8080', host_ip: '127.0.0.1', protocol: 'tcp', mode: 'ingress'}]},
  },
  networks: {},
  lines: {'services.api.environment.LOG_LEVEL': 6, 'services.web.depends_on.api.restart': 44},
});
const world = {
  ...observed({images: imagesOf(after)}),
  containers: [...running(before).containers, container(before, 'legacy')],
};

test('a plan for people says what, why, where, in which order, and what others can reach', () => {
  const text = renderPlan(planUp(upInput(after, world, {removeOrphans: true})), {
    color: false,
    width: 110,
    project: after,
  });
  expect(text.split('\n').map((line) => line.trimEnd())).toEqual([
    'shop',
    '',
    ' - legacy    remove 1 container: no service in the stack file has it',
    ' + admin     create 1 container: no existing container',
    '     · port 127.0.0.1:8080 → 80/tcp',
    ' ↻ web       restart 1 container: depends on api, which is recreated                         compose.yaml:44:5',
    ' ± api       recreate 1 container: configuration changed',
    '     ~ environment.LOG_LEVEL  info → debug                                                    compose.yaml:6:5',
    ' + api       create 1 container: no existing container',
    ' + mail      create 1 container: no existing container',
    '     · port 0.0.0.0:8025 → 8025/tcp  ! reachable from outside',
    '',
    ' order  admin, api → web → mail',
    '',
    'Plan: 3 to create · 1 to recreate · 1 to remove · 1 to restart',
    '',
  ]);
});

test('narrow terminals lose the places first, and no line is too wide', () => {
  const plan = planUp(upInput(after, world));
  const narrow = renderPlan(plan, {color: false, width: 40, project: after});
  expect(narrow).not.toContain('compose.yaml');
  expect(narrow).toContain('     ~ environment.LOG_LEVEL  info → de…'.slice(0, 39));
  for (const line of narrow.split('\n').slice(0, -2)) expect(line.length).toBeLessThanOrEqual(40);
});

test('nothing to do is a sentence; consents and warnings are shown and counted', () => {
  expect(renderPlan(planUp(upInput(before, running(before))), {color: false, width: 80})).toBe(
    'shop\n\nNo changes: everything is as the stack file says.\n',
  );
  const parts = (driver: string) =>
    project({services: {db: {volumes: [{type: 'volume', source: 'data', target: '/d'}]}}, volumes: {data: {driver}}});
  const blocked = {
    ...running(parts('local')),
    containers: [...running(parts('local')).containers, container(parts('local'), 'old')],
  };
  expect(renderPlan(planUp(upInput(parts('nfs'), blocked)), {color: false, width: 120})).toBe(
    `shop

 !! ask  volume "shop_data" differs from the stack file: delete it with all its data and create it again?
     ~ driver  local → nfs

 ! warning  container of this project that no service in the stack file has: shop-old-1
   hint: remove them with "--remove-orphans"

Plan: 1 to ask about (1 warning)
`,
  );
});

test('colours are added around the same text', () => {
  const plan = planUp(upInput(after, world));
  const colored = renderPlan(plan, {color: true, width: 110, project: after});
  expect(colored).toContain('\u001b[');
  expect(colored.replace(/\u001b\[\d+m/g, '')).toBe(renderPlan(plan, {color: false, width: 110, project: after}));
});

test('down is counted by what goes', () => {
  const shop = project({services: {a: {networks: {default: null}, scale: 2}}, networks: {default: {}}});
  expect(planJson(planDown({project: shop, observed: running(shop), options: {}}))).toMatchObject({
    version: 1,
    project: 'shop',
    summary: {create: 0, remove: 3, stop: 0},
  });
});

test('hooks stand below what happens to their service, and alone where nothing else does', () => {
  const shop = project({
    services: {
      db: {
        post_start: [{command: ['seed', '--now'], environment: {TOKEN: 'hidden'}}],
        pre_stop: [{command: ['drain']}],
      },
    },
    lines: {'services.db.post_start[0]': 4},
  });
  const text = (world: Parameters<typeof upInput>[1]) =>
    renderPlan(planUp(upInput(shop, world)), {color: false, width: 80, project: shop});
  expect(text(observed({images: imagesOf(shop)}))).toBe(
    `shop

 + db        create 1 container: no existing container
     · post_start 1  seed --now

Plan: 1 to create
`,
  );
  expect(renderPlan(planDown({project: shop, observed: running(shop), options: {}}), {color: false, width: 80})).toBe(
    'shop\n\n - db        remove 1 container: down\n     · pre_stop 1  drain\n\nPlan: 1 to remove\n',
  );
  const lacking = observed({images: imagesOf(shop), containers: [{...container(shop, 'db'), hooksDone: 0}]});
  expect(text(lacking)).toBe(
    'shop\n\n » db        run hooks in 1 container: has not run since its start\n     · post_start 1  seed --now\n\nPlan: 1 to run\n',
  );
  const json = planJson(planUp(upInput(shop, lacking)));
  expect(json).toMatchObject({
    nodes: [
      {
        kind: 'runHook',
        subject: {kind: 'container', name: 'shop-db-1', service: 'db'},
        action: {hook: 'post_start', number: 1, run: {command: ['seed', '--now'], environment: ['TOKEN']}},
        why: {source: {line: 4}},
      },
    ],
    summary: {run: 1},
  });
  expect(JSON.stringify(json)).not.toContain('hidden');
});
