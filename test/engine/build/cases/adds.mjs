import {archives, plainArchive} from './archives.mjs';
import {copy, run, tree} from './tree.mjs';

const packed = (name, kind, line, more = {}) =>
  copy(name, line, {files: {archive: {base64: archives[kind]}, a: 'a\n'}, ...more});
const upon = (name, kind, text) => run(name, text, {files: {archive: {base64: archives[kind]}, a: 'a\n'}});

const unpacking = [
  copy('archive', 'ADD archive /x/', {files: {archive: {base64: plainArchive}}}),
  packed('archive by gzip', 'gz', 'ADD archive /x/'),
  packed('archive by bzip2', 'bz2', 'ADD archive /x/'),
  packed('archive by xz', 'xz', 'ADD archive /x/'),
  packed('archive by zstd', 'zst', 'ADD archive /x/'),
  packed('archive to a target without a slash', 'gz', 'ADD archive /x'),
  packed('archive to the root', 'gz', 'ADD archive /'),
  packed('archive that is copied', 'gz', 'COPY archive /x/'),
  packed('archive with a file beside it', 'gz', 'ADD archive a /x/'),
  packed('archive of a wildcard', 'gz', 'ADD arch* /x/'),
  packed('archive in a directory', 'gz', 'ADD . /x/'),
  packed('archive with chown', 'gz', 'ADD --chown=5:6 archive /x/'),
  packed('archive with chmod', 'gz', 'ADD --chmod=700 archive /x/'),
  packed('archive with --link', 'gz', 'ADD --link archive /x/'),
  packed('archive that is not to be unpacked', 'gz', 'ADD --unpack=false archive /x/'),
  packed('archive that is to be unpacked', 'gz', 'ADD --unpack archive /x/'),
  packed('archive of nothing', 'empty', 'ADD archive /x/'),
  packed('archive with extended attributes', 'attributes', 'ADD archive /x/'),
  packed('archive with names from the root', 'rooted', 'ADD archive /x/'),
  packed('archive with names that lead up', 'upwards', 'ADD archive /x/'),
  packed('archive with directories that it does not name', 'implied', 'ADD archive /x/'),
  packed('archive with a name twice', 'twice', 'ADD archive /x/'),
  packed('archive with long names', 'long', 'ADD archive /x/'),
  packed('archive with a device', 'device', 'ADD archive /x/'),
  packed('archive with a link that leads out', 'linkOut', 'ADD archive /x/'),
  packed('archive with a hard link that leads out', 'hardOut', 'ADD archive /x/'),
  upon('archive with marks of removal', 'whiteouts', 'ADD archive /'),
  upon('archive upon what is there', 'gz', 'RUN mkdir -p -m 711 /x/top && echo 1 > /x/top/file\nADD archive /x'),
  upon('archive through a link of the target', 'throughLink', 'RUN mkdir /real && ln -s /real /lnk\nADD archive /'),
  upon('archive into a linked directory', 'gz', 'RUN mkdir /real && ln -s /real /lnk\nADD archive /lnk'),
  upon('archive with a file in the place of a directory', 'overDirectory', 'RUN mkdir -p /x/d/e\nADD archive /x/'),
  upon('archive with a directory in the place of a file', 'overFile', 'RUN mkdir /x && touch /x/d\nADD archive /x/'),
  copy('compressed file that is no archive', 'ADD f.gz /x/', {
    files: {'f.gz': {base64: 'H4sIAAAAAAACA8tIzcnJ5wIAIDA6NgYAAAA='}},
  }),
  copy('file that is called an archive', 'ADD a.tar /x/', {files: {'a.tar': 'not one\n'}}),
  {
    name: 'attributes that are copied from a stage',
    files: {archive: {base64: archives.attributes}},
    dockerfile: 'FROM scratch AS one\nADD archive /in/\nFROM scratch\nCOPY --from=one /in /x\n',
  },
];

const server = 'http://server';
const network = [
  copy('from the network', `ADD ${server}/file.txt /x`),
  copy('from the network into a directory', `ADD ${server}/file.txt /x/`),
  copy('from the network with a query', `ADD ${server}/file.txt?a=b /x/`),
  copy('from the network with a name of many characters', `ADD ${server}/deep/name%20blank.txt /x/`),
  copy('from the network with a name that the server says', `ADD ${server}/executable /x/`),
  copy('from the network by another address', `ADD ${server}/moved /x/`),
  copy('from the network without a name', `ADD ${server}/ /x`),
  copy('from the network without a name into a directory', `ADD ${server}/ /x/`),
  copy('from the network nothing', `ADD ${server}/empty /x/`),
  copy('from the network with a time', `ADD ${server}/dated /x/`),
  copy('from the network two', `ADD ${server}/file.txt ${server}/dated a /x/`, {files: tree}),
  copy('from the network with chmod', `ADD --chmod=755 ${server}/file.txt /x/`),
  copy('from the network with chown', `ADD --chown=5:6 ${server}/file.txt /x/`),
  copy('from the network with --link', `ADD --link ${server}/file.txt /x/`),
  copy('from the network an archive', `ADD ${server}/tree.tar.gz /x/`),
  copy('from the network an archive that is unpacked', `ADD --unpack=true ${server}/tree.tar.gz /x/`),
  copy('from the network by a variable', `ARG U=${server}\nADD $U/file.txt /x/`),
  copy(
    'from the network with its digest',
    `ADD --checksum=sha256:edd501a3f12682a3bfb7bf76555c2a20f41d6f90aae7234d5ab9e3edc18605e5 ${server}/file.txt /x/`,
  ),
  copy('from the network with another digest', `ADD --checksum=sha256:${'0'.repeat(64)} ${server}/file.txt /x/`),
  copy('from the network with what is no digest', `ADD --checksum=sha256:1 ${server}/file.txt /x/`),
  copy('from the network what is missing', `ADD ${server}/missing /x/`),
  copy('from the network what is broken', `ADD ${server}/broken /x/`),
  copy('from the network by COPY', `COPY ${server}/file.txt /x/`),
  copy('digest of a file of the context', `ADD --checksum=sha256:${'0'.repeat(64)} a /x/`),
];

export const adds = [...unpacking, ...network];
