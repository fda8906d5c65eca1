declare module 'unbzip2-stream' {
  /** An old stream of Node: bytes of bzip2 in, what they hold out. */
  function unbzip2Stream(): NodeJS.ReadWriteStream;
  export = unbzip2Stream;
}
