/**
 * Which device nodes a container's processes may use, in the syntax of the v1 file devices.allow: Docker's defaults.
 * Any node may be made, since without a permission it cannot be opened.
 */
export const deviceRules = [
  'c *:* m',
  'b *:* m',
  'c 1:3 rwm',
  'c 1:5 rwm',
  'c 1:7 rwm',
  'c 1:8 rwm',
  'c 1:9 rwm',
  'c 5:0 rwm',
  'c 5:1 rwm',
  'c 5:2 rwm',
  'c 10:200 rwm',
  'c 136:* rwm',
] as const;
