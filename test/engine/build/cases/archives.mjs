// Archives of tar(5) in base64, most of them compressed by gzip. What is in them:
// gz, bz2, xz, zst: top/{file,hard: a second name of it,link,pipe,sub/deep: 755 3:4}, etc/group; attributes: top/file with
// user.note; the others: what their names say (implied: no/parents/file without its directories, whiteouts: etc/.wh.group).
import {gunzipSync} from 'node:zlib';

export const archives = {
  gz: [
    'H4sIAAAAAAACA+2YQW6DMBBFvc4pfAPGxuM5DwlOixoRy4H7B1AWEZUiIdUubf7bDPIK62n+DAzXWKnM0IQwL3ViXZdn49g6EXLzuSFiozSrAo',
    'y3oUnTq/zEJZ8v90cYJv/n7hJy+/fOvfDv1/6FRGmC/+x0fR/SQYE3Ze7/zya1v9v/6/y3tauVNiXCCflfXbr+K/v8F9ng37CQ0ja3e/hf/Mcu',
    'hn31P4llpT3mfxH/t/FYZe9/pi3+fc3Y/0v6b0OIZb7/6kd1T/75W/5j/y/D7B3r//sShtMu//9Yi/wv5f8jXceY2f/r/U/W+U/ikf9F5n+TUm',
    'gxAQAAAAAAAAAAAAD+K3dzwq1PACgAAA==',
  ].join(''),
  bz2: [
    'QlpoOTFBWSZTWfMzonUAAdvbkNmQQAD/hATEf+3eAAQAAMgwARgUNQjEGgABoAaZAxo0aAZMhoxGmgaYCKETUxKNHiA8oho0abTrmh/Dc34/qp',
    'IvygjnGqGb9SACNVRehlz4c+eh7IRfVDtKMTnFgIgCkOjpF8pLIaiLCKRny5Uh5+lpgmEyQ73TSlVwh9EJBR22h23JyU3QhB6EIY0QitKlmkmA',
    'shJr22q6GV+O2OlBXBDusGaGSGG05u+mXDRCmuE3vqEFViUKLBE4QoF/yHrHuQX56OZgUHWEDz5MArKGEhfiS0iDGCgAqOQrgAdLSAtGX/nCFz',
    '4Q44Padushc49U9f3J4qvyLuSKcKEh5mdE6g==',
  ].join(''),
  xz: [
    '/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4Cf/APBdADobymMkBJSzSsi80f5CS2Mz1B2L3104j/JQC1t+rHbhJPRgZUD+FcVUeMDOAwLiYwjEEf',
    'wuwhwprJoCX5plC3d8M1jPK9lxuha9J170YiM3zZ14xtezRRbFH3Qr7qyCxMCfmf0i6s0Z4PF9EwpjDcTHWpBemZ0nmC9YmfZEf4SEwSHwIXgI',
    'fvUlRmxvgrYyIF++h967oohmj9gncdqUGfU1zEiIcSDFG+Z8VvIisZ9jTf8pJjOgmkxZoAFx4poni2aazSlWbMY9FA4lP1e0vD1lzD2x6mkeJK',
    'hBw9hLx9szVxEADv6ThpRqFjc8oGq3GwC6d7wYpNvsHgABjAKAUAAAlcsCUbHEZ/sCAAAAAARZWg==',
  ].join(''),
  zst: [
    'KLUv/WQAJ+0GAMJIGRCQfYRvuEMB/0+U/qfpamqlzWGsNEo/0t0WQ0KYdn7GMeVc59op6E8Sa2cU/JC/8pLgn85IaVZJR/BiCvmGVXSAXa3yg6',
    'dPyBjkqHz+71jpvP0EH+d/vP+bT8mQY4a/n5PexbU6MaBhsWKUsWHvMEkZbdv7Z3zIL5CKMZXYQeNkgDXHngrJgCQ1vgBF78e6ZajQMZqVaU1l',
    '8WyA1KuprnkAa2DVn8FTwFLx/5qoGR+AzGatWKoWFG+6bEwDdH17VA9WPUJDdcwDWEmPGmwOVlKDWVciNRQgnoIZ100kLA==',
  ].join(''),
  attributes: [
    'H4sIAAAAAAACA+3TsQrCMBCA4cw+RZ+gvdTYTE4uFRwEJ8eAEQullTSFPr7BsZugQvX/ljsy5YY/9vfi6Kbau4sPQ3FtWq/eTZLKmOdM5lPEiN',
    'JmUxpr05reta5Eq2xSXzAO0YX0FfWf1mV22tX7wzmfXIwhHwcf8q6PfnvzbduvFH5aTP1/JPpX+pdq1r9YsSqTJfU/P24hmq7zgcoBAAAAAAAA',
    'AAAAAAAW6wEnXjqwACgAAA==',
  ].join(''),
  upwards: [
    'H4sIAAAAAAACA+3PsQ2AMAwAQddM4QnCJxgyDxtEgeyPUkINSAhf8/WHMLYizwIWM+0Fru0mjTYnyxkDJQJJBXlB2/a1CtwweZr7iFYGcc459z',
    '8HEJLGPAAIAAA=',
  ].join(''),
  rooted: [
    'H4sIAAAAAAACA+3PMQqAQAwF0dSeIhcQf0J0z2OhIAgLcb2/bKm1CmJeM/V0nnNp52Wd6DEABjOuBXBtpSzWq6UEAxgiosIEesG+ldEJuGHyNP',
    'cR3lAIIYQfOgAzuK4eAAgAAA==',
  ].join(''),
  whiteouts: [
    'H4sIAAAAAAACA+3RQQqAIBQE0H8UT5Cj/J/nCZHaFaZ0/YhWtQsyCP7bDLMcJpVoqTEAQcQcCeCeZ3EsnkMAAwYOgDck9IG6liET8MLIy7ifSC',
    'Xabpu6Mc91afd/z/zkfyfsDUH/V0qpZnZQpa6MAAgAAA==',
  ].join(''),
  throughLink: [
    'H4sIAAAAAAACA+3POwqAMBAA0a09RW7gJGyS81goiMHCz/0lpdYqiPuaqafMUzuMpZcHAUnV1QLXVsF5jUFzRsHhSRqdIC/Y161bBG6YPM19RG',
    'nEGGPMDx01AgI6AAgAAA==',
  ].join(''),
  linkOut: [
    'H4sIAAAAAAACA+3RMQ6AIAwF0M6eghvwIQXOQ9SRkCjc3xgnmUVj6Ft+urX9uRbqDYBnVmcCaPMaDDvLIYABBQNnWZHVa5l7L1f3EjcCHjjydt',
    'xP5Fp0isv6bf+27d+7oAhvPGDw/tNEQgghBnQAvnBt+QAKAAA=',
  ].join(''),
  hardOut: [
    'H4sIAAAAAAACA8tgoD0wMDAwMzFRANEGBgboNIRjaGJqZGJubmBiYKBgYGhkYGiswGCop6evp6efWpKsX5BYXFyeQgvHlRaXJBYxGBhQwZMonh',
    'sFo2AUjIJBDgAFnoNtAAYAAA==',
  ].join(''),
  device: [
    'H4sIAAAAAAACA+3Puw2AQAwEUZfiEsb38dVDfiIArn+EICIGROCXjDbcefQuLwPcXY8C957DSk2lNQoohqWqkuUDY92mReCBk2DXqawSQgg/tw',
    'NirNw6AAYAAA==',
  ].join(''),
  implied: [
    'H4sIAAAAAAACA+3PQQqAIBSE4bfuFO8GjqJ5HhcGQZio3T8q6gQVRO/b/Mxy0qxyKDG1qoZxivQEAL0FbwX8UX3unWFtnbHewwIMbbRzTKAXLL',
    'WFQsANJ4HrFNNH5I6EEEL80AqOLZ3tAAgAAA==',
  ].join(''),
  twice: [
    'H4sIAAAAAAACA+3TsQ2AMBADwK+Z4kdw4OHnoSAlkUIQ66OUUAMSiq9xaxeO8j4Ak5nWBHDPyjTY2Js7DFDABw8q+KCb7FuZswAPjLyM+4m0Lp',
    '1QsyL/3/T/y5H4fyKiBp2GmL42AAwAAA==',
  ].join(''),
  overDirectory: [
    'H4sIAAAAAAACA0thoD0wMDAwMzFRANEGBgboNAiYKhiamBqZmJsbmBgYKBgYmBubg+Tp4DaG0uKSxCIGAwMqeBLFc0MEpGXmpHIxjIJRMApGwS',
    'gYaQAAwR6V9gAIAAA=',
  ].join(''),
  overFile: [
    'H4sIAAAAAAACA+3RPQqAMAwF4MyeojfosybmPEKXLh38ub8UJzs42YKYb3kEsjxe9NQcABVxJQHUeR0jS2BVMOAAZQmOhDo4tn1ZCXih5K3cR0',
    'Sfcof9Z+an/ad6f9Xyb/s3l/JAxhhj/ucEjCHaBgAKAAA=',
  ].join(''),
  long: [
    'H4sIAAAAAAACA+3TMQ6CQBCF4ak9xdzAf5cBKntLrrCJBAtFg5hwfEOpFjYuapyvefUr/iZN2zbt2kHyASoznRd4XCiKUoOV0eoaAyWEEE1lkg',
    'VcL2MaBN5w8u7cj4gx6DmN+02fzfr4IStxrzRf0D889Q+VCt5/dodT33knzjn3f275R/mgAAwAAA==',
  ].join(''),
  empty: 'H4sIAAAAAAACA2NgGAWjYBSMVAAALq+17wAEAAA=',
};

/** The first of them, not compressed. */
export const plainArchive = gunzipSync(Buffer.from(archives.gz, 'base64')).toString('base64');
