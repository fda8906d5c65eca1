// A context that most cases have, and cases of one kind.
// `files`: text; {text, mode, time}; {base64}; {link}; {hard}: another name of a file; {directory: mode}; null: removed.
export const tree = {
  a: 'a\n',
  b: {text: 'b\n', mode: 0o755},
  'd/one': '1\n',
  'd/two': {text: '2\n', mode: 0o600},
  'd/sub/three': '3\n',
  'd/sub/deep/four.txt': '4\n',
  'd/link': {link: 'one'},
  'd/.hidden': 'h\n',
  e: {directory: 0o711},
  l: {link: 'd'},
  'x.txt': 'x\n',
  'y.txt': 'y\n',
};

export const copy = (name, line, more = {}) => ({name, files: tree, dockerfile: `FROM scratch\n${line}\n`, ...more});
export const run = (name, text, more = {}) => ({name, files: tree, dockerfile: `FROM busybox\n${text}\n`, ...more});
